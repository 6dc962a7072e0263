//! The real binary, run as a service would run it, and asked over its own pages.

use crate::report::root;
use anyhow::{Context, bail};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// `usher --config CONFIG`, built by `make bench`.
pub(crate) fn usher(config: &Path) -> Command {
    let mut command = Command::new(root().join("target/release/usher"));
    command.arg("--config").arg(config);
    command
}

/// A gate of its own, in a folder that vanishes.
pub(crate) struct Box {
    pub(crate) config: PathBuf,
    _folder: tempfile::TempDir,
    pages: SocketAddr,
}

/// A running gate; ended on drop.
pub(crate) struct Running(Child);

impl Box {
    /// A gate with one camera.
    pub(crate) fn with_camera(url: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::os::unix::fs::symlink(root().join("data/models").canonicalize()?, folder.path().join("models"))?;
        let [pages, mqtt, websocket] = [free()?, free()?, free()?];
        let config = folder.path().join("gate.yaml");
        fs::write(
            &config,
            format!(
                "site: bench\ndata: .\ncameras:\n  cam: {{ url: \"{url}\" }}\ngates:\n  gate: {{ cameras: [cam] }}\n\
                 publish: {{ broker: {{ embedded: {{ listen: \"{mqtt}\", websocket: \"{websocket}\" }} }} }}\nweb: {{ listen: \"{pages}\" }}\n"
            ),
        )?;
        Ok(Self { config, _folder: folder, pages })
    }

    /// Starts `usher run`; answers with the seconds until `/readyz` said so.
    pub(crate) fn start(&self) -> anyhow::Result<(Running, f64)> {
        let begun = Instant::now();
        let child = usher(&self.config).arg("run").stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
        let mut running = Running(child);
        while begun.elapsed() < Duration::from_secs(60) {
            if self.get("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok((running, begun.elapsed().as_secs_f64()));
            }
            if let Some(status) = running.0.try_wait()? {
                bail!("usher ended at start: {status}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("usher was not ready after a minute")
    }

    /// One of the page's metrics, summed over its labels.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let page = self.get("/metrics")?;
        let of_it = |line: &&str| line.split([' ', '{']).next() == Some(name);
        Ok(page.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    fn get(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.pages, Duration::from_millis(200))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.pages)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Running {
    /// Resident memory now and at its highest, MiB.
    pub(crate) fn memory_mib(&self) -> anyhow::Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let kib = |key: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).with_context(|| key.to_owned())?;
            Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()?)
        };
        Ok((kib("VmRSS:")? / 1024.0, kib("VmHWM:")? / 1024.0))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _asked = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ended = self.0.wait();
    }
}

/// A port that was free a moment ago.
fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
