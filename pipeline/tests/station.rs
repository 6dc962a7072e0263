//! The enrolment station: the real program, a real browser with a camera, the real API over TLS.
//!
//! Node drives both (`pipeline/web/tests/{station,enrol}.gate.mjs`). The camera's clip is made here of a demo picture.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;

use gate::{Box, free, pictures, root};
use image::{ImageFormat, imageops};
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use std::{
    fs,
    io::{self, Cursor, Read as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

/// Half of the gates compare everybody, half only who shows a pass, so that visitors are offered both.
fn station(enrol: SocketAddr) -> Box {
    let absent = [free(), free()];
    // Whenever tests run, the event goes on for some days.
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(6 * 24);
    Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\n\
             cameras: {{ a: {{ url: \"rtsp://{}/a\" }}, b: {{ url: \"rtsp://{}/b\" }} }}\n\
             gates:\n  east: {{ cameras: [a], mode: identification, responsible: the test }}\n  west: {{ cameras: [b] }}\n\
             gallery:\n  event_ends: \"{ends}\"\n  keep: 24 h\n\
             \x20 notice: {{ controller: The Test Venue, contact: privacy@test.example }}\n\
             guide: {{ programme: programme.yaml }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\", enrol: {{ listen: \"{enrol}\" }} }}\n",
            absent[0], absent[1]
        )
    })
    .unwrap()
}

/// Head and shoulders of a demo picture as a tablet's camera sees them: one frame, and a stream of it.
fn clip(folder: &Path) -> (PathBuf, PathBuf) {
    let whole = image::open(pictures().unwrap().join("face-recognition/obama.jpg")).unwrap().into_rgb8();
    let height = whole.width() * 3 / 4;
    let head = imageops::crop_imm(&whole, 0, 0, whole.width(), height.min(whole.height())).to_image();
    let frame = imageops::resize(&head, 1280, 960, imageops::FilterType::Triangle);
    let mut jpeg = Cursor::new(Vec::new());
    frame.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let (picture, film) = (folder.join("frame.jpg"), folder.join("face.mjpeg"));
    fs::write(&picture, jpeg.get_ref()).unwrap();
    fs::write(&film, jpeg.get_ref().repeat(10)).unwrap();
    (picture, film)
}

#[test]
fn visitors_enrol_themselves_and_are_forgotten_by_their_pass() {
    let folder = root().join("pipeline/web");
    assert!(folder.join("node_modules/axe-core").is_dir(), "axe-core is not there; run `make pages`");
    let enrol = free();
    let gate = station(enrol);
    let log = gate.folder.path().join("usher.log");
    let (running, _) = gate.start_logging(&log).unwrap();
    let said = fs::read_to_string(&log).unwrap();
    let token = said.lines().find_map(|line| line.strip_prefix("token")?.split_whitespace().next()).unwrap();
    let page = said.lines().find_map(|line| line.strip_prefix("enrol")).unwrap().trim();
    assert_eq!(page, format!("https://{enrol}/enrol"));
    let (picture, film) = clip(gate.folder.path());
    for script in ["tests/enrol.gate.mjs", "tests/staff.gate.mjs", "tests/station.gate.mjs"] {
        let status = Command::new("node")
            .args(["--test", script])
            .current_dir(&folder)
            .env("USHER_URL", format!("https://{enrol}"))
            .env("USHER_PAGES", format!("http://{}", gate.pages))
            .env("USHER_TOKEN", token)
            .env("USHER_PICTURE", &picture)
            .env("USHER_CLIP", &film)
            .status()
            .expect("node starts; `make test-packages` installs it");
        assert!(status.success(), "{script}: node's report is above");
    }
    drop(running);

    let verified = gate.usher().args(["audit", "verify", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["whole"], true, "{report}");
    let said = fs::read_to_string(&log).unwrap();
    assert!(!said.contains("Zoë") && !said.contains("Mallory"), "a name was logged");
    assert!(gate.data().join("tls/box.key").is_file());
}

/// What only a box that is told what to answer shows: trouble of every kind.
#[test]
fn the_page_says_what_is_wrong_and_where_it_is_mended() {
    let told = ["--test-name-pattern", "hints, sides|every refusal|only staff open", "tests/enrol.gate.mjs"];
    for arguments in [told.as_slice(), &["tests/staff.gate.mjs"]] {
        let status = Command::new("node")
            .arg("--test")
            .args(arguments)
            .current_dir(root().join("pipeline/web"))
            .env_remove("USHER_URL")
            .status()
            .expect("node starts; `make test-packages` installs it");
        assert!(status.success(), "{arguments:?}: node's report is above");
    }
}

#[test]
fn the_document_of_the_api_is_fresh() {
    let path = root().join("docs/api/openapi.json");
    let made = serde_json::to_string_pretty(&usher::web::enrol::openapi::document()).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "docs/api/openapi.json is stale: run `BLESS=1 cargo test --release -p usher --test station`"
    );
    assert!(made.contains("\"openapi\": \"3.1.0\"") && made.contains("/api/pass/forget"));
}

/// What an auditor does with a receipt: the very text that was agreed to, on any later day.
#[test]
fn the_notice_of_any_record_can_be_printed_again() {
    let gate = station(free());
    let usher = |arguments: &[&str]| gate.usher().args(arguments).output().unwrap();
    let enrolled = usher(&[
        "enrol",
        "--agreed",
        "--name",
        "Ada",
        "--sport",
        "Judo",
        "--keep",
        "95 min",
        "--language",
        "fr",
        "--json",
    ]);
    let enrolled: Value = serde_json::from_slice(&enrolled.stdout).unwrap();
    let told = &enrolled["receipt"]["receipt"]["pii_processing"];
    let (hash, until) = (told["privacy_notice"]["sha256"].as_str().unwrap(), told["retention_until"].as_str().unwrap());
    let found = usher(&["notice", "--sha256", hash, "--until", until, "--json"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&found["found"], &found["language"], &found["face"]), (&true.into(), &"fr".into(), &false.into()));
    let printed = usher(&["notice", "--no-face", "--language", "fr", "--until", until, "--json"]);
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!((&printed["text"], printed["sha256"].as_str()), (&found["text"], Some(hash)));

    let today = usher(&["notice", "--sha256", hash]);
    assert_eq!(today.status.code(), Some(1), "the event's end is another");
    assert!(String::from_utf8_lossy(&today.stdout).contains("as --until"), "{today:?}");
    let other = usher(&["notice", "--sha256", hash, "--until", until, "--custody", "choice"]);
    assert_eq!(other.status.code(), Some(1), "that was not what they agreed to");
}

/// A clock that showed 2040 for ten minutes, as the gallery remembers it.
#[test]
fn a_floor_that_is_far_ahead_is_told_and_staff_bring_it_down() {
    let gate = station(free());
    let usher = |arguments: &[&str]| gate.usher().args(arguments).output().unwrap();
    assert!(usher(&["enrol", "--agreed", "--name", "Ada", "--sport", "Judo"]).status.success());
    let db = rusqlite::Connection::open(gate.data().join("gallery.db")).unwrap();
    let far = 2_208_988_800_000_i64.to_le_bytes();
    db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('floor', ?1)", [far]).unwrap();
    drop(db);
    let log = gate.folder.path().join("usher.log");
    let (running, _) = gate.start_logging(&log).unwrap();
    let is_told = || gate.get("/readyz").unwrap().contains("the time floor is more than a day ahead of the clock");
    let begun = Instant::now();
    while !is_told() {
        assert!(begun.elapsed() < Duration::from_secs(10), "health does not tell");
        std::thread::sleep(Duration::from_millis(50));
    }
    let now = jiff::Timestamp::now().to_string();
    let lower = |time: &str| usher(&["audit", "lower-floor", "--by", "Kim, desk", "--time", time]);
    let refused = lower(&now);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop the gate first"), "{refused:?}");
    drop(running);
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(said.matches("the time floor is far ahead of the clock").count(), 1, "{said}");
    assert!(said.contains("usher audit lower-floor"), "{said}");

    let wrong = lower("1999-12-31T23:59");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("set the clock first"), "{wrong:?}");
    let lowered = lower(&now);
    assert!(
        lowered.status.success() && String::from_utf8_lossy(&lowered.stdout).contains("came down from 20"),
        "{lowered:?}"
    );
    assert!(usher(&["audit", "verify"]).status.success());
    assert!(usher(&["enrol", "--agreed", "--name", "Ada", "--sport", "Judo"]).status.success());
    let (_running, _) = gate.start().unwrap();
    assert!(!is_told(), "clock and floor agree again");
}

/// Connections from an address of this machine that say nothing.
async fn silent(from: [u8; 4], to: SocketAddr) -> io::Result<tokio::net::TcpStream> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// The answer to one request over TLS, by the authority that the box made.
fn ask(stream: std::net::TcpStream, authority: &Path) -> anyhow::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut tls = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
    let mut stream = stream;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut stream = rustls::Stream::new(&mut tls, &mut stream);
    stream.write_all(b"GET /api/enrol HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A crowd that opens connections and says nothing: the gate has its descriptors, and an honest visitor is served.
#[test]
fn strangers_who_open_connections_without_end_keep_nobody_else_out() {
    let enrol = free();
    let gate = station(enrol);
    let (running, _) = gate.start().unwrap();
    let authority = gate.data().join("tls/ca.crt");
    let open = || fs::read_dir(format!("/proc/{}/fd", running.0.id())).unwrap().count();
    let before = open();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let crowd = |from: [u8; 4], many: usize| -> Vec<tokio::net::TcpStream> {
        runtime.block_on(async {
            let mut crowd = Vec::new();
            for _ in 0..many {
                crowd.extend(silent(from, enrol).await);
            }
            crowd
        })
    };
    // Until so many of them have a seat, and no more: those for whom there is none are closed at once. The gate's own
    // descriptors come and go meanwhile: a few of what was open before may be closed by now.
    let own = 8;
    let seated = |seats: usize| {
        let begun = Instant::now();
        while !((before + seats).saturating_sub(own)..=before + seats + own).contains(&open()) {
            assert!(begun.elapsed() < Duration::from_secs(8), "{} descriptors, {before} before", open());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let visitor = |from| runtime.block_on(silent(from, enrol)).and_then(tokio::net::TcpStream::into_std);

    let one = crowd([127, 0, 0, 1], 100);
    assert_eq!(one.len(), 100);
    seated(64);
    assert!(ask(visitor([127, 0, 0, 1]).unwrap(), &authority).is_err(), "its share is taken");
    let answer = ask(visitor([127, 0, 0, 2]).unwrap(), &authority).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"open\":false"), "{answer}");

    // All of them together have what is set aside for the page.
    let many: Vec<_> = (3..9).flat_map(|last| crowd([127, 0, 0, last], 64)).collect();
    assert_eq!(many.len(), 6 * 64);
    seated(256);
    for _ in 0..3 {
        assert!(gate.get("/readyz").unwrap().starts_with("HTTP/1.1 200"), "the other pages answer");
        assert!(std::net::TcpStream::connect(gate.mqtt).is_ok(), "the broker answers");
    }
    assert!(gate.metric("usher_skipped_total").unwrap() >= 150.0, "and it is counted");

    drop((one, many));
    seated(0);
    let answer = ask(visitor([127, 0, 0, 1]).unwrap(), &authority).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "when they have gone, nobody is held to account for them: {answer}");
}

#[test]
fn staff_have_tokens_of_their_own_that_are_kept_as_hashes() {
    let gate = station(free());
    let usher = |arguments: &[&str]| gate.usher().args(arguments).output().unwrap();
    let added = usher(&["staff", "add", "desk-1"]);
    let token = String::from_utf8(added.stdout).unwrap().trim().to_owned();
    assert_eq!(token.len(), 32);
    assert_eq!(String::from_utf8(usher(&["staff", "list"]).stdout).unwrap().trim(), "desk-1");
    assert!(!fs::read_to_string(gate.data().join("staff.json")).unwrap().contains(&token));
    assert!(usher(&["staff", "remove", "desk-1"]).status.success());
    let again = usher(&["staff", "remove", "desk-1"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("`usher staff list` shows who has"));
}
