//! Updates: forged, cut, older or lame ones change nothing; a kill at any step leaves one of the two whole.
//!
//! Real packages, real signatures, the real command; `systemctl` is a script, and the gate's pages a thread of this test that
//! answers as the release that was started last would.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

/// A box on which release 1.0 was installed and runs, and a maker whom it trusts.
struct Site {
    folder: tempfile::TempDir,
}

/// What stands before the words of an end.
const STEPS: [&str; 8] = ["reading", "unpacking", "trying", "writing", "noting", "switching", "starting", "watching"];

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A release: a program that says which it is, and how a gate of it will be (`ready`, `unready`, `worse`, `fails`).
fn release(folder: &Path, version: &str, gate: &str) {
    fs::create_dir_all(folder).unwrap();
    let lame = if gate == "lame" { "echo 'liblame.so: cannot open shared object file' >&2; exit 127" } else { ":" };
    let blind = if gate == "blind" { "echo 'unknown key' >&2; exit 78" } else { ":" };
    let program = format!(
        "#!/bin/sh\n{lame}\ncase \"$1\" in --version) echo usher {version};; check) {blind};; *) exit 2;; esac\n"
    );
    executable(&folder.join("usher"), &program);
    fs::write(folder.join("usher.service"), format!("# unit of {version}\n")).unwrap();
    fs::write(folder.join("gate"), gate).unwrap();
    let about = format!(r#"{{"package":"usher","version":"{version}","architecture":"{}","made":1}}"#, architecture());
    fs::write(folder.join("release.json"), about).unwrap();
}

fn architecture() -> String {
    let output = Command::new("dpkg").arg("--print-architecture").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(site.at("bin")).unwrap();
        let systemctl = format!(
            "#!/bin/sh\ncd {}\ncase \"$*\" in\n  *is-active*) [ -s running ];;\n  daemon-reload|reset-failed*) ;;\n  \
             restart*) echo restart >> restarts; : > running; [ \"$(cat place/current/gate)\" != fails ] || exit 1; cat place/current/gate > running;;\n  \
             *) exit 1;;\nesac\n",
            site.folder.path().display()
        );
        executable(&site.at("bin/systemctl"), &systemctl);
        site.install();
        let key = site.usher(&["update", "key", "maker.key"]);
        assert!(key.status.success(), "{}", said(&key));
        fs::write(site.at("update.pub"), &key.stdout).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let config = format!(
            "site: test\ncameras: {{ c: {{ url: \"rtsp://127.0.0.1:9/\" }} }}\ngates: {{ g: {{ cameras: [c] }} }}\nweb: {{ listen: \"{}\" }}\n",
            listener.local_addr().unwrap()
        );
        fs::write(site.at("usher.yaml"), config).unwrap();
        let running = site.at("running");
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _asked = stream.read(&mut [0; 1024]);
                let body = match fs::read_to_string(&running).unwrap_or_default().trim() {
                    "ready" => r#"{"ready":true,"degraded":["broker: away"]}"#,
                    "worse" => r#"{"ready":true,"degraded":["broker: away","camera c: refused"]}"#,
                    "unready" => r#"{"ready":false,"degraded":[]}"#,
                    _ => continue,
                };
                let _told = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            }
        });
        site
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As dpkg leaves it; a gate runs.
    fn install(&self) {
        let _none = fs::remove_dir_all(self.at("place"));
        release(&self.at("place/packaged"), "1.0", "ready");
        symlink("packaged", self.at("place/current")).unwrap();
        fs::write(self.at("running"), "ready").unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").unwrap());
        command
            .args(words)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("USHER_CONFIG", self.at("usher.yaml"));
        command
    }

    fn usher(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn update(&self, words: &[&str]) -> Output {
        self.usher(
            &[&["update", "--place", "place", "--keys", "update.pub", "--within", "2", "--steady", "0"], words]
                .concat(),
        )
    }

    /// A signed update.
    fn made(&self, version: &str, gate: &str) -> String {
        self.made_for(version, gate, &architecture(), "maker.key")
    }

    fn made_for(&self, version: &str, gate: &str, architecture: &str, key: &str) -> String {
        let tree = self.at("tree");
        let _none = fs::remove_dir_all(&tree);
        release(&tree.join("usr/lib/usher/packaged"), version, gate);
        fs::create_dir(tree.join("DEBIAN")).unwrap();
        let control = format!(
            "Package: usher\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: nobody <n@example.org>\nDescription: test\n"
        );
        fs::write(tree.join("DEBIAN/control"), control).unwrap();
        let (package, file) = (format!("{version}-{gate}.deb"), format!("{version}-{gate}-{architecture}-{key}.usher"));
        let mut build = Command::new("dpkg-deb");
        build.args(["-Zgzip", "--root-owner-group", "--build", "tree", &package]).current_dir(self.folder.path());
        let built = build.output().unwrap();
        assert!(built.status.success(), "{}", said(&built));
        let signed = self.usher(&["update", "sign", "--key", key, &package, "--out", &file]);
        assert!(signed.status.success(), "{}", said(&signed));
        file
    }

    /// Which release is current, by its own word; it is whole.
    fn current(&self) -> String {
        let current = self.at("place/current");
        let output = Command::new(current.join("usher")).arg("--version").output().unwrap();
        let version = String::from_utf8(output.stdout).unwrap().trim().trim_start_matches("usher ").to_owned();
        let unit = fs::read_to_string(current.join("usher.service")).unwrap();
        assert_eq!(unit, format!("# unit of {version}\n"), "program and unit are of one release");
        assert!(fs::read_to_string(current.join("release.json")).unwrap().contains(&version));
        version
    }

    /// What lies in the place, but for links that are kept.
    fn releases(&self) -> Vec<String> {
        let names = |folder: &str| fs::read_dir(self.at(folder)).into_iter().flatten().flatten();
        let mut all: Vec<String> = names("place")
            .chain(names("place/releases"))
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| !["current", "previous", "packaged", "releases", "lock"].contains(&name.as_str()))
            .collect();
        all.sort();
        all
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// Refused with these words, and nothing is different.
fn refused(site: &Site, file: &str, words: &[&str]) {
    let restarts = fs::read(site.at("restarts")).unwrap_or_default();
    let (checked, applied) = (site.update(&["--check", file]), site.update(&[file]));
    for output in [checked, applied] {
        let said = said(&output);
        assert!(!output.status.success() && words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    }
    assert_eq!((site.current().as_str(), site.releases()), ("1.0", Vec::new()));
    assert_eq!(fs::read(site.at("restarts")).unwrap_or_default(), restarts, "the gate was left alone");
}

#[test]
fn a_good_update_runs_and_can_be_taken_back_and_taken_again() {
    let site = Site::new();
    let file = site.made("2.0", "ready");
    let checked = site.update(&["--check", &file]);
    assert!(checked.status.success() && said(&checked).contains("signed, whole, and later"), "{}", said(&checked));
    assert_eq!((site.current().as_str(), site.releases()), ("1.0", Vec::new()), "looking changes nothing");
    let steps = |output: &Output| {
        said(output).lines().map(|line| line.split([' ', ',']).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let applied = site.update(&[&file]);
    assert!(applied.status.success(), "{}", said(&applied));
    assert_eq!(steps(&applied)[..STEPS.len()], STEPS);
    assert_eq!(site.current(), "2.0");
    assert!(said(&site.update(&[&file])).contains("2.0 is in place already"));
    let back = site.update(&["--back"]);
    assert!(back.status.success() && site.current() == "1.0", "{}", said(&back));
    let again = site.update(&["--back"]);
    assert!(again.status.success() && site.current() == "2.0", "{}", said(&again));
    // Three more: what nothing leads to is removed.
    for version in ["2.1", "2.2", "2.10"] {
        let applied = site.update(&[&site.made(version, "ready")]);
        assert!(applied.status.success(), "{}", said(&applied));
    }
    assert_eq!(site.current(), "2.10");
    assert_eq!(site.releases().len(), 2, "{:?}", site.releases());
}

#[test]
fn what_is_forged_cut_older_or_for_others_changes_nothing() {
    let site = Site::new();
    refused(&site, &site.made("0.9", "ready"), &["0.9 is not later than 1.0", "--back"]);
    refused(&site, &site.made("1.0", "ready"), &["1.0 is not later than 1.0"]);
    let other = if architecture() == "amd64" { "arm64" } else { "amd64" };
    refused(&site, &site.made_for("2.0", "ready", other, "maker.key"), &[other, "take the file for"]);
    assert!(site.usher(&["update", "key", "other.key"]).status.success());
    refused(
        &site,
        &site.made_for("2.0", "ready", &architecture(), "other.key"),
        &["not signed by a key in update.pub"],
    );
    let file = site.made("2.0", "ready");
    let bytes = fs::read(site.at(&file)).unwrap();
    fs::write(site.at("cut.usher"), &bytes[..bytes.len() - 100]).unwrap();
    refused(&site, "cut.usher", &["copy the file anew"]);
    let mut forged = bytes.clone();
    *forged.last_mut().unwrap() ^= 1;
    fs::write(site.at("forged.usher"), &forged).unwrap();
    refused(&site, "forged.usher", &["not signed by a key in update.pub"]);
    // An older release under a newer head that was never signed.
    let text = String::from_utf8_lossy(&bytes[..200]).replace("\"2.0\"", "\"3.0\"");
    fs::write(site.at("raised.usher"), [text.as_bytes(), &bytes[200..]].concat()).unwrap();
    refused(&site, "raised.usher", &["not signed by a key in update.pub"]);
    fs::write(site.at("update.pub"), "# nobody\n").unwrap();
    refused(&site, &file, &["write the maker's public key into it"]);
    assert_eq!(site.update(&[&file]).status.code(), Some(78));
}

#[test]
fn a_release_that_does_not_run_here_is_never_switched_to() {
    let site = Site::new();
    for (gate, word) in [("lame", "liblame.so"), ("blind", "unknown key")] {
        let output = site.update(&[&site.made("2.0", gate)]);
        let said = said(&output);
        assert!(!output.status.success() && said.contains(word) && said.contains("nothing was changed"), "{said}");
        assert_eq!((site.current().as_str(), site.releases()), ("1.0", Vec::new()));
    }
    assert!(!site.at("restarts").exists(), "the gate was left alone");
}

#[test]
fn a_release_whose_gate_is_worse_is_taken_back_by_itself() {
    let site = Site::new();
    for (gate, reason) in
        [("fails", "systemctl restart"), ("unready", "not ready"), ("worse", "not as before: camera c")]
    {
        let output = site.update(&[&site.made("2.0", gate)]);
        let said = said(&output);
        assert!(!output.status.success() && said.contains(reason), "{gate}: {said}");
        assert!(said.contains("what ran before runs again"), "{gate}: {said}");
        assert_eq!((site.current().as_str(), site.releases()), ("1.0", Vec::new()));
        assert_eq!(fs::read_to_string(site.at("running")).unwrap().trim(), "ready");
        assert!(site.update(&["--back"]).status.code() == Some(1), "there is nothing to go back to");
    }
}

#[test]
fn where_no_gate_runs_none_is_started() {
    let site = Site::new();
    fs::write(site.at("running"), "").unwrap();
    let output = site.update(&[&site.made("2.0", "fails")]);
    assert!(output.status.success() && said(&output).contains("none was started"), "{}", said(&output));
    assert_eq!(site.current(), "2.0");
    assert!(!site.at("restarts").exists());
}

/// `USHER_KILLS`: how many kills at each step; each comes some time after the step began.
#[test]
fn a_kill_at_any_step_leaves_one_of_the_two_whole() {
    let kills: u64 = std::env::var("USHER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(4);
    let site = Site::new();
    let (good, bad) = (site.made("2.0", "ready"), site.made("2.0", "unready"));
    let mut cut = [0; 2];
    for (step, round) in (0..STEPS.len() + 1).flat_map(|step| (0..kills).map(move |round| (step, round))) {
        site.install();
        // Every other one is an update that would be taken back.
        let is_good = round % 2 == 0;
        let file = if is_good { &good } else { &bad };
        let words = ["update", "--place", "place", "--keys", "update.pub", "--within", "1", "--steady", "0", file];
        let mut child = site.command(&words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let _last = lines.take(step + 1).last();
        thread::sleep(Duration::from_micros(round * round * 700 % 9000));
        child.kill().unwrap();
        let _ended = child.wait().unwrap();
        let then = site.current();
        cut[usize::from(then == "2.0")] += 1;
        // The next boot, or whoever asks next.
        let settled = site.update(&["--settle"]);
        let after = site.current();
        assert!(
            !site.at("place/trial").exists()
                && site.releases().iter().all(|name| !name.contains(".new") && name != ".draft"),
            "{step}.{round}: {}",
            said(&settled)
        );
        assert!(after == "1.0" || (is_good && after == "2.0"), "{step}.{round}: {after} stays: {}", said(&settled));
        assert_eq!(fs::read_to_string(site.at("running")).unwrap().trim(), "ready", "{step}.{round}: a good gate runs");
        let again = site.update(&[&good]);
        assert!(again.status.success() && site.current() == "2.0", "{step}.{round}: {}", said(&again));
    }
    assert!(cut.iter().all(|count| *count > 0), "kills came before and after the switch: {cut:?}");
    println!("{} kills, {} left the old release, {} the new one", cut[0] + cut[1], cut[0], cut[1]);
}
