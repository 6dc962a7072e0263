//! A stranger's picture, decoded in a child or here: what does the child cost?
//!
//! Both by turns, in one run, of the same bytes. A new child is what the first picture after a pause meets.

use crate::process::{pictures, root};
use anyhow::ensure;
use serde_json::{Value, json};
use std::{path::Path, time::Instant};
use usher::gallery::{decoder::Decoder, picture::Picture};

pub(crate) const QUESTION: &str = "A stranger's picture, decoded in a child or here: what does the child cost?";

/// Pictures of each kind, and every how many of them a new child is started beside.
const TIMES: usize = 200;
const NEW_ONE_IN: usize = 4;

pub(crate) fn answer() -> anyhow::Result<Value> {
    let program = root().canonicalize()?.join("target/release/usher");
    let mut answers = serde_json::Map::new();
    for name in ["face-recognition/obama_partial_face2.jpg", "face-recognition/obama.jpg", "face-api/sample6.jpg"] {
        answers.insert(name.to_owned(), of(&std::fs::read(pictures()?.join(name))?, &program)?);
    }
    Ok(Value::Object(answers))
}

fn of(file: &[u8], program: &Path) -> anyhow::Result<Value> {
    let mut decoder = Decoder::new(program);
    let confined = decoder.confined()?;
    let size = decoder.decode(file)?.size();
    let (mut child, mut here, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..TIMES {
        child.push(milliseconds(|| decoder.decode(file).map(|there| there.size()))?);
        here.push(milliseconds(|| Picture::decode(file).map(|here| here.size()))?);
        if round % NEW_ONE_IN == 0 {
            let mut another = Decoder::new(program);
            new.push(milliseconds(|| another.decode(file).map(|there| there.size()))?);
        }
    }
    ensure!(decoder.decode(file)?.size() == size, "the same picture has another size");
    Ok(json!({
        "pixels": [size.width, size.height],
        "bytes": file.len(),
        "confined": format!("{confined:?}"),
        "child_ms": spread(child),
        "here_ms": spread(here),
        "new_child_ms": spread(new),
    }))
}

fn milliseconds<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<f64, E> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

/// Median, and the tenth and ninetieth of a hundred.
fn spread(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| (times[(times.len() - 1) * share / 100] * 100.0).round() / 100.0;
    json!({ "median": at(50), "p10": at(10), "p90": at(90) })
}
