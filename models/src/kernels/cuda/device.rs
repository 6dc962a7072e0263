//! A CUDA device: memory, launches and graphs on a stream of its own.
//!
//! A network has its own stream, so that two networks on two threads never wait for one another, nor does one's work
//! end up in the graph that another records. Every piece of memory is made, used and let go in the order of that stream,
//! which is why nothing here needs events.

use crate::{
    cuda::machine::{Launch, Machine},
    error::ModelError,
};
use candle_core::cuda_backend::{
    CudaDevice,
    cudarc::driver::{
        CudaFunction, CudaGraph, CudaSlice, CudaStream, DevicePtr, DriverError, LaunchConfig, PinnedHostSlice,
        PushKernelArg, result,
        sys::{CUdevice_attribute, CUgraphInstantiate_flags, CUstreamCaptureMode},
    },
};
use std::{collections::HashMap, ops::Range, sync::Arc};

/// `usher.cu` for compute capability 8.0: the driver translates it for the device at hand.
const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/usher.ptx"));

/// A network's own queue of a device.
pub(crate) struct Gpu {
    device: CudaDevice,
    stream: Arc<CudaStream>,
    functions: HashMap<String, CudaFunction>,
    processors: usize,
    /// Whether launches are recorded; false once a recording failed.
    records: bool,
    /// What the device reads from and writes to without the driver's own copy in between.
    picture: Option<PinnedHostSlice<f32>>,
    made: Option<PinnedHostSlice<f32>>,
}

/// Memory of the device, and where it begins.
pub(crate) struct Piece {
    slice: CudaSlice<u8>,
    address: u64,
}

/// A recorded order of launches.
pub(crate) struct Recorded(CudaGraph);

// SAFETY: a graph must not be used by two threads at once. Only `Gpu::run` uses it, through a network that is borrowed
// mutably; the driver lets one thread after another use it.
#[expect(unsafe_code, reason = "a graph is a pointer to the driver's own")]
unsafe impl Send for Recorded {}

impl Gpu {
    /// A queue of its own on `device`; `records` false launches every kernel by itself.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the driver refuses, as one older than the kernels' PTX does.
    pub(crate) fn new(device: &CudaDevice, records: bool) -> Result<Self, ModelError> {
        let context = device.cuda_stream().context().clone();
        let stream = context.new_stream().map_err(|error| failed("make a stream", error))?;
        let processors = context
            .attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
            .map_err(|error| failed("count processors", error))?;
        let processors = usize::try_from(processors).unwrap_or(1).max(1);
        let (device, functions) = (device.clone(), HashMap::new());
        let mut made = Self { device, stream, functions, processors, records, picture: None, made: None };
        made.function("finish_single")?;
        Ok(made)
    }

    /// A kernel by its name. The driver translates all of them when the first is wanted, once for a device.
    fn function(&mut self, name: &str) -> Result<&CudaFunction, ModelError> {
        if !self.functions.contains_key(name) {
            let function = self.device.get_or_load_custom_func(name, "usher", PTX)?.into_cuda_function();
            self.functions.insert(name.to_owned(), function);
        }
        Ok(&self.functions[name])
    }

    fn launch(&mut self, launch: &Launch) -> Result<(), ModelError> {
        let stream = self.stream.clone();
        let function = self.function(&launch.kernel)?;
        let (places, sizes, [x, y, z]) = (launch.places.numbers(), launch.sizes.numbers(), launch.grid);
        let shape = LaunchConfig { grid_dim: (x, y, z), block_dim: (launch.threads, 1, 1), shared_mem_bytes: 0 };
        let mut builder = stream.launch_builder(function);
        builder.arg(&places).arg(&sizes);
        // SAFETY: every kernel takes these two, by value, in this order and form (`given.cuh`). The addresses are of
        // pieces of memory of this stream that live as long as the launch may be replayed (`cuda::Ready`), and the
        // sizes are those that `rooms` gave them; the emulated tests hold each kernel to its bounds.
        #[expect(unsafe_code, reason = "a launch")]
        let launched = unsafe { builder.launch(shape) };
        launched.map(|_| ()).map_err(|error| failed(&format!("launch {}", launch.kernel), error))
    }

    fn launch_all(&mut self, launches: &[Launch]) -> Result<(), ModelError> {
        launches.iter().try_for_each(|launch| self.launch(launch))
    }

    fn wait(&self) -> Result<(), ModelError> {
        self.stream.synchronize().map_err(|error| failed("finish its work", error))
    }

    fn capture(&mut self, launches: &[Launch]) -> Result<Option<CudaGraph>, ModelError> {
        // Other threads go on using the driver meanwhile, each on its own stream.
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        self.stream.begin_capture(mode).map_err(|error| failed("begin to record", error))?;
        let launched = self.launch_all(launches);
        // The end comes whatever happened: else the stream would record for ever.
        let graph = self.stream.end_capture(CUgraphInstantiate_flags(0));
        launched?;
        let graph = graph.map_err(|error| failed("record", error))?;
        if let Some(graph) = &graph {
            graph.upload().map_err(|error| failed("upload what it recorded", error))?;
        }
        Ok(graph)
    }

    /// Everything of a run up to the wait.
    fn enqueue(
        &mut self,
        memory: &Piece,
        picture: &[f32],
        launches: &[Launch],
        graph: Option<&Recorded>,
        made: Range<usize>,
    ) -> Result<(), ModelError> {
        let length = made.len() / size_of::<f32>();
        let bytes = memory.slice.len();
        if made.end > bytes || size_of_val(picture) > bytes {
            return Err(ModelError::Compute(format!("{made:?} of {bytes} bytes")));
        }
        let address = memory.address;
        self.stream.context().bind_to_thread().map_err(|error| failed("work on this thread", error))?;
        let mut from = pinned(&self.stream, self.picture.take(), picture.len())?;
        let from = {
            let room = from.as_mut_slice().map_err(|error| failed("reach pinned memory", error))?;
            room[..picture.len()].copy_from_slice(picture);
            self.picture.insert(from)
        };
        let stream = self.stream.cu_stream();
        let sent = from.as_slice().map_err(|error| failed("reach pinned memory", error))?;
        // SAFETY: the picture fits into the memory (above); both live, and nobody writes to either, until `run` waited.
        #[expect(unsafe_code, reason = "a copy to the device")]
        let sent = unsafe { result::memcpy_htod_async(address, &sent[..picture.len()], stream) };
        sent.map_err(|error| failed("copy to the device", error))?;
        match graph {
            Some(Recorded(graph)) => graph.launch().map_err(|error| failed("replay", error))?,
            None => self.launch_all(launches)?,
        }
        let into = pinned(&self.stream, self.made.take(), length)?;
        let into = self.made.insert(into).as_mut_slice().map_err(|error| failed("reach pinned memory", error))?;
        // SAFETY: the numbers lie within the memory (above); both live, and nobody looks at them, until `run` waited.
        #[expect(unsafe_code, reason = "a copy from the device")]
        let got = unsafe { result::memcpy_dtoh_async(&mut into[..length], address + made.start as u64, stream) };
        got.map_err(|error| failed("copy from the device", error))
    }
}

impl Machine for Gpu {
    type Memory = Piece;
    type Graph = Recorded;

    fn processors(&self) -> usize {
        self.processors
    }

    fn allocated(&mut self, bytes: usize) -> Result<Piece, ModelError> {
        let slice = self.stream.alloc_zeros::<u8>(bytes.max(1));
        let slice = slice.map_err(|error| failed(&format!("allocate {bytes} bytes"), error))?;
        let address = slice.device_ptr(&self.stream).0;
        Ok(Piece { slice, address })
    }

    fn address(&self, memory: &Piece) -> u64 {
        memory.address
    }

    fn fill(&mut self, memory: &mut Piece, bytes: &[u8]) -> Result<(), ModelError> {
        self.stream.memcpy_htod(bytes, &mut memory.slice).map_err(|error| failed("copy to the device", error))?;
        self.wait()
    }

    fn recorded(&mut self, launches: &[Launch]) -> Result<Option<Recorded>, ModelError> {
        // Once for real: what a kernel needs is loaded, which must not happen while its launch is recorded.
        self.launch_all(launches)?;
        self.wait()?;
        if !self.records {
            return Ok(None);
        }
        let why = match self.capture(launches) {
            Ok(Some(graph)) => return Ok(Some(Recorded(graph))),
            Ok(None) => ModelError::Compute("nothing was recorded".to_owned()),
            Err(error) => error,
        };
        tracing::warn!(%why, "no cuda graph: kernels are launched one by one, which is slower");
        self.records = false;
        Ok(None)
    }

    fn run(
        &mut self,
        memory: &mut Piece,
        picture: &[f32],
        launches: &[Launch],
        graph: Option<&Recorded>,
        made: Range<usize>,
    ) -> Result<&[f32], ModelError> {
        let length = made.len() / size_of::<f32>();
        let enqueued = self.enqueue(memory, picture, launches, graph, made);
        // Also after an error: what was copied from or to must not be let go before.
        self.wait()?;
        enqueued?;
        let made = self.made.as_ref().ok_or_else(|| ModelError::Compute("nothing was made".to_owned()))?;
        let made = made.as_slice().map_err(|error| failed("reach pinned memory", error))?;
        Ok(&made[..length])
    }
}

/// Host memory that the device reaches by itself, of at least so many numbers. The old one is let go when it is replaced:
/// nothing is under way then, every run ends with a wait.
fn pinned(
    stream: &CudaStream,
    old: Option<PinnedHostSlice<f32>>,
    length: usize,
) -> Result<PinnedHostSlice<f32>, ModelError> {
    if let Some(old) = old.filter(|old| old.len() >= length) {
        return Ok(old);
    }
    // SAFETY: numbers of any bits are numbers; and what is read was written before, by a copy or by the device. No flags:
    // what comes back is read by the CPU, for which write-combined memory would be slow.
    #[expect(unsafe_code, reason = "memory whose contents are not said")]
    let made = unsafe { stream.context().alloc_pinned_with_flags::<f32>(length.max(1), 0) };
    made.map_err(|error| failed("pin memory of the host", error))
}

fn failed(what: &str, error: DriverError) -> ModelError {
    ModelError::Compute(format!("the cuda device could not {what}: {error:?}"))
}
