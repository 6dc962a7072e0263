//! `usher demo`: the whole way on real faces, judged by its own ground truth.

use crate::{
    accuracy::walks::{Tally, Walks},
    capture::stills::scene::Scene,
    cli::{
        Common, MEND_ME,
        crowd::{self, Enrolled},
        logging,
        run::{asked_to_stop, say_where, start},
    },
    clock::{Clock, Moment, SystemClock},
    decide::visit::Visit,
    publish::acked::Acked,
    supervise::Stop,
    wire::{Gate, Listeners},
};
use anyhow::Context;
use crossbeam::channel::{Receiver, bounded};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::Duration,
};
use usher_config::{
    Config,
    capture::Source,
    crowd::Crowd,
    login::Login,
    value::{Name, Secret},
};

/// Show the whole way on real faces; ends with one JSON line of what was right and wrong.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A real camera instead of the crowd: rtsp://…, /dev/video0, file:PATH.
    #[arg(long)]
    camera: Option<String>,
    /// Open no browser.
    #[arg(long)]
    headless: bool,
    /// End after this long: `60`, `90 s`, `5 min`. Without it, at Ctrl-C.
    #[arg(long, value_parser = seconds)]
    duration: Option<Duration>,
}

/// Room for what listeners hear between two rounds; a crowd decides one visit a second at most.
const HEARD: usize = 1024;
/// How often the demo looks round.
const ROUND: Duration = Duration::from_millis(200);

/// The crowds of the `stills:` cameras, and their files.
type Crowds = BTreeMap<Name, (PathBuf, Crowd)>;

fn seconds(text: &str) -> Result<Duration, String> {
    let plain = text.trim().parse::<u64>().map(Duration::from_secs).ok();
    plain.or_else(|| humantime::parse_duration(text).ok()).ok_or_else(|| "write 60, 90 s or 5 min".to_owned())
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    let clock: Arc<dyn Clock> = SystemClock::start();
    let begun = clock.now();
    let mut config = match usher_config::read(&common.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    if let Some(camera) = &args.camera {
        look_at(&mut config, camera)?;
    }
    let asked = asked_to_stop()?;
    let crowds = crowds(&config)?;
    let enrolled = crowd::enrol(&config, crowds.values().map(|(path, crowd)| (path.as_path(), crowd)))?;

    let (visits, visits_out) = bounded(HEARD);
    let (acked, acked_out) = bounded(HEARD);
    let listeners = Listeners { visits: Some(visits), acked: Some(acked) };
    let running = clock.now();
    let started = start(&config, &clock, listeners)?;
    let started = match started {
        Ok(started) => started,
        Err(code) => return Ok(code),
    };
    let ready = clock.now().since(running);
    tracing::info!(enrolled_in_s = running.since(begun).as_secs_f64(), "the crowd is enrolled");
    say_where(&started.gate);
    if !args.headless {
        open(&format!("http://{}/", started.gate.pages));
    }
    let mut judge = Judge::new(crowds, &enrolled, visits_out);
    let from = clock.now();
    let code = watch(&started.gate, &mut judge, &clock, from, args.duration, &asked);
    let seconds = clock.now().since(from).as_secs_f64();
    let analysed = sum_of(&(started.figures)(), crate::metrics::ANALYSED);
    let memory = resident_mib();
    started.gate.stop();
    let acked: Vec<Acked> = acked_out.try_iter().collect();
    let cameras = config.cameras.len();
    let tally = judge.tally();
    for (camera, walk, who) in judge.missed() {
        tracing::info!(%camera, walk, who, "an enrolled walk was not named");
    }
    println!(
        "{}",
        json!({
            "cameras": cameras,
            "analysed_fps": round(analysed / seconds / cameras as f64, 2),
            "walks_enrolled": tally.walks_enrolled,
            "named_right": tally.named_right,
            "named_wrong": tally.named_wrong,
            "named_again": tally.named_again,
            "walks_unenrolled": tally.walks_unenrolled,
            "unenrolled_named": tally.unenrolled_named,
            "first_face_to_ack_ms": quantiles(acked.iter().map(|acked| acked.since_first)),
            "settling_face_to_ack_ms": quantiles(acked.iter().map(|acked| acked.since_settling)),
            "ready_s": round(ready.as_secs_f64(), 2),
            "rss_mib": round(memory, 1),
            "seconds": round(seconds, 1),
        })
    );
    code
}

/// Points the first camera at `url`. User and password may stand in it, since it is typed and not kept.
fn look_at(config: &mut Config, url: &str) -> anyhow::Result<()> {
    let camera = config.cameras.values_mut().next().context("the demo's configuration has a camera")?;
    let (url, login) = without_login(url);
    camera.source = Source::from_url(&url, &std::env::current_dir()?).context("--camera")?;
    camera.login = login;
    Ok(())
}

/// `rtsp://user:password@host/…` apart.
fn without_login(url: &str) -> (String, Option<Login>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (login, host) = authority.rsplit_once('@')?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let login = Login { user: user.to_owned(), password: Secret::new(password.to_owned()) };
        Some((format!("{scheme}://{host}{path}"), Some(login)))
    };
    parts().unwrap_or_else(|| (url.to_owned(), None))
}

fn crowds(config: &Config) -> anyhow::Result<Crowds> {
    let mut crowds = BTreeMap::new();
    for (name, camera) in &config.cameras {
        if let Source::Stills { path } = &camera.source {
            crowds.insert(name.clone(), (path.clone(), Crowd::read(path)?));
        }
    }
    Ok(crowds)
}

/// Judges visits by the truth of their camera.
struct Judge {
    walks: BTreeMap<Name, Walks>,
    visits: Receiver<Visit>,
    /// First and last stream time decided upon is not enough to know how long a crowd was watched; time is.
    watched: Duration,
}

impl Judge {
    fn new(crowds: Crowds, enrolled: &Enrolled, visits: Receiver<Visit>) -> Self {
        let walks = |(name, (_, crowd)): (Name, (PathBuf, Crowd))| {
            (name, Walks::new(Box::new(Scene::of(&crowd)), enrolled.clone()))
        };
        Self { walks: crowds.into_iter().map(walks).collect(), visits, watched: Duration::ZERO }
    }

    fn listen(&mut self) {
        for visit in self.visits.try_iter() {
            match self.walks.get_mut(&visit.camera.name) {
                Some(walks) => {
                    let judgement = walks.judge(visit.pts, &visit.rect, visit.visitor);
                    let (looks, over) = (visit.evidence.looks, visit.evidence.over);
                    tracing::info!(camera = %visit.camera.name, visit = %visit.id, ?judgement, looks, ?over, "visit");
                }
                None => tracing::info!(camera = %visit.camera.name, visit = %visit.id, "visit"),
            }
        }
    }

    fn tally(&self) -> Tally {
        let tallies = self.walks.values().map(|walks| walks.tally(Duration::ZERO, self.watched));
        tallies.fold(Tally::default(), |sum, tally| sum + tally)
    }

    fn missed(&self) -> Vec<(Name, u64, String)> {
        let of = |(camera, walks): (&Name, &Walks)| {
            let missed = walks.missed(Duration::ZERO, self.watched).into_iter();
            missed.map(|(walk, who)| (camera.clone(), walk, who)).collect::<Vec<_>>()
        };
        self.walks.iter().flat_map(of).collect()
    }
}

fn watch(
    gate: &Gate,
    judge: &mut Judge,
    clock: &Arc<dyn Clock>,
    from: Moment,
    duration: Option<Duration>,
    asked: &Stop,
) -> anyhow::Result<ExitCode> {
    loop {
        let stopping = asked.wait(ROUND);
        judge.listen();
        judge.watched = clock.now().since(from);
        if stopping || duration.is_some_and(|duration| judge.watched >= duration) {
            return Ok(ExitCode::SUCCESS);
        }
        gate.is_whole()?;
    }
}

/// The sum of a metric over its labels, from the text of `/metrics`.
fn sum_of(page: &str, name: &str) -> f64 {
    let of_it = |line: &&str| line.split([' ', '{']).next() == Some(name);
    page.lines().filter(of_it).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Resident memory of this process at its highest, MiB.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().map_or(f64::NAN, |kib| kib / 1024.0)
}

/// Median, 95th percentile and number of these times, milliseconds.
fn quantiles(times: impl Iterator<Item = Duration>) -> serde_json::Value {
    let mut ms: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
    ms.sort_by(f64::total_cmp);
    json!({ "p50": quantile(&ms, 0.50), "p95": quantile(&ms, 0.95), "n": ms.len() })
}

/// The nearest-rank quantile of sorted milliseconds; null when there is none.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).map(|ms| round(*ms, 1))
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// Opens a browser where there is a screen; the address has been printed either way.
fn open(address: &str) {
    let screen = std::env::var_os("DISPLAY").or_else(|| std::env::var_os("WAYLAND_DISPLAY"));
    if screen.is_some() {
        let _nobody_minds = Command::new("xdg-open").arg(address).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measured_values() {
        let sorted: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!((quantile(&sorted, 0.5), quantile(&sorted, 0.95)), (Some(10.0), Some(19.0)));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_typed_login_is_taken_out_of_the_url() {
        let (url, login) = without_login("rtsp://usher:s:ec@ret@10.0.0.1:554/live/1");
        let login = login.unwrap();
        assert_eq!((url.as_str(), login.user.as_str()), ("rtsp://10.0.0.1:554/live/1", "usher"));
        assert_eq!(login.password.reveal(), "s:ec@ret");
        assert_eq!(without_login("/dev/video0"), ("/dev/video0".to_owned(), None));
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(seconds("60"), Ok(Duration::from_secs(60)));
        assert_eq!(seconds("5 min"), Ok(Duration::from_secs(300)));
        assert!(seconds("soon").unwrap_err().contains("90 s"));
    }

    #[test]
    fn a_metric_is_summed_over_its_labels_only() {
        let page = "# HELP a_total x\na_total{camera=\"x\"} 3\na_total{camera=\"y\"} 4\na_total_more 9\n";
        assert!((sum_of(page, "a_total") - 7.0).abs() < 1e-9);
    }
}
