//! A machine without a GPU: the kernels' own lines, compiled as C++ and run on the CPU by a child process.
//!
//! `kernels/cuda/emulator.cpp` is the other side. It checks indices, tiles, tails and barriers; of speed, and of what the
//! real compiler makes of the lines, it says nothing.

use crate::{
    cuda::machine::{Launch, Machine},
    error::ModelError,
};
use std::{
    io::{Read, Write},
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

/// The child.
pub(super) struct Emulated {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    processors: usize,
    made: Vec<f32>,
}

/// In which order threads run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Forwards,
    Backwards,
}

impl Emulated {
    /// A device of so many processors; `None`, and a line that says so, where there is no C++ compiler.
    pub(super) fn new(processors: usize, order: Order) -> Option<Self> {
        static PROGRAM: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
        let (_, program) = PROGRAM.get_or_init(compiled).as_ref()?;
        let mut child = Command::new(program)
            .args(matches!(order, Order::Backwards).then_some("backwards"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Some(Self { child, input, output, processors, made: Vec::new() })
    }

    fn ask(&mut self, request: &[&[u8]]) -> Result<(), ModelError> {
        let input = self.input.as_mut().unwrap();
        let written = request.iter().try_for_each(|part| input.write_all(part)).and_then(|()| input.flush());
        written.map_err(|error| ModelError::Compute(format!("the emulator ended: {error}")))
    }

    fn answer(&mut self, bytes: usize) -> Result<Vec<u8>, ModelError> {
        let mut answer = vec![0; bytes];
        let read = self.output.read_exact(&mut answer);
        read.map_err(|error| ModelError::Compute(format!("the emulator ended: {error}")))?;
        Ok(answer)
    }

    fn write(&mut self, to: u64, bytes: &[u8]) -> Result<(), ModelError> {
        self.ask(&[b"w", &to.to_le_bytes(), &(bytes.len() as u64).to_le_bytes(), bytes])
    }

    fn launch(&mut self, launch: &Launch) -> Result<(), ModelError> {
        let bytes = |sizes: &[u32]| -> Vec<u8> { sizes.iter().flat_map(|size| size.to_le_bytes()).collect() };
        let places: Vec<u8> = launch.places.numbers().iter().flat_map(|place| place.to_le_bytes()).collect();
        let sizes: Vec<u8> = launch.sizes.numbers().iter().flat_map(|size| size.to_le_bytes()).collect();
        let name = launch.kernel.as_bytes();
        let (length, grid, threads) = (bytes(&[name.len() as u32]), bytes(&launch.grid), bytes(&[launch.threads]));
        self.ask(&[b"l", &length, name, &grid, &threads, &places, &sizes])
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        self.input = None;
        let ended = self.child.wait();
        assert!(std::thread::panicking() || ended.is_ok_and(|status| status.success()), "the emulator failed");
    }
}

/// The program, in a folder that is kept as long as it is.
fn compiled() -> Option<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("emulator");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernels/cuda/emulator.cpp");
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let made = Command::new(compiler)
        .args(["-std=c++17", "-O2", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-o"])
        .args([&program, &source])
        .status();
    match made {
        Ok(status) => assert!(status.success(), "the kernels do not compile"),
        Err(error) => {
            println!("NOT RUN: no C++ compiler is at hand ({error}), the CUDA kernels were not emulated");
            return None;
        }
    }
    Some((folder, program))
}

impl Machine for Emulated {
    type Memory = u64;
    type Graph = ();

    fn processors(&self) -> usize {
        self.processors
    }

    fn allocated(&mut self, bytes: usize) -> Result<u64, ModelError> {
        // Nothing lies behind what was asked for, so that a step too far is a fault; vectors need whole 32 bytes.
        let bytes = bytes.next_multiple_of(32) as u64;
        self.ask(&[b"a", &bytes.to_le_bytes()])?;
        let address = self.answer(8)?;
        Ok(u64::from_le_bytes(address.try_into().unwrap()))
    }

    fn address(&self, memory: &u64) -> u64 {
        *memory
    }

    fn fill(&mut self, memory: &mut u64, bytes: &[u8]) -> Result<(), ModelError> {
        self.write(*memory, bytes)
    }

    fn recorded(&mut self, _: &[Launch]) -> Result<Option<()>, ModelError> {
        Ok(None)
    }

    fn run(
        &mut self,
        memory: &mut u64,
        picture: &[f32],
        launches: &[Launch],
        _: Option<&()>,
        made: Range<usize>,
    ) -> Result<&[f32], ModelError> {
        let bytes: Vec<u8> = picture.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.write(*memory, &bytes)?;
        for launch in launches {
            self.launch(launch)?;
        }
        let (from, length) = (*memory + made.start as u64, made.len() as u64);
        self.ask(&[b"r", &from.to_le_bytes(), &length.to_le_bytes()])?;
        let answer = self.answer(made.len())?;
        self.made = answer.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        Ok(&self.made)
    }
}
