//! The Debian package: what is in it, whose it is, what its scripts do; the same bytes each time. No network.
//!
//! `make test-deb` does more: a fresh Debian root with every dependency.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;

use gate::root;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

/// Built once for all tests here.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| build("package"));

fn build(name: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = Command::new(root().join("debian/build.sh"))
        .arg(&out)
        .arg(env!("CARGO_BIN_EXE_usher"))
        .env("SOURCE_DATE_EPOCH", "1780000000")
        .env("CARGO_NET_OFFLINE", "true")
        .env("USHER_DEB_COMPRESS", "-Zgzip -z1")
        .env("DEB_BUILD_OPTIONS", "noautodbgsym")
        .env_remove("VERSION")
        .output()
        .unwrap();
    assert!(output.status.success(), "debhelper is there? `make test` installs it: {}", said(&output));
    out
}

fn package(folder: &Path, name: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{name}_"));
    files.filter(|path| path.extension().is_some_and(|extension| extension == "deb")).find(named).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn asked(program: &str, words: &[&str], path: &Path) -> String {
    let output = Command::new(program).args(words).arg(path).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{program} {words:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Rights and owner of everything inside, by path; links with where they lead.
fn contents(package: &Path) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields[5..].join(" ").trim_start_matches('.').to_owned(), format!("{} {}", fields[0], fields[1]))
    };
    asked("dpkg-deb", &["--contents"], package).lines().map(line).collect()
}

/// One file of the package.
fn file(package: &Path, name: &str) -> String {
    let mut taken = Command::new("sh");
    taken.args(["-c", r#"dpkg-deb --fsys-tarfile "$1" | tar -xO ".$2""#, "-"]).arg(package).arg(name);
    let output = taken.output().unwrap();
    assert!(output.status.success(), "{name}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn everything_a_gate_needs_is_in_the_package_and_is_roots() {
    let package = package(&BUILT, "usher");
    let contents = contents(&package);
    for (name, about) in &contents {
        assert!(about.ends_with(" root/root"), "{name}: {about}");
        let rights = &about[1..10];
        let is_link = about.starts_with('l');
        assert!(
            is_link || !rights.contains(['s', 't']) && &rights[7..8] != "w",
            "{name} may do, or be changed, too much: {about}"
        );
    }
    for name in [
        "/usr/lib/usher/packaged/usher",
        "/usr/lib/usher/packaged/usher.service",
        "/usr/lib/usher/packaged/release.json",
        "/usr/bin/usher -> ../lib/usher/current/usher",
        "/usr/lib/usher/current -> packaged",
        "/lib/systemd/system/usher.service -> /usr/lib/usher/current/usher.service",
        "/lib/systemd/system/usher-update.service",
        "/usr/lib/sysusers.d/usher.conf",
        "/usr/lib/tmpfiles.d/usher.conf",
        "/usr/share/man/man1/usher.1.gz",
        "/usr/share/man/man1/usher-doctor.1.gz",
        "/usr/share/man/man1/usher-update-sign.1.gz",
        "/usr/share/bash-completion/completions/usher",
        "/usr/share/zsh/vendor-completions/_usher",
        "/usr/share/fish/vendor_completions.d/usher.fish",
        "/usr/share/doc/usher/copyright",
        "/usr/share/doc/usher/usher.cdx.json",
        "/usr/share/doc/usher/examples/usher.yaml",
        "/usr/share/usher/usher.schema.json",
    ] {
        assert!(contents.contains_key(name), "{name} is missing: {:?}", contents.keys());
    }
    let control = asked("dpkg-deb", &["--field"], &package);
    for need in
        ["libgstreamer1.0-0", "libc6", "gstreamer1.0-libav", "gstreamer1.0-plugins-bad", "glib-networking", "systemd"]
    {
        assert!(control.contains(need), "{need} is no dependency: {control}");
    }
    let release: Value = serde_json::from_str(&file(&package, "/usr/lib/usher/packaged/release.json")).unwrap();
    assert!(control.contains(&format!("Version: {}", release["version"].as_str().unwrap())));
    assert!(file(&package, "/usr/share/bash-completion/completions/usher").contains("doctor"));
    let signage = self::contents(&self::package(&BUILT, "usher-signage"));
    assert!(signage.contains_key("/lib/systemd/system/usher-signage.service"), "{signage:?}");
}

#[test]
fn the_same_binary_and_time_give_the_same_bytes() {
    let (first, again) = (package(&BUILT, "usher"), build("package-again"));
    assert!(fs::read(first).unwrap() == fs::read(package(&again, "usher")).unwrap(), "two builds differ");
}

#[test]
fn the_bill_names_what_is_linked_and_nothing_else() {
    let package = package(&BUILT, "usher");
    let bill: Value = serde_json::from_str(&file(&package, "/usr/share/doc/usher/usher.cdx.json")).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let parts = bill["components"].as_array().unwrap();
    let names: BTreeSet<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    for linked in ["ring", "rusqlite", "sqlite", "candle-core", "gstreamer", "mqtt", "uqr", "usher-models"] {
        assert!(names.contains(linked), "{linked} is missing");
    }
    for other in ["proptest", "jsonschema", "serde_derive", "typescript", "esbuild", "playwright-core"] {
        assert!(!names.contains(other), "{other} is in no binary");
    }
    let refs: BTreeSet<&str> = parts.iter().map(|part| part["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(refs.len(), parts.len(), "each stands there once");
    let needs = bill["dependencies"].as_array().unwrap();
    let root = bill["metadata"]["component"]["bom-ref"].as_str().unwrap();
    for need in needs.iter().flat_map(|need| need["dependsOn"].as_array().unwrap()) {
        let need = need.as_str().unwrap();
        assert!(refs.contains(need) || need == root, "{need} is needed and not named");
    }
    for part in parts.iter().filter(|part| !part["name"].as_str().unwrap().starts_with("usher")) {
        assert!(part["licenses"][0]["expression"].is_string(), "{} has no licence", part["name"]);
    }
    let copyright = file(&package, "/usr/share/doc/usher/copyright");
    for part in parts.iter().filter(|part| !part["name"].as_str().unwrap().starts_with("usher")) {
        let stanza = format!("/{}-{}/*\n", part["name"].as_str().unwrap(), part["version"].as_str().unwrap());
        assert!(copyright.contains(&stanza), "whose {stanza} is, is not told");
    }
}

/// dpkg on a folder of its own, with the scripts told so (`DPKG_ROOT`).
fn dpkg(root: &Path, words: &[&str], package: Option<&Path>) -> Output {
    let mut dpkg = Command::new("dpkg");
    dpkg.arg(format!("--root={}", root.display())).args([
        "--force-script-chrootless",
        "--force-depends",
        "--force-confold",
    ]);
    dpkg.args(words)
        .args(package)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    dpkg.output().unwrap()
}

fn everything(root: &Path) -> BTreeSet<String> {
    asked("find", &[], root)
        .lines()
        .filter(|path| !path.contains("/var/lib/dpkg") && !path.contains("/etc/"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn it_installs_updates_over_itself_and_purges_and_says_what_that_destroys() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        println!("this is not root: the package was NOT installed into a folder");
        return;
    }
    let (folder, package) = (tempfile::tempdir().unwrap(), package(&BUILT, "usher"));
    let at = |name: &str| folder.path().join(name);
    for name in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "var/log", "usr"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    fs::write(at("var/lib/dpkg/status"), "").unwrap();
    fs::write(at("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(at("etc/group"), "root:x:0:\nvideo:x:44:\nrender:x:106:\n").unwrap();
    let before = everything(folder.path());
    let installed = dpkg(folder.path(), &["--install"], Some(&package));
    assert!(installed.status.success(), "{}", said(&installed));
    assert!(said(&installed).contains("not started: write /etc/usher/usher.yaml first"), "{}", said(&installed));
    assert!(fs::read_to_string(at("etc/passwd")).unwrap().contains("\nusher:"), "no user was made");
    let wanted = |unit: &str| at("etc/systemd/system/multi-user.target.wants").join(unit).is_symlink();
    assert!(!wanted("usher.service"), "a gate that nobody configured was enabled");
    let rights = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((rights("var/lib/usher"), rights("etc/usher"), rights("etc/usher/usher.yaml")), (0o700, 0o750, 0o640));
    let runs = Command::new(at("usr/bin/usher")).arg("--version").output().unwrap();
    assert!(runs.status.success() && said(&runs).starts_with("usher "), "{}", said(&runs));
    let checked =
        Command::new(at("usr/bin/usher")).args(["check", "--config"]).arg(at("etc/usher/usher.yaml")).output().unwrap();
    assert_eq!(checked.status.code(), Some(78), "a gate that nobody configured does not start: {}", said(&checked));

    // What the site has written stays, and dpkg's release is current again whatever an update had made current.
    fs::write(at("etc/usher/usher.yaml"), "site: mine\n").unwrap();
    fs::create_dir_all(at("usr/lib/usher/releases/9")).unwrap();
    fs::remove_file(at("usr/lib/usher/current")).unwrap();
    std::os::unix::fs::symlink("releases/9", at("usr/lib/usher/current")).unwrap();
    let again = dpkg(folder.path(), &["--install"], Some(&package));
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(fs::read_to_string(at("etc/usher/usher.yaml")).unwrap(), "site: mine\n");
    assert_eq!(fs::read_link(at("usr/lib/usher/current")).unwrap(), Path::new("packaged"));

    for name in ["gallery.key", "gallery.db", "audit.log"] {
        fs::write(at("var/lib/usher").join(name), "sealed").unwrap();
    }
    let removed = dpkg(folder.path(), &["--remove", "usher"], None);
    assert!(removed.status.success() && said(&removed).contains("stays"), "{}", said(&removed));
    assert!(
        at("var/lib/usher/gallery.key").exists() && at("etc/usher/usher.yaml").exists(),
        "removing destroys nothing"
    );
    assert!(!at("usr/lib/usher").exists(), "what an update brought goes with the program");
    let purged = dpkg(folder.path(), &["--purge", "usher"], None);
    let told = said(&purged);
    assert!(purged.status.success(), "{told}");
    for word in ["the box key, first", "everybody enrolled, their templates and their consents", "the audit log"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert!(!at("var/lib/usher").exists() && !at("etc/usher").exists());
    let left: Vec<String> =
        everything(folder.path()).difference(&before).filter(|path| path.contains("usher")).cloned().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn lintian_finds_no_error() {
    let mut lintian = Command::new("lintian");
    lintian
        .args(["--allow-root", "--fail-on", "error"])
        .arg(package(&BUILT, "usher"))
        .arg(package(&BUILT, "usher-signage"));
    let output = lintian.output().expect("lintian is there; `make test` installs it");
    assert!(output.status.success(), "{}", said(&output));
}
