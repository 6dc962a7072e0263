//! A support bundle helps, and names nobody: canaries in every source of it are in none of its files.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
};

/// What must not be found, in any writing; each of them stands in what the bundle is made from.
const CANARIES: &[&str] = &[
    "mina",
    "seo-yeon",
    "김서연",
    "hunter2",
    "viewuser",
    "st-token-77",
    "letmein",
    "kim min-ji",
    "north park events",
    "privacy@",
    "192.168.50.11",
    "203.0.113.9",
    "4f7c2d1e",
    "ab3de7gh2jkmnpqrstvw",
    "0.0823",
    "0k3rj8",
    "010-1234-5678",
];

fn config(web: SocketAddr) -> String {
    format!(
        "# tablet of Mina\nsite: test-site\ndata: data\ncameras:\n  gate-cam: {{ url: \"rtsp://192.168.50.11/live?key=st-token-77\", \
         login: {{ user: viewuser, password: hunter2 }} }}\ngates: {{ main-gate: {{ cameras: [gate-cam], mode: identification, \
         responsible: \"Kim Min-ji, officer\" }} }}\ngallery: {{ notice: {{ controller: \"North Park Events, 010-1234-5678\", contact: privacy@np.example }} }}\n\
         publish: {{ broker: {{ url: \"mqtt://127.0.0.1:9\", login: {{ user: viewuser, password: letmein }} }} }}\nweb: {{ listen: \"{web}\" }}\n"
    )
}

fn log() -> String {
    let template: Vec<String> = (0..128).map(|at| format!("0.0823{at:03}")).collect();
    format!(
        "2026-11-30T16:15:43.123456Z  WARN camera lost camera=gate-cam reason=Connection refused (os error 111)\n\
         2026-11-30T16:15:44.000001Z  INFO enrolled Mina\nINFO greeting for seo-yeon at main-gate\nINFO 김서연 came\n\
         INFO rtsp://viewuser:hunter2@192.168.50.11/live?key=st-token-77\nINFO from 203.0.113.9\nWARN visitor 4f7c2d1e-90ab-4c1d-8a77-0c4e6b1f2d3c\n\
         INFO pass https://np.example/p#AB3DE7GH2JKMNPQRSTVW\nDEBUG template [{}]\nDEBUG picture data:image/jpeg;base64,0k3rJ8aGVsbG8=\n\
         INFO password letmein\nINFO asked for by Kim Min-ji of North Park Events, privacy@np.example, 010-1234-5678, the tablet of somebody\n",
        template.join(", ")
    )
}

/// A gate that says more than it should; it answers until the test ends.
fn gate() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 1024];
            let read = stream.read(&mut asked).unwrap_or(0);
            let body = if String::from_utf8_lossy(&asked[..read]).starts_with("GET /readyz") {
                r#"{"ready":true,"degraded":["camera gate-cam: refused for viewuser:hunter2","Mina: is here"]}"#
                    .to_owned()
            } else {
                "# HELP usher_x Mina\nusher_camera_lost_total{camera=\"gate-cam\",reason=\"silent\"} 3\n\
                 usher_decisions_total{gate=\"main-gate\",visitor=\"seo-yeon\"} 1\nusher_outbox_depth 7\n"
                    .to_owned()
            };
            let _told = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

fn support(folder: &Path, out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_usher"))
        .args(["support", "--timeout", "1", "--log", "gate.log", "--config", "usher.yaml"])
        .arg(out)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The files of a bundle, by Debian's own tar.
fn files(bundle: &Path, folder: &Path) -> BTreeMap<String, String> {
    let into = folder.join("unpacked");
    fs::create_dir(&into).unwrap();
    assert!(Command::new("tar").arg("-xzf").arg(bundle).arg("-C").arg(&into).status().unwrap().success());
    let names = fs::read_dir(into.join("usher-support")).unwrap().map(|entry| entry.unwrap().path());
    names
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

fn found(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    CANARIES.iter().copied().filter(|canary| text.contains(canary)).collect()
}

fn written() -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let config = config(gate());
    fs::write(at("usher.yaml"), &config).unwrap();
    fs::write(at("gate.log"), log()).unwrap();
    fs::create_dir(at("data")).unwrap();
    fs::write(at("data/gallery.db"), "Mina, 0.0823").unwrap();
    fs::write(at("data/staff.json"), "{\"mina\": 1}").unwrap();
    let (out, sources) = (at("bundle.tar.gz"), config + &log());
    (folder, out, sources)
}

#[test]
fn nobody_no_pass_no_password_and_no_template_gets_into_a_bundle() {
    let (folder, out, sources) = written();
    assert_eq!(found(&sources), CANARIES, "whoever looks for them finds them in what the bundle is made from");
    let output = support(folder.path(), &out);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let files = files(&out, folder.path());
    for (name, text) in &files {
        assert_eq!(found(text), Vec::<&str>::new(), "{name}: {text}");
    }
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(files.values().all(|text| host.trim().len() < 4 || !text.contains(host.trim())), "the host's name is told");

    // And it helps.
    let of = |name: &str| files.get(name).unwrap_or_else(|| panic!("{name} is missing: {:?}", files.keys()));
    assert!(
        of("log.txt").contains("WARN camera lost camera=gate-cam reason=Connection refused (os error 111)"),
        "{}",
        of("log.txt")
    );
    assert_eq!(of("log.txt").lines().count(), log().lines().count());
    assert!(of("metrics.txt").contains("usher_camera_lost_total{camera=\"gate-cam\",reason=\"silent\"} 3\n"));
    assert!(of("metrics.txt").contains("usher_outbox_depth 7\n"));
    let json = |name: &str| serde_json::from_str::<serde_json::Value>(of(name)).unwrap();
    assert_eq!(json("config.json")["gates"]["main-gate"]["mode"], "identification");
    assert_eq!(json("config.json")["cameras"]["gate-cam"]["login"]["password"], "…");
    assert!(
        json("about.json")["kernel"].is_string() && json("about.json")["data"]["files"]["gallery.db"]["bytes"] == 12
    );
    let doctor = json("doctor.json");
    let about = |what: &str| doctor.as_array().unwrap().iter().any(|finding| finding["what"] == what);
    assert!(about("weights") && about("clock") && about("disk") && about("camera gate-cam"), "{doctor}");
    assert_eq!(json("ready.json")["ready"], true);
}

#[test]
fn a_bundle_that_is_there_is_never_written_over() {
    let (folder, out, _) = written();
    fs::write(&out, "an older one").unwrap();
    let output = support(folder.path(), &out);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("name another file"), "{said}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "an older one");
}

#[test]
fn a_configuration_that_is_no_yaml_is_not_told_at_all() {
    let (folder, out, _) = written();
    fs::write(folder.path().join("usher.yaml"), "site: [\npassword: hunter2\nmina: mina\n").unwrap();
    let output = support(folder.path(), &out);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, text) in files(&out, folder.path()) {
        assert_eq!(found(&text), Vec::<&str>::new(), "{name}: {text}");
    }
}
