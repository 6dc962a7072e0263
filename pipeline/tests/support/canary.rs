//! Faces found again in bytes: whatever form a leak takes, somebody who knows the face recognises it.
//!
//! A picture that can be decoded (JPEG, PNG, WebP; raw or in base64) is searched for faces; 128 numbers of 32 bits whose
//! squares add up to one, and as many numbers in text, are taken for a template. All are compared with the canaries.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use crate::gate::set_up;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use usher::{
    accuracy::portraits::{Mirror, Portraits},
    gallery::picture::Picture,
};
use usher_models::{
    compute::{Choice, Compute},
    template::Template,
};

/// A score that two pictures of one person have and two people of this crowd have not (.37 at most).
const SAME: f32 = 0.45;
/// Numbers of a template.
const LENGTH: usize = 128;
/// A picture ends within so many bytes; decoders stop at its own end.
const PICTURE: usize = 4 << 20;

/// People who must not be found anywhere.
pub(crate) struct Canaries {
    networks: Portraits,
    templates: Vec<Template>,
}

impl Canaries {
    /// Those in `pictures` (PNG).
    pub(crate) fn of(pictures: &[Vec<u8>]) -> Self {
        let weights = set_up("models", "USHER_MODELS").unwrap();
        let compute = Compute::open(Choice::Cpu).unwrap();
        let mut networks = Portraits::open("yunet", "sface", &weights, &compute).unwrap();
        let template = |png: &Vec<u8>| {
            let portrait = networks.portrait(&Picture::decode(png).unwrap()).unwrap();
            portrait.map(|portrait| portrait.probe(Mirror::None).unwrap())
        };
        let templates: Vec<_> = pictures.iter().filter_map(template).collect();
        assert_eq!(templates.len(), pictures.len(), "every canary has a face");
        Self { networks, templates }
    }

    pub(crate) fn template(&self, canary: usize) -> &Template {
        &self.templates[canary]
    }

    /// What of them is in `bytes`, in words.
    pub(crate) fn found(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut found = self.pictures(bytes);
        for run in base64_runs(bytes) {
            // A run may begin in the middle of what else is written there.
            for skip in 0..4.min(run.len()) {
                let whole = &run[skip..skip + (run.len() - skip) / 4 * 4];
                if let Ok(plain) = STANDARD.decode(whole) {
                    found.extend(self.pictures(&plain).into_iter().map(|what| format!("{what} in base64")));
                    found.extend(self.templates(numbers(&plain)).into_iter().map(|what| format!("{what} in base64")));
                }
            }
        }
        found.extend(self.templates(numbers(bytes)));
        found.extend(self.templates(written(bytes)).into_iter().map(|what| format!("{what} in text")));
        found
    }

    fn pictures(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (kind, mark, before) in
            [("JPEG", &b"\xff\xd8\xff"[..], 0), ("PNG", &b"\x89PNG\r\n"[..], 0), ("WebP", &b"WEBPVP8"[..], 8)]
        {
            let starts = bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark);
            for start in starts.map(|(at, _)| at.saturating_sub(before)) {
                let rest = &bytes[start..bytes.len().min(start + PICTURE)];
                let Ok(picture) = image::load_from_memory(rest) else { continue };
                let mut png = std::io::Cursor::new(Vec::new());
                picture.to_rgb8().write_to(&mut png, image::ImageFormat::Png).unwrap();
                let portrait = self.networks.portrait(&Picture::decode(png.get_ref()).unwrap()).unwrap();
                let Some(portrait) = portrait else { continue };
                let probe = portrait.probe(Mirror::None).unwrap();
                found.extend(self.like(&probe).map(|canary| format!("canary {canary}: a {kind} picture")));
            }
        }
        found
    }

    fn templates(&self, candidates: Vec<Vec<f32>>) -> Vec<String> {
        let model = self.templates[0].model().clone();
        let template = |vector| Template::new(model.clone(), vector).ok();
        let found = candidates.into_iter().filter_map(template).filter_map(|probe| self.like(&probe));
        found.map(|canary| format!("canary {canary}: a template")).collect()
    }

    fn like(&self, probe: &Template) -> Option<usize> {
        self.templates.iter().position(|canary| canary.compare(probe).is_ok_and(|score| score.0 >= SAME))
    }
}

/// Every stretch of 128 little-endian `f32` whose squares add up to one, wherever it begins.
fn numbers(bytes: &[u8]) -> Vec<Vec<f32>> {
    let mut found = Vec::new();
    for skip in 0..4.min(bytes.len()) {
        let all: Vec<f32> = bytes[skip..].as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        // Numbers of a template are below one; anything else ends the stretch.
        for run in all.split(|number| number.is_nan() || number.abs() > 1.0) {
            let mut sum: f64 = run.iter().take(LENGTH).map(|v| f64::from(v * v)).sum();
            for end in LENGTH..=run.len() {
                let window = &run[end - LENGTH..end];
                if (sum - 1.0).abs() < 1e-3 {
                    found.push(window.to_vec());
                }
                if let Some(next) = run.get(end) {
                    sum += f64::from(next * next) - f64::from(window[0] * window[0]);
                }
            }
        }
    }
    found
}

/// Every stretch of 128 numbers in text, apart by commas, spaces or brackets.
fn written(bytes: &[u8]) -> Vec<Vec<f32>> {
    let belongs = |byte: &u8| byte.is_ascii_digit() || b"+-.eE, \t\r\n".contains(byte);
    let runs = bytes.split(|byte| !belongs(byte)).filter(|run| run.len() >= 2 * LENGTH);
    let texts = runs.map(|run| String::from_utf8_lossy(run).into_owned());
    let mut found = Vec::new();
    for text in texts {
        let words = text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
        let all: Vec<f32> = words.filter_map(|word| word.parse().ok()).collect();
        found.extend(
            all.windows(LENGTH).filter(|v| (v.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-2).map(Vec::from),
        );
    }
    found
}

fn base64_runs(bytes: &[u8]) -> Vec<&[u8]> {
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    bytes.split(|byte| !belongs(byte)).filter(|run| run.len() >= 400).collect()
}

/// Every file below a folder; links are not followed.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

/// The files that a process has mapped so that what it writes reaches them, deleted ones too: name and content.
pub(crate) fn mapped(pid: u32) -> Vec<(String, Vec<u8>)> {
    use std::os::unix::fs::FileExt;
    let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found = Vec::new();
    for line in fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
        if !rights.ends_with('s') || !rights.starts_with('r') {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // Pages beyond a file's end cannot be read.
        let read = memory.read_at(&mut bytes, from).unwrap_or(0);
        bytes.truncate(read);
        found.push((words.next_back().unwrap_or_default().to_owned(), bytes));
    }
    found
}

/// Everything that goes over the loopback interface.
pub(crate) struct Capture {
    tcpdump: Child,
    file: PathBuf,
}

impl Capture {
    /// Begins; returns when packets are being taken.
    pub(crate) fn begin(folder: &Path) -> Self {
        let file = folder.join("loopback.pcap");
        let is_root = fs::metadata("/proc/self").map(|about| std::os::unix::fs::MetadataExt::uid(&about)).unwrap() == 0;
        let mut command = if is_root { Command::new("tcpdump") } else { Command::new("sudo") };
        if !is_root {
            command.args(["-n", "tcpdump"]);
        }
        // `-Z root`: it would give up its rights and then not reach the folder.
        command.args(["-i", "lo", "-U", "-B", "65536", "-s", "0", "-Z", "root", "-w"]).arg(&file).arg("tcp");
        let tcpdump = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let tcpdump = tcpdump.expect("tcpdump is there: `make test` installs it");
        let begun = Instant::now();
        while fs::metadata(&file).map_or(0, |about| about.len()) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "tcpdump takes packets, as root or by `sudo -n`");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { tcpdump, file }
    }

    /// Ends; answers with what each side of each connection said, in order.
    pub(crate) fn end(mut self) -> Vec<Vec<u8>> {
        std::thread::sleep(Duration::from_millis(300));
        let _asked = Command::new("kill").arg(self.tcpdump.id().to_string()).status();
        self.tcpdump.wait().unwrap();
        let bytes = if let Ok(bytes) = fs::read(&self.file) {
            bytes
        } else {
            Command::new("sudo").args(["-n", "cat"]).arg(&self.file).output().unwrap().stdout
        };
        streams(&bytes)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _asked = Command::new("kill").arg(self.tcpdump.id().to_string()).status();
        let _ended = self.tcpdump.wait();
    }
}

/// The streams of a capture file (pcap, Ethernet, IPv4): payloads joined by addresses and ports, in the order of arrival,
/// which on the loopback interface is that of sending.
fn streams(pcap: &[u8]) -> Vec<Vec<u8>> {
    let mut streams: std::collections::BTreeMap<[u8; 12], Vec<u8>> = std::collections::BTreeMap::new();
    let word = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(word(0), 0xa1b2_c3d4, "a capture of this machine's byte order");
    let mut at = 24;
    while at + 16 <= pcap.len() {
        let length = word(at + 8);
        let Some(packet) = pcap.get(at + 16..at + 16 + length) else { break };
        at += 16 + length;
        let Some(ip) = packet.get(14..).filter(|ip| ip.len() >= 40 && ip[0] >> 4 == 4 && ip[9] == 6) else { continue };
        let header = usize::from(ip[0] & 15) * 4;
        let Some(tcp) = ip.get(header..).filter(|tcp| tcp.len() >= 20) else { continue };
        let mut ends = [0; 12];
        ends[..8].copy_from_slice(&ip[12..20]);
        ends[8..].copy_from_slice(&tcp[..4]);
        let payload = tcp.get(usize::from(tcp[12] >> 4) * 4..).unwrap_or_default();
        streams.entry(ends).or_default().extend(payload);
    }
    streams.into_values().collect()
}
