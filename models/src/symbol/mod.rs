//! QR passes: luma in, texts out.
//!
//! In the order in which a frame meets them: a pyramid of levels (`level`), finder patterns in each (`finder`),
//! the symbol that three of them span (`fit`), its modules (`modules`). Words are those of ISO/IEC 18004.

mod finder;
mod fit;
mod level;
mod modules;
mod pattern;
mod reader;
mod third;

pub use reader::{Code, Reader};
