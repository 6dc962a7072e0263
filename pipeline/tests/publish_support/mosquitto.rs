//! A real mosquitto.

use super::{free_port, until};
use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A real mosquitto, ended by its process id.
pub struct Mosquitto {
    pub port: u16,
    pub folder: tempfile::TempDir,
    child: Option<Child>,
}

impl Mosquitto {
    pub fn start() -> Self {
        Self::with("allow_anonymous true\n")
    }

    pub fn with(extra: &str) -> Self {
        Self::new(extra).started()
    }

    /// At `port`.
    pub fn at(port: u16, extra: &str) -> Self {
        let broker = Self { port, folder: tempfile::tempdir().unwrap(), child: None };
        broker.says(extra);
        broker.started()
    }

    /// Not yet started: `extra` may name files in FOLDER that are to be written first.
    pub fn new(extra: &str) -> Self {
        let broker = Self { port: free_port(), folder: tempfile::tempdir().unwrap(), child: None };
        broker.says(extra);
        broker
    }

    #[must_use]
    pub fn started(mut self) -> Self {
        self.up();
        self
    }

    /// What it reads at its next start.
    pub fn says(&self, extra: &str) {
        let path = self.folder.path().display().to_string();
        // One that counts what is under way without a limit hangs up on whoever publishes what it forbids.
        let limits = if extra.contains("acl_file") { "" } else { "max_inflight_messages 0\nmax_queued_messages 0\n" };
        let config = format!(
            "listener {} 127.0.0.1\nuser root\npersistence true\npersistence_location {path}/\nautosave_interval 1\n\
             autosave_on_changes true\n{limits}queue_qos0_messages true\n{}",
            self.port,
            extra.replace("FOLDER", &path)
        );
        std::fs::write(self.config(), config).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("mosquitto.conf")
    }

    pub fn up(&mut self) {
        let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
        let program = program.into_iter().find(|path| Path::new(path).exists());
        let program = program.expect("this test needs mosquitto: apt-get install mosquitto");
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(program).arg("-c").arg(self.config()).stdout(Stdio::null()).stderr(log).spawn();
        self.child = Some(child.unwrap());
        until("mosquitto listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends it in order: it stores its sessions.
    pub fn stop(&mut self) {
        self.signal("-TERM");
        self.child.take().unwrap().wait().unwrap();
    }

    /// Waits until the session of `client` is on its disk.
    pub fn keeps(&self, client: &str) {
        self.signal("-USR1");
        let file = self.folder.path().join("mosquitto.db");
        until("mosquitto stores the session", || {
            std::fs::read(&file).is_ok_and(|bytes| bytes.windows(client.len()).any(|w| w == client.as_bytes()))
        });
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}
