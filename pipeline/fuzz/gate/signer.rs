//! A box that signs the same in every run, so that a corpus keeps its worth. Nobody's key.

use std::{fs, path::Path, sync::LazyLock};
use usher::gallery::{
    key::{BoxKey, Custody},
    receipt::Signer,
};

#[allow(dead_code, reason = "some targets need the key alone")]
pub(crate) static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::of(&BOX));

pub(crate) static BOX: LazyLock<BoxKey> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("usher-fuzz-key-{}", std::process::id()));
    fs::write(&path, [7; 32]).expect("the folder for temporary files can be written");
    let key = BoxKey::open(&Custody::Credential(path.clone()), Path::new("/nowhere"));
    fs::remove_file(path).expect("it was written just now");
    key.expect("32 bytes are a key")
});
