//! The stolen disk: whoever has every file of a box finds nobody's face, and with a pass in the visitor's hand not even with
//! the box key.
//!
//! A real face is enrolled by the real program while a gate runs, in both modes, seen again and forgotten. Then every file of
//! the folder is searched for the template in every form that it might lie there in, for names, and for the picture.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use gate::{Box, pictures};
use std::{
    fs,
    path::{Path, PathBuf},
};
use usher::gallery::{
    key::{BoxKey, Custody as KeyFile},
    pass::PassSecret,
    store::Store,
    visitor::Custody,
};

const NAME: &str = "Wilhelmina Canary-Testperson";

/// Numbers in a row that count as found: by chance they are nowhere.
const RUN: usize = 6;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.is_symlink())
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    let first = needle[0];
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| *byte == first) {
        from += at;
        if haystack[from..].starts_with(needle) {
            return true;
        }
        from += 1;
    }
    false
}

/// The number as IEEE half precision; only what a template holds: finite, below one.
fn half(value: f32) -> u16 {
    half::f16::from_f32(value).to_bits()
}

/// A template's bytes in every form, by name.
fn forms(template: &[f32]) -> Vec<(String, Vec<u8>)> {
    let part = &template[20..20 + RUN];
    let largest = template.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let bytes = |each: &dyn Fn(f32) -> Vec<u8>| part.iter().flat_map(|v| each(*v)).collect::<Vec<u8>>();
    let mut forms = vec![
        ("f32, little endian".to_owned(), bytes(&|v| v.to_le_bytes().to_vec())),
        ("f32, big endian".to_owned(), bytes(&|v| v.to_be_bytes().to_vec())),
        ("f16, little endian".to_owned(), bytes(&|v| half(v).to_le_bytes().to_vec())),
        ("f16, big endian".to_owned(), bytes(&|v| half(v).to_be_bytes().to_vec())),
        ("f64, little endian".to_owned(), bytes(&|v| f64::from(v).to_le_bytes().to_vec())),
    ];
    // Eight bits by the largest number, as an index of ours would; more of them, since each says less.
    let codes: Vec<u8> = template[20..44].iter().map(|v| (v / largest * 127.0).round() as i8 as u8).collect();
    forms.push(("i8".to_owned(), codes));
    let raw: Vec<(String, Vec<u8>)> = forms.clone();
    for (name, bytes) in raw {
        // A stretch may begin at any of three places of a group of base64.
        for skip in 0..3.min(bytes.len()) {
            let whole = &bytes[skip..skip + (bytes.len() - skip) / 3 * 3];
            forms.push((format!("{name}, base64"), BASE64.encode(whole).into_bytes()));
            forms.push((format!("{name}, base64url"), BASE64URL_NOPAD.encode(whole).into_bytes()));
        }
        forms.push((format!("{name}, hexadecimal"), HEXLOWER.encode(&bytes).into_bytes()));
    }
    let text = part.iter().map(|v| format!("{v}")).collect::<Vec<_>>();
    forms.push(("decimal text".to_owned(), text.join(",").into_bytes()));
    forms
}

fn found(folder: &Path, forms: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files_below(folder) {
        let bytes = fs::read(&file).unwrap();
        let hits = forms.iter().filter(|(_, form)| holds(&bytes, form));
        found.extend(hits.map(|(name, _)| format!("{}: {name}", file.display())));
    }
    found
}

#[test]
fn a_template_in_any_form_would_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let template: Vec<f32> = (0..128).map(|i| ((i * 37 % 101) as f32 - 50.0) / 600.0).collect();
    let forms = forms(&template);
    assert!(forms.len() > 40);
    assert!(found(folder.path(), &forms).is_empty());
    for (name, bytes) in &forms {
        fs::write(folder.path().join("leak"), [b"xyz".as_slice(), bytes, b"rest"].concat()).unwrap();
        assert!(found(folder.path(), &forms).iter().any(|hit| hit.ends_with(name.as_str())), "{name}");
    }
}

#[test]
fn no_file_holds_a_face_a_name_or_a_picture_in_either_mode() {
    for (custody, mode) in
        [(Custody::Box, "mode: identification, responsible: the test"), (Custody::Visitor, "mode: pass")]
    {
        let picture = pictures().unwrap().join("face-recognition/obama.jpg");
        let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
            format!(
                "site: test\ndata: data\ncameras:\n  cam: {{ url: \"file:{}\" }}\ngates:\n  gate: {{ cameras: [cam], {mode} }}\n\
                 publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
                 web: {{ listen: \"{pages}\" }}\n",
                picture.display()
            )
        })
        .unwrap();
        let (running, _) = gate.start_logging(&gate.folder.path().join("usher.log")).unwrap();
        let limits = fs::read_to_string(format!("/proc/{}/limits", running.0.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "no core may be dumped: {core}");
        let enrolled = gate.enrol(NAME, "Judo", &picture).unwrap();
        let said = String::from_utf8(enrolled.stdout).unwrap();
        let pass = said.lines().find_map(|line| line.strip_prefix("pass ")).unwrap();
        let pass = PassSecret::of(pass).unwrap();

        let path = gate.data().join("gallery.db");
        let key = BoxKey::open(&KeyFile::File(gate.data().join("gallery.key")), &path).unwrap();
        let mut store = Store::open(&path, key).unwrap();
        let loaded = store.load_all().unwrap();
        let by_box = usize::from(custody == Custody::Box);
        // With the box key, all that a thief of box and key has in mode `pass` is rows that do not open.
        assert_eq!((loaded.people.len(), loaded.locked), (by_box, 1 - by_box));
        let person = store.unlock(&pass).unwrap().unwrap();
        assert_eq!(person.visitor.custody, custody);
        let mut forms: Vec<_> = person.templates.iter().flat_map(|template| forms(template.vector())).collect();
        forms.push(("the name".to_owned(), NAME.as_bytes()[..9].to_vec()));
        forms.push(("the pass".to_owned(), pass.reveal().as_bytes()[..10].to_vec()));
        let original = fs::read(&picture).unwrap();
        forms.push(("the picture".to_owned(), original[original.len() / 2..][..64].to_vec()));
        let hits = found(gate.folder.path(), &forms);
        assert!(hits.is_empty(), "{custody:?}, enrolled: {hits:?}");

        // The sealed row itself is there while somebody is enrolled, and nowhere once they are forgotten.
        let sealed = {
            let db = rusqlite::Connection::open(&path).unwrap();
            let all = "SELECT wrapped FROM visitor UNION ALL SELECT sealed FROM template UNION ALL SELECT sealed FROM consent";
            let mut rows = db.prepare(all).unwrap();
            let found = rows.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
            found.map(|bytes| bytes.unwrap()[24..48].to_vec()).collect::<Vec<_>>()
        };
        assert!(sealed.len() >= 3);
        let cipher: Vec<_> = sealed.into_iter().map(|bytes| ("a sealed value".to_owned(), bytes)).collect();
        assert!(!found(gate.folder.path(), &cipher).is_empty(), "the scan reads the right files");
        store.forget_by(&pass, std::time::SystemTime::now()).unwrap().unwrap();
        let hits = found(gate.folder.path(), &cipher);
        assert!(hits.is_empty(), "{custody:?}, forgotten: {hits:?}");
        drop(running);
        let hits = [found(gate.folder.path(), &cipher), found(gate.folder.path(), &forms)].concat();
        assert!(hits.is_empty(), "{custody:?}, ended: {hits:?}");
    }
}
