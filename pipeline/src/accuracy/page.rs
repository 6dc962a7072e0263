//! A report as one page: figures and plots, no script, nothing fetched.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::fmt::Write as _;

/// Width and height of a plot.
const SIZE: (u32, u32) = (720, 420);
/// Bars of a histogram.
const BARS: usize = 60;

/// A report.
pub struct Page {
    /// What was measured.
    pub title: String,
    /// Figures: what, and how much.
    pub figures: Vec<(String, String)>,
    /// What may and may not be concluded.
    pub notes: Vec<String>,
    /// Below each other.
    pub plots: Vec<Plot>,
}

/// A plot.
pub enum Plot {
    /// How often each score was seen, as a share of each set.
    Scores {
        /// Heading.
        title: String,
        /// Sets by name.
        sets: Vec<(String, Vec<f32>)>,
        /// Where a line is drawn.
        threshold: Option<f32>,
    },
    /// One rate against another, both on logarithmic axes.
    Rates {
        /// Heading.
        title: String,
        /// What x and y are.
        axes: [String; 2],
        /// Points; those with a rate of nothing are left out.
        points: Vec<(f64, f64)>,
    },
    /// The share of trials that were over by a time.
    Times {
        /// Heading.
        title: String,
        /// What is counted on x, with its unit.
        axis: String,
        /// One for each trial.
        values: Vec<f64>,
    },
}

/// A plot that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a plot could not be drawn: {0}")]
pub struct PlotError(String);

impl Page {
    /// The page as HTML.
    ///
    /// # Errors
    /// [`PlotError`], for instance when a value is not finite.
    pub fn html(&self) -> Result<String, PlotError> {
        let mut page = String::from(HEAD);
        let title = escaped(&self.title);
        let _string = write!(page, "<title>{title}</title></head><body><h1>{title}</h1><table>");
        for (what, much) in &self.figures {
            let _string = write!(page, "<tr><th scope=row>{}</th><td>{}</td></tr>", escaped(what), escaped(much));
        }
        page.push_str("</table>");
        for note in &self.notes {
            let _string = write!(page, "<p>{}</p>", escaped(note));
        }
        for plot in &self.plots {
            let _string = write!(page, "<h2>{}</h2><figure>{}</figure>", escaped(plot.title()), plot.svg()?);
        }
        page.push_str("</body></html>\n");
        Ok(page)
    }
}

/// Before the title of any page of figures.
pub(crate) const HEAD: &str = "<!doctype html><html lang=en><head><meta charset=utf-8>\
<meta name=viewport content=\"width=device-width,initial-scale=1\"><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}table{border-collapse:collapse}\
th,td{text-align:left;padding:.2rem 1.5rem .2rem 0;vertical-align:top;font-weight:400}td{font-variant-numeric:tabular-nums}\
th{color:#57606a}figure{margin:0}svg{width:100%;height:auto}</style>";

/// Text as HTML shows it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Colours that stay apart for the colour-blind (Okabe and Ito 2008).
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

impl Plot {
    fn title(&self) -> &str {
        match self {
            Self::Scores { title, .. } | Self::Rates { title, .. } | Self::Times { title, .. } => title,
        }
    }

    fn svg(&self) -> Result<String, PlotError> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            let drawn = match self {
                Self::Scores { sets, threshold, .. } => scores(&area, sets, *threshold),
                Self::Rates { axes, points, .. } => rates(&area, axes, points),
                Self::Times { axis, values, .. } => times(&area, axis, values),
            };
            drawn.and_then(|()| area.present().map_err(fault))?;
        }
        Ok(svg)
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn fault(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

/// The share of each set in each bar from -1 to 1.
fn shares(scores: &[f32]) -> Vec<f64> {
    let mut bars = vec![0.0; BARS];
    for score in scores {
        let at = ((f64::from(*score) + 1.0) / 2.0 * BARS as f64).clamp(0.0, BARS as f64 - 1.0);
        bars[at as usize] += 1.0 / scores.len() as f64;
    }
    bars
}

fn scores(area: &Area<'_>, sets: &[(String, Vec<f32>)], threshold: Option<f32>) -> Result<(), PlotError> {
    let bars: Vec<_> = sets.iter().map(|(name, scores)| (name, shares(scores))).collect();
    let most = bars.iter().flat_map(|(_, bars)| bars).fold(0.01, |most: f64, bar| most.max(*bar));
    let at = |bar: usize| bar as f64 / BARS as f64 * 2.0 - 1.0;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.4..1.0, 0.0..most * 1.05)
        .map_err(fault)?;
    let percent = |v: &f64| format!("{:.0} %", 100.0 * v);
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc("comparison score").y_label_formatter(&percent).light_line_style(TRANSPARENT).draw().map_err(fault)?;
    for ((name, bars), colour) in bars.iter().zip(COLOURS) {
        let boxes = bars
            .iter()
            .enumerate()
            .filter(|(bar, share)| **share > 0.0 && at(*bar) >= -0.4)
            .map(|(bar, share)| Rectangle::new([(at(bar), 0.0), (at(bar + 1), *share)], colour.mix(0.55).filled()));
        let drawn = chart.draw_series(boxes).map_err(fault)?;
        let key = move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.mix(0.55).filled());
        drawn.label(name.as_str()).legend(key);
    }
    if let Some(threshold) = threshold.map(f64::from) {
        let line = vec![(threshold, 0.0), (threshold, most * 1.05)];
        chart.draw_series(LineSeries::new(line, BLACK.stroke_width(1))).map_err(fault)?;
        let style = ("sans-serif", 13).into_text_style(area).pos(Pos::new(HPos::Left, VPos::Top));
        let text = Text::new(format!(" threshold {threshold:.3}"), (threshold, most * 1.04), style);
        chart.draw_series([text]).map_err(fault)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(TRANSPARENT)
        .draw()
        .map_err(fault)
}

fn rates(area: &Area<'_>, axes: &[String; 2], points: &[(f64, f64)]) -> Result<(), PlotError> {
    let points: Vec<_> = points.iter().copied().filter(|(x, y)| *x > 0.0 && *y > 0.0).collect();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let (low, high) =
            points.iter().map(of).fold((0.1, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
        low / 1.5..(high * 1.5).clamp(2.0 * low, 1.0)
    };
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(range(|p| p.0).log_scale(), range(|p| p.1).log_scale())
        .map_err(fault)?;
    let percent = |v: &f64| format!("{} %", (1e4 * 100.0 * v).round() / 1e4);
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc(&axes[0]).y_desc(&axes[1]).x_label_formatter(&percent).y_label_formatter(&percent);
    mesh.light_line_style(TRANSPARENT).draw().map_err(fault)?;
    chart.draw_series(LineSeries::new(points, COLOURS[0].stroke_width(2))).map_err(fault).map(|_| ())
}

fn times(area: &Area<'_>, axis: &str, values: &[f64]) -> Result<(), PlotError> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let most = values.last().copied().unwrap_or(1.0).max(1e-3);
    let all = values.len().max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..most * 1.05, 0.0..1.0)
        .map_err(fault)?;
    let percent = |v: &f64| format!("{:.0} %", 100.0 * v);
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc(axis).y_label_formatter(&percent).light_line_style(TRANSPARENT).draw().map_err(fault)?;
    let steps = values.iter().enumerate().flat_map(|(i, v)| [(*v, i as f64 / all), (*v, (i + 1) as f64 / all)]);
    let steps = std::iter::once((0.0, 0.0)).chain(steps);
    chart.draw_series(LineSeries::new(steps, COLOURS[0].stroke_width(2))).map_err(fault).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_nothing_else_and_trusts_no_text() {
        let sets = vec![("one person".to_owned(), vec![0.7, 0.8]), ("two people".to_owned(), vec![0.1, -0.99])];
        let plots = vec![
            Plot::Scores { title: "Scores".into(), sets, threshold: Some(0.4) },
            Plot::Rates {
                title: "DET".into(),
                axes: ["FMR".into(), "FNMR".into()],
                points: vec![(0.0, 0.3), (0.001, 0.2), (0.01, 0.1)],
            },
            Plot::Times { title: "Time".into(), axis: "s".into(), values: vec![0.3, 0.2] },
        ];
        let figures = vec![("people".to_owned(), "2 & <more>".to_owned())];
        let page = Page { title: "T".into(), figures, notes: vec!["n".into()], plots }.html().unwrap();
        assert_eq!(page.matches("<svg").count(), 3);
        assert!(page.contains("2 &amp; &lt;more&gt;"));
        for outside in ["<script", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn plots_of_nothing_are_drawn_empty() {
        let sets = vec![("nobody".to_owned(), Vec::new())];
        for plot in [
            Plot::Scores { title: String::new(), sets, threshold: None },
            Plot::Rates { title: String::new(), axes: Default::default(), points: Vec::new() },
            Plot::Times { title: String::new(), axis: String::new(), values: Vec::new() },
        ] {
            assert!(plot.svg().unwrap().contains("<svg"));
        }
    }
}
