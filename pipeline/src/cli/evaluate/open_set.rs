//! `usher evaluate open-set`.

use crate::{
    accuracy::{
        collection::{Collection, Which},
        open_set::{Mated, Searches},
        page::{Page, Plot},
    },
    cli::{
        Common,
        evaluate::{Faces, portraits},
    },
};
use anyhow::{Context, bail};
use serde_json::json;
use usher_models::template::Template;

/// Most probes of one person: some are in dozens of pictures.
const MOST_PROBES: usize = 5;

pub(super) fn run(common: &Common, faces: &Faces, views: usize, fpir: f64) -> anyhow::Result<()> {
    let collection = Collection::read(&faces.folder)?;
    let enrols = |person: usize| collection.people[person].pictures.len() > views;
    let wanted: Vec<Which> = collection
        .all()
        .filter(|which| which.picture < if enrols(which.person) { views + MOST_PROBES } else { 1 })
        .collect();
    let made = portraits::made(common, faces, &collection, &wanted)?;
    // Whoever has a picture more than it takes to enrol is enrolled; of the others one picture is a stranger's.
    let (mut references, mut probes, mut strangers): (Vec<Template>, Vec<(usize, Template)>, Vec<Template>) =
        Default::default();
    for person in 0..collection.people.len() {
        let at = |picture: usize| made.portraits.get(&Which { person, picture });
        if !enrols(person) {
            strangers.extend(at(0).map(|portrait| portrait.probe(faces.mirror)).transpose()?);
            continue;
        }
        let enrolled = (0..views).filter_map(at).map(|portrait| portrait.reference(faces.mirror));
        let enrolled = enrolled.collect::<Result<Vec<_>, _>>()?;
        if enrolled.is_empty() {
            continue;
        }
        for portrait in (views..views + MOST_PROBES).filter_map(at) {
            probes.push((references.len(), portrait.probe(faces.mirror)?));
        }
        references.push(Template::mean(&enrolled)?);
    }
    if references.is_empty() || strangers.is_empty() {
        bail!(
            "{} has {} people with more than {views} pictures and {} with fewer: both are needed",
            faces.folder.display(),
            references.len(),
            strangers.len()
        );
    }
    let scores = |probe: &Template| -> anyhow::Result<Vec<f32>> {
        references.iter().map(|reference| Ok(reference.compare(probe)?.0)).collect()
    };
    let mut searches = Searches::default();
    for (person, probe) in &probes {
        let scores = scores(probe)?;
        let others = scores.iter().enumerate().filter(|(other, _)| other != person).map(|(_, score)| *score);
        let wrong = others.fold(f32::NEG_INFINITY, f32::max);
        searches.mated.push(Mated { person: *person, right: scores[*person], wrong });
    }
    for probe in &strangers {
        searches.non_mated.push(scores(probe)?.into_iter().fold(f32::NEG_INFINITY, f32::max));
    }
    let point = searches.point(fpir).with_context(|| {
        format!(
            "{} strangers cannot tell an FPIR of {fpir}: at least {:.0} are needed",
            strangers.len(),
            (1.0 / fpir).ceil()
        )
    })?;
    let interval = point.fnir.interval.map(|(low, high)| format!(", 95 % {:.2} to {:.2} %", 100.0 * low, 100.0 * high));
    let found = format!("{:.2} %{}", 100.0 * point.fnir.share, interval.unwrap_or_default());
    if let Some(file) = &faces.html {
        let figures = vec![
            ("embedder".to_owned(), made.model.0.clone()),
            (
                "enrolled".to_owned(),
                format!("{} with {views} pictures each, {} probes", references.len(), probes.len()),
            ),
            ("strangers".to_owned(), strangers.len().to_string()),
            (format!("FNIR at FPIR {:.3} %", 100.0 * fpir), found.clone()),
            ("another person named".to_owned(), format!("{:.2} %", 100.0 * point.misidentified)),
        ];
        let right = searches.mated.iter().map(|probe| probe.right).collect();
        let plots = vec![
            Plot::Scores {
                title: "Best scores; the line is the threshold".into(),
                sets: vec![
                    ("the right person".into(), right),
                    ("strangers, best of all".into(), searches.non_mated.clone()),
                ],
                threshold: Some(point.threshold),
            },
            Plot::Rates {
                title: "FNIR against FPIR".into(),
                axes: ["FPIR".into(), "FNIR".into()],
                points: searches.curve(),
            },
        ];
        super::write(file, &Page { title: "usher evaluate open-set".into(), figures, notes: super::notes(), plots })?;
    }
    if common.json {
        let json = json!({
            "model": made.model, "mirror": format!("{:?}", faces.mirror).to_lowercase(), "views": views,
            "fnir": point.fnir.share, "fnir_interval": point.fnir.interval, "fpir": fpir,
            "misidentified": point.misidentified, "threshold": point.threshold,
            "n_enrolled": references.len(), "n_probes": probes.len(), "n_strangers": strangers.len(),
            "pictures_without_face": made.without_face,
        });
        println!("{json}");
    } else {
        println!("{}: {} enrolled with {views}, {} strangers", made.model.0, references.len(), strangers.len());
        println!("no face found in {} of {} pictures", made.without_face, made.pictures);
        let interval =
            point.fnir.interval.map(|(low, high)| format!(", 95 % {:.2} to {:.2} %", 100.0 * low, 100.0 * high));
        println!(
            "FPIR {:.3} %: FNIR {:.2} %{}; another person named: {:.2} %; threshold {:.4}",
            100.0 * fpir,
            100.0 * point.fnir.share,
            interval.unwrap_or_default(),
            100.0 * point.misidentified,
            point.threshold
        );
    }
    Ok(())
}
