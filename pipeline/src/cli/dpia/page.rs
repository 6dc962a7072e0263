//! The annex as Markdown.

use crate::cli::dpia::{
    annex::Annex,
    facts::{Basis, Gate, LawTold, Promise, Stock, Told, time},
};
use std::fmt::Write as _;
use usher_config::decide::Liveness;

/// The whole page.
pub(super) fn markdown(annex: &Annex) -> String {
    let mut page = format!(
        "# Annex to the data protection impact assessment: {}\n\nMade {} by usher {} from the live configuration (`usher dpia`). Every figure \
         names its source; what is not known is said to be. It is not the assessment itself: the last section is the controller's.\n\n",
        annex.site, annex.made, annex.usher
    );
    let unsaid = "not said (`gallery.notice`)".to_owned();
    let said = |text: &Option<String>| text.as_ref().map_or(unsaid.clone(), |text| cell(text));
    line(&mut page, &format!("- Controller: {}", said(&annex.controller)));
    line(&mut page, &format!("- Contact: {}", said(&annex.contact)));
    head(&mut page, "Warnings");
    for warning in &annex.warnings {
        line(&mut page, &format!("- {warning}"));
    }
    if annex.warnings.is_empty() {
        line(&mut page, "None.");
    }
    head(&mut page, "Gates");
    table(&mut page, &["gate", "mode", "cameras", "liveness", "quiet time"], annex.gates.iter().map(gate));
    head(&mut page, "What is processed of whom");
    let rows = annex.processing.iter();
    let rows = rows.map(|row| vec![row.whom, &row.what, row.place, &row.how_long, row.readers]);
    table(&mut page, &["whom", "what", "where", "how long", "who can read it"], rows.map(owned));
    let kept = &annex.kept;
    head(&mut page, "How long visitors are kept");
    let ends = kept.event_ends.as_deref().map_or(String::new(), |at| format!(" ({at})"));
    line(&mut page, &format!("- The event's end: {}{ends}.", kept.event_ends_from));
    line(&mut page, &format!("- After that: {} (`gallery.keep`).", time(kept.keep_s)));
    line(&mut page, &format!("- Whoever enrols now is erased {} at the latest.", kept.enrolled_now_until));
    line(
        &mut page,
        &format!("- Nobody is kept for more than {} from enrolment, whatever is configured.", time(kept.ceiling_s)),
    );
    line(&mut page, &format!("- Below {} years a parent or guardian must agree.", kept.guardian_age));
    head(&mut page, "Security measures, as configured");
    let rows = annex.measures.iter().map(|row| owned(vec![row.about, &row.as_configured]));
    table(&mut page, &["about", "as configured"], rows);
    head(&mut page, "The threshold, and what it rests on");
    promise(&mut page, &annex.promise);
    table(
        &mut page,
        &["measured", "figure (95 % interval)", "source"],
        annex.figures.iter().map(|row| owned(vec![row.what, row.figure, row.source])),
    );
    head(&mut page, "The gallery now");
    gallery(&mut page, &annex.gallery);
    head(&mut page, "Risks");
    let rows = annex.risks.iter().map(|risk| owned(vec![risk.what, &risk.done, risk.left]));
    table(&mut page, &["risk", "what usher does", "what is left"], rows);
    head(&mut page, "To be filled in by the controller");
    for point in annex.open {
        line(&mut page, &format!("- **TO BE FILLED IN BY THE CONTROLLER**: {point}."));
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

fn head(page: &mut String, text: &str) {
    line(page, &format!("\n## {text}\n"));
}

fn owned(cells: Vec<&str>) -> Vec<String> {
    cells.into_iter().map(str::to_owned).collect()
}

/// What may stand in a table's cell: one line, and no end of the cell.
fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|")
}

fn table(page: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    line(page, &format!("| {} |", head.join(" | ")));
    line(page, &format!("|{}", "---|".repeat(head.len())));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|text| cell(text)).collect();
        line(page, &format!("| {} |", cells.join(" | ")));
    }
}

fn gate(gate: &Gate) -> Vec<String> {
    let mode = match &gate.responsible {
        Some(responsible) => format!("{}, for which {responsible} answers", gate.mode),
        None => gate.mode.to_owned(),
    };
    let cameras = gate.cameras.iter().map(|camera| {
        let zone = match camera.zone_corners {
            0 => "the whole picture".to_owned(),
            corners => format!("a zone of {corners} corners"),
        };
        let stream = if camera.is_readable { ", unencrypted" } else { "" };
        format!("{}: {zone}{stream}", camera.name)
    });
    let cameras = cameras.collect::<Vec<_>>().join("; ");
    let liveness = match gate.liveness {
        Liveness::Off => "off",
        Liveness::Advisory => "advisory",
        Liveness::Required => "required",
    };
    vec![gate.name.clone(), mode, cameras, liveness.to_owned(), time(gate.quiet_s)]
}

fn promise(page: &mut String, promise: &Promise) {
    let of = (1.0 / promise.wrong_greetings).round();
    line(
        page,
        &format!(
            "Promised (`rules.wrong_greetings`): of visitors who never enrolled, at most 1 of {of} is greeted by a wrong name. Embedder: `{}`.\n",
            promise.embedder
        ),
    );
    match &promise.law {
        Told::Known(known) => law(page, known),
        Told::Unknown { not_available } => line(page, &format!("Thresholds: not available: {not_available}.\n")),
    }
}

fn law(page: &mut String, law: &LawTold) {
    let basis = match &law.basis {
        Basis::Shipped => "shipped statistics (pipeline/src/identify/laws.json, docs/accuracy-threshold.md): Labelled Faces in the Wild, \
                           press photographs and not your visitors. This site has not calibrated"
            .to_owned(),
        Basis::Brought(file) => format!("the site's own measurement of an embedder that it brought ({file}). No walks were calibrated"),
        Basis::Site(own) => {
            let least = own.supported.iter().map(|point| point.wrong_greetings).fold(1.0, f64::min);
            format!(
                "this site's calibration (calibration.json, signed by the box) of {}: {} walks of {} people who were not enrolled, past {} \
                 references; it supports shares down to 1 of {}, below that the stricter of its line and the general law counts",
                own.made,
                own.walks,
                own.people,
                own.references,
                (1.0 / least).round()
            )
        }
    };
    line(page, &format!("Thresholds of `{}` come from {basis}.\n", law.model));
    let rows = law.thresholds.iter().map(|row| vec![row.people.to_string(), format!("{:.3}", row.score)]);
    table(page, &["people compared with", "score that a walk must reach"], rows);
    let mut reached = String::new();
    for row in &law.scores {
        let _string = write!(
            reached,
            "{}{:.3} at {:.0e}",
            if reached.is_empty() { "" } else { ", " },
            row.score,
            row.false_match_rate
        );
    }
    line(page, &format!("\nScores that two different people reach, by false match rate: {reached}.\n"));
}

fn gallery(page: &mut String, gallery: &Told<Stock>) {
    let stock = match gallery {
        Told::Known(stock) => stock,
        Told::Unknown { not_available } => return line(page, &format!("not available: {not_available}.")),
    };
    let report = &stock.report;
    line(page, &format!("- Visitors: {}, of whom {} keep their key in their pass.", report.visitors, report.locked));
    line(page, &format!("- Templates: {}.", report.templates));
    line(page, &format!("- Audit log: {} lines, the last has the hash {}.", report.lines, report.head));
    let whole = if stock.whole {
        "everybody has their consent, nobody outlived it, the log is whole"
    } else {
        "something is wrong; `usher audit verify` says what"
    };
    line(page, &format!("- `usher audit verify`: {whole}."));
}
