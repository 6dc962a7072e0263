//! Pictures of people who mean harm: an error each, and the program that reads them goes on.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;

use flate2::{Compression, write::ZlibEncoder};
use gate::pictures;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::{Resource, Rlimit, Signal, getppid, kill_process, prlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::{
    fs,
    io::{Cursor, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::{net::UnixStream, process::CommandExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
};
use usher::gallery::{
    confinement::{Confined, confine},
    decoder::Decoder,
    picture::{Picture, PictureError},
};

fn decoder() -> Decoder {
    Decoder::new(Path::new(env!("CARGO_BIN_EXE_usher")))
}

/// A PNG of so many pixels, all black, in a few kilobytes.
fn bomb(side: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, &crc.sum().to_be_bytes()].concat()
    };
    let header = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    let mut zip = ZlibEncoder::new(Vec::new(), Compression::best());
    let row = vec![0; 1 + (side as usize).div_ceil(8)];
    for _ in 0..side {
        zip.write_all(&row).unwrap();
    }
    let data = zip.finish().unwrap();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), &chunk(b"IDAT", &data), &chunk(b"IEND", &[])].concat()
}

#[test]
fn a_child_decodes_what_is_honest_and_survives_what_is_not() {
    let honest = fs::read(pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let mut decoder = decoder();
    let size = decoder.decode(&honest).unwrap().size();
    assert!(size.width > 100 && size.height > 100);

    let bomb = bomb(30_000);
    assert!(bomb.len() < 200_000);
    assert!(matches!(decoder.decode(&bomb), Err(PictureError::Large { width: 30_000, height: 30_000 })));
    assert!(matches!(decoder.decode(b""), Err(PictureError::Empty)));
    assert!(matches!(decoder.decode(b"#!/bin/sh\necho pwned\n"), Err(PictureError::NotAPicture)));
    assert!(matches!(decoder.decode(b"GIF89a........"), Err(PictureError::Format("GIF"))));
    assert!(matches!(decoder.decode(&honest[..honest.len() / 2]), Err(PictureError::Damaged(_))));
    // Polyglots: a picture that is a page as well is a picture here, and nothing else of it is kept; a page is none.
    let polyglot = [honest.as_slice(), b"<script>alert(1)</script>"].concat();
    assert_eq!(decoder.decode(&polyglot).unwrap().size(), size);
    assert!(matches!(decoder.decode(&[b"<html>".as_slice(), &honest].concat()), Err(PictureError::NotAPicture)));

    // Bytes changed at random: an error or a picture, and the child is there for the next.
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (mut refused, mut shown) = (0, 0);
    for _ in 0..150 {
        let mut changed = honest.clone();
        for _ in 0..rng.random_range(1..40) {
            let at = rng.random_range(0..changed.len().min(4000));
            changed[at] = rng.random();
        }
        match decoder.decode(&changed) {
            Ok(_) => shown += 1,
            Err(error) => {
                assert!(!error.to_string().contains('\u{fffd}'), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && shown > 0, "{refused} refused, {shown} shown");
    assert_eq!(decoder.decode(&honest).unwrap().size(), size);
}

#[test]
fn the_child_has_its_limits_and_its_filter_before_the_first_byte() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_usher"))
        .arg("decode-pictures")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // What it says first: limits and filter are set by then.
    let mut to = child.stdin.take().unwrap();
    to.write_all(&1_u32.to_le_bytes()).unwrap();
    to.write_all(b"x").unwrap();
    to.flush().unwrap();
    let (mut first, mut from) = ([0; 4], child.stdout.take().unwrap());
    std::io::Read::read_exact(&mut from, &mut first).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    for (limit, most) in
        [("Max open files", "3"), ("Max core file size", "0"), ("Max file size", "0"), ("Max processes", "0")]
    {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        let value = line[limit.len()..].split_whitespace().next();
        assert_eq!(value, Some(most), "{line}");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    for said in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.lines().any(|line| line == said), "no `{said}` in {status}");
    }
    drop(to);
    assert!(child.wait().unwrap().success(), "a child whose parent has gone ends in order");
}

/// Every kind of picture that is read, as a child decodes it and as this process does.
#[test]
fn a_confined_child_sees_what_anybody_sees() {
    let drawn = RgbImage::from_fn(631, 420, |x, y| Rgb([x as u8, y as u8, (x * y / 300) as u8]));
    let drawn = DynamicImage::from(drawn);
    let (grey, deep) = (DynamicImage::from(drawn.to_luma8()), DynamicImage::from(drawn.to_rgba16()));
    let mut decoder = decoder();
    assert_eq!(decoder.confined().unwrap(), Confined::Filtered, "this kernel has no seccomp: nothing here is shown");
    let pictures = [
        (&drawn, ImageFormat::Jpeg),
        (&grey, ImageFormat::Jpeg),
        (&drawn, ImageFormat::Png),
        (&deep, ImageFormat::Png),
        (&drawn, ImageFormat::WebP),
    ];
    for (picture, format) in pictures {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        let (there, here) = (decoder.decode(file.get_ref()).unwrap(), Picture::decode(file.get_ref()).unwrap());
        assert_eq!((there.size(), there.rgb()), (here.size(), here.rgb()), "{format:?}");
    }
}

/// What somebody would try who has taken the decoder over; each reports in the end that it could.
type Attempt = (&'static str, fn(&Path));

const ATTEMPTS: [Attempt; 12] = [
    ("open a file", |folder| drop(fs::File::open(folder.join("here")).unwrap())),
    ("write a file", |folder| fs::write(folder.join("new"), "x").unwrap()),
    ("list a folder", |folder| drop(fs::read_dir(folder).unwrap())),
    ("delete a file by its path", |folder| fs::remove_file(folder.join("here")).unwrap()),
    ("open a socket", |_| drop(UdpSocket::bind("127.0.0.1:0").unwrap())),
    ("connect", |folder| {
        let address = fs::read_link(folder.join("address")).unwrap();
        drop(TcpStream::connect(address.to_str().unwrap()).unwrap());
    }),
    ("make a pair of sockets", |_| drop(UnixStream::pair().unwrap())),
    ("signal its parent", |_| kill_process(getppid().unwrap(), Signal::CONT).unwrap()),
    ("limit its parent", |_| {
        let core = Rlimit { current: Some(0), maximum: None };
        prlimit(getppid(), Resource::Core, core).unwrap();
    }),
    ("lift its own limits", |_| {
        let as_before = rustix::process::getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, as_before).unwrap();
    }),
    ("start a thread", |_| std::thread::spawn(|| ()).join().unwrap()),
    ("become another program", |_| {
        let why = Command::new("/bin/echo").arg("it could").exec();
        panic!("{why}");
    }),
];

/// Not a test of its own: what [`whoever_takes_the_decoder_over_can_do_nothing_with_it`] starts.
#[test]
fn tries_one_thing_when_asked_to() {
    let Some(what) = std::env::var_os("USHER_TEST_ATTEMPT") else { return };
    let (_, attempt) = ATTEMPTS.iter().find(|(name, _)| *name == what).unwrap();
    let folder = PathBuf::from(std::env::var_os("USHER_TEST_FOLDER").unwrap());
    if std::env::var_os("USHER_TEST_CONFINED").is_some() {
        assert_eq!(confine(8 << 30, 60).unwrap(), Confined::Filtered);
    }
    println!("\nit tries");
    attempt(&folder);
    println!("\nit could");
}

#[test]
fn whoever_takes_the_decoder_over_can_do_nothing_with_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let attempt = |what: &str, confined: bool| -> (Output, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("here"), "x").unwrap();
        // An address that is read without opening anything.
        std::os::unix::fs::symlink(listener.local_addr().unwrap().to_string(), folder.path().join("address")).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tries_one_thing_when_asked_to", "--nocapture"]);
        command.env("USHER_TEST_ATTEMPT", what).env("USHER_TEST_FOLDER", folder.path());
        if confined {
            command.env("USHER_TEST_CONFINED", "1");
        }
        (command.output().unwrap(), folder)
    };
    let said = |output: &Output, line: &str| String::from_utf8_lossy(&output.stdout).lines().any(|said| said == line);
    for (what, _) in ATTEMPTS {
        let (free, _) = attempt(what, false);
        assert!(said(&free, "it could"), "without confinement it can {what}: {free:?}");
        let (confined, folder) = attempt(what, true);
        assert!(said(&confined, "it tries") && !said(&confined, "it could"), "{what}: {confined:?}");
        assert_eq!(confined.status.signal(), Some(libc::SIGSYS), "{what}: the system ends it: {confined:?}");
        assert!(folder.path().join("here").exists() && !folder.path().join("new").exists(), "{what}");
    }
}

/// Not a test of its own: what [`where_no_filter_can_be_set_it_is_said_and_limits_remain`] starts. It takes the right to set
/// filters from itself and its children, as an older kernel or another service would.
#[test]
fn does_without_filters_when_asked_to() {
    let Some(config) = std::env::var_os("USHER_TEST_WITHOUT_FILTERS") else { return };
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let rules = [(libc::SYS_seccomp, Vec::new())].into_iter().collect();
    let filter: BpfProgram =
        SeccompFilter::new(rules, SeccompAction::Allow, denied, machine).unwrap().try_into().unwrap();
    seccompiler::apply_filter_all_threads(&filter).unwrap();

    let mut decoder = decoder();
    assert_eq!(decoder.confined().unwrap(), Confined::LimitsOnly);
    let honest = fs::read(pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    assert_eq!(decoder.decode(&honest).unwrap().size(), Picture::decode(&honest).unwrap().size());
    let check = Command::new(env!("CARGO_BIN_EXE_usher")).args(["check", "--json", "--config"]).arg(config).output();
    println!("\n{}", String::from_utf8(check.unwrap().stdout).unwrap());
}

#[test]
fn where_no_filter_can_be_set_it_is_said_and_limits_remain() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gate.yaml");
    let text = "site: t\ndata: data\ncameras: { c: { url: /dev/video0 } }\ngates: { g: { cameras: [c] } }\n\
                gallery: { notice: { controller: The test venue, contact: a@b.example } }\n\
                web: { enrol: { listen: '127.0.0.1:8443' } }\n";
    fs::write(&config, text).unwrap();
    let is_said =
        |output: &Output| String::from_utf8_lossy(&output.stdout).contains("decoded behind limits alone: give");
    let without = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "does_without_filters_when_asked_to", "--nocapture"])
        .env("USHER_TEST_WITHOUT_FILTERS", &config)
        .output()
        .unwrap();
    assert!(without.status.success() && is_said(&without), "{without:?}");
    let with = Command::new(env!("CARGO_BIN_EXE_usher")).args(["check", "--json", "--config"]).arg(&config).output();
    let with = with.unwrap();
    assert!(with.status.success() && !is_said(&with), "where there are filters there is nothing to say: {with:?}");
}
