//! The benches: one file per question, the answer in `benches/results`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, and measures by the machine's own clock"
)]

mod broker;
mod cameras;
mod cpu;
mod cuda;
mod film;
mod flow;
mod gate;
mod iresnet;
mod networks;
mod pictures;
mod plan;
#[path = "../../pipeline/tests/support/gate.rs"]
mod process;
mod report;
mod serve;
mod stage;
mod start;
mod walk;

fn main() -> anyhow::Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if asked == ["serve"] {
        return serve::serve();
    }
    // Asked for by name only: it measures a device that most machines do not have.
    if let [cuda, rest @ ..] = &asked[..]
        && cuda == "cuda"
    {
        return cuda::bench(rest);
    }
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    if wanted("gate") {
        report::keep("gate", gate::QUESTION, &gate::answer()?)?;
    }
    if wanted("networks") {
        report::keep("networks", networks::QUESTION, &networks::answer()?)?;
    }
    if wanted("start") {
        report::keep("start", start::QUESTION, &start::answer()?)?;
    }
    if wanted("walk") {
        report::keep("walk", walk::QUESTION, &walk::answer()?)?;
    }
    if wanted("plan") {
        report::keep("plan", plan::QUESTION, &plan::answer()?)?;
    }
    if wanted("pictures") {
        report::keep("pictures", pictures::QUESTION, &pictures::answer()?)?;
    }
    if wanted("flow") {
        report::keep("flow", flow::QUESTION, &flow::answer()?)?;
    }
    if wanted("stage") {
        report::keep("stage", stage::QUESTION, &stage::answer()?)?;
    }
    if wanted("cameras") {
        report::keep("cameras", cameras::QUESTION, &cameras::answer()?)?;
    }
    Ok(())
}
