//! Pictures of strangers, decoded in a process that can open nothing.
//!
//! A decoder reads what anybody may have written. So it runs in a child that can open no file and no socket, touch no other
//! process and start none ([`confine`]), with an end to its memory and to its time; the most that a mistake of the decoder's
//! does is to end it, and the next picture gets a new one. What comes back is read as pixels of a stated size and nothing
//! else. The child says first how far it is confined, before it has read a byte.

use crate::gallery::{
    confinement::{Confined, confine},
    picture::{MOST_BYTES, MOST_PIXELS, Picture, PictureError},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::ioctl_fionbio,
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use std::{
    io::{self, Read, Write},
    os::{fd::AsFd, unix::process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tracing::warn;
use usher_models::image::Size;
use zeroize::Zeroizing;

/// The command that a child is started with; it is in no help text.
pub const COMMAND: &str = "decode-pictures";

/// Most memory that a child may ask for, bytes: what a decoder may (640 million), the picture as eight bits, and the program
/// itself; half of what the service may have, so that no picture ends the gate.
const MEMORY: u64 = 1500 << 20;

/// Most computing time for one picture, seconds.
const SECONDS: u64 = 2;

/// Most computing time of a child's life, seconds: more than all its pictures can take.
const LIFETIME: u64 = PICTURES as u64 * (SECONDS + 1);

/// What a child says first: that it is confined by a filter of system calls, or that the system would not set one.
const FILTERED: u32 = 0xf117_e4ed;
const LIMITS_ONLY: u32 = 0x11a1_75ff;

/// Most time to wait for one, milliseconds: less than a stage may go without a beat ([`crate::supervise::HANGS`]).
const PATIENCE_MS: u64 = 3_500;

/// Pictures after which a child gives way to a new one.
const PICTURES: u32 = 500;

/// Decodes pictures in a child process.
pub struct Decoder {
    program: PathBuf,
    child: Option<Running>,
    /// Whether it was said that children are not confined as they should be.
    is_said: bool,
}

struct Running {
    child: Child,
    served: u32,
    confined: Option<Confined>,
}

impl Decoder {
    /// One that starts this program (usher itself) as its child.
    pub fn new(program: &Path) -> Self {
        Self { program: program.to_owned(), child: None, is_said: false }
    }

    /// How far its children are confined on this machine; starts one to see.
    ///
    /// # Errors
    /// When none starts, or it does not answer.
    pub fn confined(&mut self) -> io::Result<Confined> {
        let until = monotonic_ms() + PATIENCE_MS;
        self.running()?.confined(until)
    }

    fn running(&mut self) -> io::Result<&mut Running> {
        match &mut self.child {
            Some(running) => Ok(running),
            none => Ok(none.insert(Running::start(&self.program)?)),
        }
    }

    /// Ends the child: what one visitor's pictures did to it is not to answer for another's.
    pub fn renew(&mut self) {
        self.child = None;
    }

    /// Decodes a file's content.
    ///
    /// # Errors
    /// [`PictureError`], each with the mend; also where the child ended: a picture that takes too much time or memory.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Picture, PictureError> {
        if bytes.len() as u64 > MOST_BYTES {
            return Err(PictureError::Heavy(bytes.len() as u64));
        }
        if self.child.as_ref().is_some_and(|running| running.served >= PICTURES) {
            self.child = None;
        }
        let running = self.running().map_err(PictureError::Unreadable)?;
        match running.ask(bytes) {
            Ok((answer, confined)) => {
                if confined == Confined::LimitsOnly && !std::mem::replace(&mut self.is_said, true) {
                    warn!(mend = UNFILTERED, "strangers' pictures are decoded behind limits alone");
                }
                answer
            }
            Err(_) => {
                if self.child.take().is_some_and(|running| running.broke_out()) {
                    warn!(
                        "the decoder asked the system for what it may not, and was ended: a picture broke into it, or this machine's C library needs a call that the filter does not know"
                    );
                }
                Err(PictureError::Damaged("it takes more time or memory than any honest picture".to_owned()))
            }
        }
    }
}

/// What to do where children are confined by limits alone.
pub const UNFILTERED: &str =
    "give the box a kernel with CONFIG_SECCOMP_FILTER, and let the service call `seccomp` (systemd/usher.service does)";

impl Running {
    fn start(program: &Path) -> io::Result<Self> {
        let child = Command::new(program)
            .arg(COMMAND)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(to) = &child.stdin {
            ioctl_fionbio(to, true)?;
        }
        Ok(Self { child, served: 0, confined: None })
    }

    /// Whether it was the filter that ended it. What has not ended by itself is ended.
    fn broke_out(mut self) -> bool {
        let _it_may_have_ended = self.child.kill();
        self.child.wait().is_ok_and(|status| status.signal() == Some(libc::SIGSYS))
    }

    /// What the child said first, before it read anything.
    fn confined(&mut self, until: u64) -> io::Result<Confined> {
        if let Some(confined) = self.confined {
            return Ok(confined);
        }
        let from = self.child.stdout.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let confined = match number(&mut Patient { pipe: from, until })? {
            FILTERED => Confined::Filtered,
            LIMITS_ONLY => Confined::LimitsOnly,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        self.confined = Some(confined);
        Ok(confined)
    }

    fn ask(&mut self, bytes: &[u8]) -> io::Result<(Result<Picture, PictureError>, Confined)> {
        self.served += 1;
        let until = monotonic_ms() + PATIENCE_MS;
        let confined = self.confined(until)?;
        let ended = || io::Error::from(io::ErrorKind::BrokenPipe);
        let Child { stdin: Some(to), stdout: Some(from), .. } = &mut self.child else { return Err(ended()) };
        let to = &mut Patient { pipe: to, until };
        to.write_all(&(bytes.len() as u32).to_le_bytes())?;
        to.write_all(bytes)?;
        let from = &mut Patient { pipe: from, until };
        let width = number(from)?;
        if width == 0 {
            let mut text = vec![0; number(from)?.min(1000) as usize];
            from.read_exact(&mut text)?;
            return Ok((Err(told(&text)), confined));
        }
        let size = Size { width, height: number(from)? };
        let pixels = u64::from(size.width) * u64::from(size.height);
        if pixels == 0 || pixels > MOST_PIXELS {
            return Err(ended());
        }
        let mut rgb = Zeroizing::new(vec![0; 3 * pixels as usize]);
        from.read_exact(&mut rgb)?;
        Ok((Ok(Picture::of_rgb(size, rgb)), confined))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A pipe to or from a child, for as long as there is patience.
struct Patient<'a, P> {
    pipe: &'a mut P,
    until: u64,
}

impl<P: AsFd> Patient<'_, P> {
    fn wait(&self, to: PollFlags) -> io::Result<()> {
        let left = self.until.saturating_sub(monotonic_ms());
        let patience = Timespec { tv_sec: (left / 1000) as i64, tv_nsec: (left % 1000 * 1_000_000) as i64 };
        let mut fds = [PollFd::new(&*self.pipe, to)];
        if left == 0 || poll(&mut fds, Some(&patience))? == 0 {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        Ok(())
    }
}

impl<P: AsFd + Read> Read for Patient<'_, P> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN)?;
        self.pipe.read(to)
    }
}

impl<P: AsFd + Write> Write for Patient<'_, P> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT)?;
        self.pipe.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pipe.flush()
    }
}

/// Milliseconds of a clock that only goes on: no clock of the gate's reaches here, and nobody waits in tests.
fn monotonic_ms() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

fn number(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// An error as the child wrote it: its number, and what it is about.
fn told(text: &[u8]) -> PictureError {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.splitn(3, '\n');
    let (kind, first, second) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match kind {
        "empty" => PictureError::Empty,
        "none" => PictureError::NotAPicture,
        "format" => PictureError::Format(
            ["HEIC", "PDF", "GIF", "BMP", "TIFF", "AVIF", "ICO"]
                .into_iter()
                .find(|name| *name == first)
                .unwrap_or("such"),
        ),
        "large" => PictureError::Large { width: first.parse().unwrap_or(0), height: second.parse().unwrap_or(0) },
        _ => PictureError::Damaged(first.chars().filter(|c| !c.is_control()).take(200).collect()),
    }
}

fn written(error: &PictureError) -> String {
    match error {
        PictureError::Empty => "empty".to_owned(),
        PictureError::NotAPicture => "none".to_owned(),
        PictureError::Format(name) => format!("format\n{name}"),
        PictureError::Large { width, height } => format!("large\n{width}\n{height}"),
        PictureError::Damaged(why) => format!("damaged\n{}", why.replace('\n', " ")),
        other => format!("damaged\n{other}"),
    }
}

/// The child's work: pictures in, pixels out, until the parent goes.
///
/// # Errors
/// When the parent has gone, or the limits cannot be set.
pub fn serve(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let confined = confine(MEMORY, LIFETIME)?;
    let word = if confined == Confined::Filtered { FILTERED } else { LIMITS_ONLY };
    to.write_all(&word.to_le_bytes())?;
    to.flush()?;
    loop {
        let length = match number(from) {
            Ok(length) => u64::from(length),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        if length > MOST_BYTES {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let mut bytes = Zeroizing::new(vec![0; length as usize]);
        from.read_exact(&mut bytes)?;
        // What was used is not given back; what is left is for this picture.
        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64 + 1 + SECONDS;
        setrlimit(Resource::Cpu, Rlimit { current: Some(used), maximum: getrlimit(Resource::Cpu).maximum })?;
        match Picture::decode(&bytes) {
            Ok(picture) => {
                let size = picture.size();
                to.write_all(&size.width.to_le_bytes())?;
                to.write_all(&size.height.to_le_bytes())?;
                to.write_all(picture.rgb())?;
            }
            Err(error) => {
                let text = written(&error);
                to.write_all(&0_u32.to_le_bytes())?;
                to.write_all(&(text.len() as u32).to_le_bytes())?;
                to.write_all(text.as_bytes())?;
            }
        }
        to.flush()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_comes_back_as_it_was() {
        for error in [
            PictureError::Empty,
            PictureError::NotAPicture,
            PictureError::Format("HEIC"),
            PictureError::Large { width: 7, height: 9 },
            PictureError::Damaged("it ends\nearly".to_owned()),
        ] {
            assert_eq!(told(written(&error).as_bytes()).to_string(), error.to_string().replace('\n', " "));
        }
    }

    #[test]
    fn whoever_asks_for_more_is_told_from_whoever_takes_too_long() {
        let start = |script: &str| {
            let child = Command::new("/bin/sh").args(["-c", script]).spawn().unwrap();
            Running { child, served: 0, confined: None }
        };
        let mut forbidden = start("kill -SYS $$");
        forbidden.child.wait().unwrap();
        assert!(forbidden.broke_out());
        assert!(!start("sleep 60").broke_out(), "it was we who ended it");
    }

    #[test]
    fn a_program_that_is_no_decoder_is_an_error_and_not_a_wait() {
        let mut decoder = Decoder::new(Path::new("/bin/true"));
        assert!(matches!(decoder.decode(b"x"), Err(PictureError::Damaged(_))));
        let mut missing = Decoder::new(Path::new("/nonexistent"));
        assert!(matches!(missing.decode(b"x"), Err(PictureError::Unreadable(_))));
    }
}
