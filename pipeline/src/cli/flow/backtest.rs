//! `usher flow backtest`: how good forecasts would have been.

use crate::{
    cli::{Common, MEND_ME},
    flow::{
        backtest::{self, Backtest, Plan, report},
        forecast::{
            events::{Event, events_of},
            weather::Weather,
        },
        series::{Problems, Read, read_csv},
    },
};
use anyhow::{Context as _, bail};
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use usher_config::value::Name;

/// Forecast a past that is known, always from what was known before, and say how good that was.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Counts: a CSV file with a column of times and one of counts, any step, holes allowed.
    file: PathBuf,
    /// The programme: what people came to, as `.yaml`, `.csv` or `.ics`; event hours are then told alone as well.
    #[arg(long)]
    programme: Option<PathBuf>,
    /// The gate that was counted: sessions of the programme that name another send nobody there.
    #[arg(long, value_parser = gate)]
    gate: Option<Name>,
    /// Weather: a CSV file with a column of times and `rain_mm` (in an hour) or `temperature_c`, or both.
    #[arg(long)]
    weather: Option<PathBuf>,
    /// How far ahead. One that ends within a step of the file is judged at the step's end, and that is said.
    #[arg(long, value_delimiter = ',', value_parser = horizon, default_value = "15m,30m,1h")]
    horizons: Vec<SignedDuration>,
    /// The end of the file that is forecast: a time such as `5w`, or a share such as `0.3`.
    #[arg(long, value_parser = test, default_value = "0.33")]
    test: Test,
    /// Longer steps than the file's, such as `5m`.
    #[arg(long, value_parser = horizon)]
    step: Option<SignedDuration>,
    /// The zone whose clocks times without an offset are by, and seasons follow; the programme's where there is one.
    #[arg(long)]
    time_zone: Option<String>,
    /// Leave out the library's models, with which a backtest takes minutes.
    #[arg(long)]
    alone: bool,
    /// A page of figures and plots.
    #[arg(long)]
    html: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    Last(SignedDuration),
    Share(f64),
}

fn gate(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| "a gate's name has 1 to 32 of a-z 0-9 _ -".to_owned())
}

fn horizon(text: &str) -> Result<SignedDuration, String> {
    let span = humantime::parse_duration(text).map_err(|_| "write a duration such as 15m, 1h or 2days".to_owned())?;
    let whole = span.as_secs() > 0 && span.subsec_nanos() == 0;
    SignedDuration::try_from(span).ok().filter(|_| whole).ok_or_else(|| "write whole seconds, at least one".to_owned())
}

fn test(text: &str) -> Result<Test, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(Test::Share(share)),
        Ok(_) => Err("a share lies between 0 and 1".to_owned()),
        Err(_) => horizon(text).map(Test::Last),
    }
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let programme = match args.programme.as_deref().map(usher_config::programme::read).transpose() {
        Ok(programme) => programme,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let zone = match (&args.time_zone, &programme) {
        (Some(name), _) => TimeZone::get(name).with_context(|| {
            format!("no time zone is called `{name}`; --time-zone wants an IANA name, such as Europe/Berlin")
        })?,
        (None, Some(programme)) => programme.time_zone.clone(),
        (None, None) => TimeZone::UTC,
    };
    let counts = read(&args.file, |text| read_csv(text, &zone))?;
    let weather = args.weather.as_deref().map(|path| read(path, |text| Weather::read(text, &zone))).transpose()?;
    let (read, weather) = match (counts, weather.transpose()) {
        (Ok(read), Ok(weather)) => (read, weather),
        (counts, weather) => {
            for problems in [counts.err(), weather.err()].into_iter().flatten() {
                eprintln!("{problems}");
            }
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let mut series = read.series.clone();
    if let Some(step) = args.step {
        let (long, short) = (step.as_secs(), series.step.as_secs().max(1));
        if long % short != 0 {
            bail!("--step is no whole number of the file's steps of {short} s; name one that is");
        }
        series = series.coarser(usize::try_from(long / short)?);
    }
    let last = series.at(series.counts.len());
    let events: Vec<Event> = programme
        .as_ref()
        .map_or_else(Vec::new, |programme| events_of(programme, args.gate.as_ref(), series.start, last));
    let all = series.counts.len();
    let test = match args.test {
        Test::Share(share) => (all as f64 * share).round() as usize,
        Test::Last(time) => usize::try_from(time.as_secs() / series.step.as_secs().max(1))?.min(all),
    };
    let with_programme = programme.is_some();
    let mut horizons: Vec<SignedDuration> = Vec::new();
    for asked in &args.horizons {
        let is = whole_steps(*asked, series.step);
        if is != *asked {
            let [asked, step, is] = [*asked, series.step, is].map(words_of);
            eprintln!("usher: {asked} ahead ends within a step of {step}; it is judged at that step's end, {is}");
        }
        if !horizons.contains(&is) {
            horizons.push(is);
        }
    }
    let plan = Plan { horizons, test, zone: zone.clone(), events, weather, library: !args.alone };
    let bar = indicatif::ProgressBar::new(test as u64).with_message("forecasts");
    let tested = backtest::run(&series, &plan, &mut |done, _| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    if let Some(path) = &args.html {
        let page = report::html(&tested, &format!("Backtest of {}", args.file.display()), &zone)?;
        std::fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if common.json {
        println!("{}", json(&tested, &args.horizons, &read, &series, with_programme));
    } else {
        print!("{}", words(&tested, &read));
    }
    Ok(ExitCode::SUCCESS)
}

/// A file's content as `parse` understands it, with its problems.
fn read<T>(path: &Path, parse: impl Fn(&str) -> Result<T, Problems>) -> anyhow::Result<Result<T, Problems>> {
    let name = path.display().to_string();
    let text = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
    Ok(parse(&String::from_utf8_lossy(&text)).map_err(|problems| problems.named(name)))
}

/// The end of the step within which a horizon ends.
fn whole_steps(horizon: SignedDuration, step: SignedDuration) -> SignedDuration {
    let step = step.as_secs().max(1);
    SignedDuration::from_secs(horizon.as_secs().saturating_add(step - 1) / step * step)
}

/// `15m`, `1h`.
fn words_of(time: SignedDuration) -> String {
    let minutes = time.as_mins();
    if minutes % 60 == 0 { format!("{}h", minutes / 60) } else { format!("{minutes}m") }
}

fn json(
    tested: &Backtest,
    asked: &[SignedDuration],
    read: &Read,
    series: &crate::flow::series::Series,
    with_programme: bool,
) -> Value {
    let mut horizons = Map::new();
    for asked in asked {
        let minutes = whole_steps(*asked, series.step).as_mins();
        let scored = tested.scored.iter().find(|scored| i64::from(scored.minutes) == minutes);
        horizons.insert(words_of(*asked), json!(scored));
    }
    json!({
        "time_column": read.time_column,
        "count_column": read.count_column,
        "rows": read.rows,
        "gaps": read.gaps,
        "step_seconds": series.step.as_secs(),
        "trained_steps": tested.trained,
        "test_steps": tested.trace.len(),
        "people_a_step_for_mase_1": tested.scale,
        "programme": with_programme,
        "horizons": horizons,
    })
}

fn words(tested: &Backtest, read: &Read) -> String {
    let mut text = format!(
        "times from column `{}`{}, counts from `{}`; {} rows, {} gaps\n",
        read.time_column,
        if read.by_clocks { " by the zone's clocks" } else { "" },
        read.count_column,
        read.rows,
        read.gaps
    );
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    let percent = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{:.1} %", 100.0 * value));
    for scored in &tested.scored {
        let parts = [("all", Some(&scored.all)), ("event hours", scored.event_hours.as_ref())];
        for (which, figures) in parts.into_iter().filter_map(|(which, figures)| Some((which, figures?))) {
            text += &format!(
                "{:>4} min, {which:<11}  MASE {}  (as a week ago {}, {} {})  in 80 %: {}  in 95 %: {}  of {}\n",
                scored.minutes,
                number(figures.mase),
                number(figures.mase_seasonal_naive),
                figures.best_library.unwrap_or("no library model"),
                number(figures.mase_best_library),
                percent(figures.coverage80),
                percent(figures.coverage95),
                figures.forecasts,
            );
        }
    }
    text
}
