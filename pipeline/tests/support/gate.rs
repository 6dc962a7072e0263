//! The real binary, run as a service would run it, in a folder that vanishes.
//!
//! Shared by the tests of promises and by the benches (`benches/src/main.rs` takes it in by path).
#![allow(dead_code, reason = "each user of this file needs a part of it")]

#[path = "port.rs"]
mod port;

use anyhow::{Context, bail};
pub(crate) use port::free;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder that `make setup` fills; says so when it is not there.
pub(crate) fn set_up(name: &str, variable: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os(variable).map_or_else(|| root().join("data").join(name), PathBuf::from);
    folder.canonicalize().with_context(|| format!("{} is not there; run `make setup` first", folder.display()))
}

/// The demo's pictures.
pub(crate) fn pictures() -> anyhow::Result<PathBuf> {
    set_up("pictures", "USHER_PICTURES")
}

/// The shipped programme, in a zone where it is ten in the morning: a day lies ahead, whenever tests run.
#[expect(clippy::disallowed_methods, reason = "a test's gate lives by the machine's clock")]
pub(crate) fn programme() -> anyhow::Result<String> {
    let hour = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 3600 % 24)?;
    // Zones are named the other way round: `Etc/GMT-3` is three hours ahead.
    let ahead = (34 - hour) % 24;
    let ahead = if ahead > 14 { ahead - 24 } else { ahead };
    let shipped = fs::read_to_string(root().join("config/programme.yaml"))?;
    Ok(shipped.replacen("Europe/Berlin", &format!("Etc/GMT{:+}", -ahead), 1))
}

/// A gate that is not running yet: its configuration and its data.
pub(crate) struct Box {
    pub(crate) config: PathBuf,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) pages: SocketAddr,
    pub(crate) mqtt: SocketAddr,
    binary: PathBuf,
}

/// A running gate; ended on drop.
pub(crate) struct Running(pub(crate) Child);

impl Box {
    /// A gate `gate` of site `test` with one camera `cam`, on free ports.
    pub(crate) fn with_camera(binary: impl Into<PathBuf>, url: &str) -> anyhow::Result<Self> {
        Self::configured(binary, |[pages, mqtt, websocket]| {
            format!(
                "site: test\ndata: data\ncameras:\n  cam: {{ url: \"{url}\" }}\ngates:\n  gate: {{ cameras: [cam], quiet: 5 s, mode: identification, responsible: the test }}\n\
                 guide: {{ programme: programme.yaml }}\n\
                 publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
                 web: {{ listen: \"{pages}\" }}\n"
            )
        })
    }

    /// A gate of this configuration, told free addresses for pages, MQTT and WebSocket. Its data folder is `data`.
    pub(crate) fn configured(
        binary: impl Into<PathBuf>,
        text: impl FnOnce([SocketAddr; 3]) -> String,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        std::os::unix::fs::symlink(set_up("models", "USHER_MODELS")?, data.join("models"))?;
        fs::write(folder.path().join("programme.yaml"), programme()?)?;
        fs::copy(root().join("config/places.geojson"), folder.path().join("places.geojson"))?;
        let [pages, mqtt, websocket] = [free(), free(), free()];
        let config = folder.path().join("gate.yaml");
        fs::write(&config, text([pages, mqtt, websocket]))?;
        Ok(Self { config, folder, pages, mqtt, binary: binary.into() })
    }

    /// `usher --config …` of this gate.
    pub(crate) fn usher(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(&self.config);
        command
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Enrols somebody from one picture.
    pub(crate) fn enrol(&self, name: &str, sport: &str, picture: &Path) -> anyhow::Result<Output> {
        let output =
            self.usher().args(["enrol", "--agreed", "--name", name, "--sport", sport]).arg(picture).output()?;
        if !output.status.success() {
            bail!("enrol failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output)
    }

    /// Starts `usher run`; answers with the seconds until `/readyz` said so.
    pub(crate) fn start(&self) -> anyhow::Result<(Running, f64)> {
        self.started(Stdio::null(), Stdio::inherit())
    }

    /// The same, with all that it says in a file.
    pub(crate) fn start_logging(&self, log: &Path) -> anyhow::Result<(Running, f64)> {
        let file = fs::File::create(log)?;
        let started = self.started(file.try_clone()?.into(), file.into());
        started.with_context(|| fs::read_to_string(log).unwrap_or_default())
    }

    fn started(&self, stdout: Stdio, stderr: Stdio) -> anyhow::Result<(Running, f64)> {
        let begun = Instant::now();
        let child = self.usher().arg("run").stdout(stdout).stderr(stderr).spawn()?;
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

    /// One of the page's metrics, summed over its labels; zero when it is not there yet.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let page = self.get("/metrics")?;
        let of_it = |line: &&str| line.split([' ', '{']).next() == Some(name);
        Ok(page.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// One of the page's metrics, by camera.
    pub(crate) fn metric_by_camera(&self, name: &str) -> anyhow::Result<std::collections::BTreeMap<String, f64>> {
        let page = self.get("/metrics")?;
        let row = |line: &str| {
            let camera = line.strip_prefix(name)?.strip_prefix("{camera=\"")?.split('"').next()?.to_owned();
            Some((camera, line.rsplit(' ').next()?.parse::<f64>().ok()?))
        };
        Ok(page.lines().filter_map(row).collect())
    }

    /// Seconds that a stage has taken so far.
    pub(crate) fn stage_seconds(&self, stage: &str) -> anyhow::Result<f64> {
        let (page, of) = (self.get("/metrics")?, format!("usher_stage_seconds_sum{{stage=\"{stage}\"}} "));
        Ok(page.lines().find_map(|line| line.strip_prefix(&of)?.parse().ok()).unwrap_or(0.0))
    }

    /// Waits until a metric has reached a value.
    pub(crate) fn wait_for(&self, name: &str, least: f64, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.metric(name)? < least {
            if begun.elapsed() > patience {
                bail!("{name} is {} after {patience:?}, not {least}", self.metric(name)?);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The whole answer to `GET path`.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.pages, Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
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
