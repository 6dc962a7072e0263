//! A backtest as one page: figures and plots, no script, nothing fetched.

use crate::{
    accuracy::page::{HEAD, escaped},
    flow::backtest::{Backtest, Traced, score::Figures},
};
use jiff::tz::TimeZone;
use plotters::{coord::Shift, prelude::*};
use std::fmt::Write as _;

/// Width and height of a plot.
const SIZE: (u32, u32) = (960, 360);
/// What was measured; what was forecast (Okabe and Ito 2008: they stay apart for the colour-blind).
const COUNTED: RGBColor = RGBColor(213, 94, 0);
const FORECAST: RGBColor = RGBColor(0, 114, 178);

/// A plot that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a plot could not be drawn: {0}")]
pub struct PlotError(String);

fn fault(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

/// The page; `title` says what was tested, times are by `zone`'s clocks.
///
/// # Errors
/// [`PlotError`], when a plot cannot be drawn.
pub fn html(tested: &Backtest, title: &str, zone: &TimeZone) -> Result<String, PlotError> {
    let title = escaped(title);
    let mut page = String::from(HEAD);
    let _string = write!(page, "<title>{title}</title></head><body><h1>{title}</h1>");
    let _string = write!(
        page,
        "<p>Each forecast was made from what lay before it. An error of 1 is that of &ldquo;as a week ago&rdquo; before the \
         test, {:.2} people a step; {} steps were history, {} were forecast. A count on the end of an interval counts by the \
         share of its cell inside; the last two columns count it whole.</p>",
        tested.scale,
        tested.trained,
        tested.trace.len()
    );
    page.push_str(
        "<table><tr><th>ahead<th>error (MASE)<th>as a week ago<th>best of the library<th>in 80 %<th>in 95 %\
         <th>80 %, ends in<th>95 %, ends in<th>forecasts</tr>",
    );
    for scored in &tested.scored {
        row(&mut page, &format!("{} min", scored.minutes), &scored.all);
        if let Some(event) = &scored.event_hours {
            row(&mut page, &format!("{} min, event hours", scored.minutes), event);
        }
    }
    page.push_str("</table>");
    let day = tested.trace.first().zip(tested.trace.get(1)).map_or(1, |(first, second)| {
        let step_s = second.at.duration_since(first.at).as_secs().max(1);
        usize::try_from(86_400 / step_s).unwrap_or(1).max(1)
    });
    for (horizon, scored) in tested.scored.iter().enumerate() {
        let last = tested.trace.len().saturating_sub(7 * day);
        let busiest = busiest(&tested.trace, day);
        for (what, part) in [("the last week", &tested.trace[last..]), ("the busiest day", busiest)] {
            let _string = write!(page, "<h2>{} minutes ahead, {what}</h2>", scored.minutes);
            let _string = write!(page, "<figure>{}</figure>", plot(part, horizon, zone)?);
        }
    }
    page.push_str("<p>Orange: counted. Blue: the median, in its 80 % and 95 % intervals.</p></body></html>\n");
    Ok(page)
}

fn row(page: &mut String, name: &str, figures: &Figures) {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    let percent = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{:.1} %", 100.0 * value));
    let best = figures.best_library.map_or(String::new(), |best| format!(" ({best})"));
    let _string = write!(
        page,
        "<tr><td>{name}<td>{}<td>{}<td>{}{best}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
        number(figures.mase),
        number(figures.mase_seasonal_naive),
        number(figures.mase_best_library),
        percent(figures.coverage80),
        percent(figures.coverage95),
        percent(figures.closed80),
        percent(figures.closed95),
        figures.forecasts
    );
}

/// The day's length of steps with most people.
fn busiest(trace: &[Traced], day: usize) -> &[Traced] {
    let people = |part: &&[Traced]| part.iter().filter_map(|step| step.count).sum::<f64>();
    trace.chunks(day).max_by(|a, b| people(a).total_cmp(&people(b))).unwrap_or(trace)
}

fn plot(part: &[Traced], horizon: usize, zone: &TimeZone) -> Result<String, PlotError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area, part, horizon, zone)?;
        area.present().map_err(fault)?;
    }
    Ok(svg)
}

fn draw(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    part: &[Traced],
    horizon: usize,
    zone: &TimeZone,
) -> Result<(), PlotError> {
    let spread = |step: &Traced| step.spreads.get(horizon).copied().flatten().map(|spread| spread.fan());
    let high = |step: &Traced| spread(step).map_or(0.0, |fan| fan.high95).max(step.count.unwrap_or(0.0));
    let most = part.iter().map(high).fold(1.0, f64::max);
    let last = part.len().max(2) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..last, 0.0..most * 1.05)
        .map_err(fault)?;
    let clock = |at: &f64| {
        let at = part.get(*at as usize).or(part.last()).map(|step| step.at.to_zoned(zone.clone()));
        at.map_or(String::new(), |at| at.strftime("%a %H:%M").to_string())
    };
    let mesh = &mut chart.configure_mesh();
    mesh.x_label_formatter(&clock).y_desc("people a step").light_line_style(TRANSPARENT).draw().map_err(fault)?;
    let fans: Vec<_> = part.iter().enumerate().filter_map(|(i, step)| Some((i as f64, spread(step)?))).collect();
    for (shade, ends) in [(0.15, true), (0.3, false)] {
        let boxes = fans.iter().map(|(x, fan)| {
            let (low, high) = if ends { (fan.low95, fan.high95) } else { (fan.low80, fan.high80) };
            Rectangle::new([(*x, low), (x + 1.0, high)], FORECAST.mix(shade).filled())
        });
        chart.draw_series(boxes).map_err(fault)?;
    }
    let median = fans.iter().map(|(x, fan)| (x + 0.5, fan.median));
    chart.draw_series(LineSeries::new(median, FORECAST.stroke_width(1))).map_err(fault)?;
    let counted = part.iter().enumerate().filter_map(|(i, step)| Some((i as f64 + 0.5, step.count?)));
    chart.draw_series(counted.map(|at| Circle::new(at, 2, COUNTED.filled()))).map_err(fault)?;
    Ok(())
}
