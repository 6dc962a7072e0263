//! `usher evaluate pairs`.

use crate::{
    accuracy::{
        collection::{Collection, Which},
        page::{Page, Plot},
        rates::Rate,
        verification::{self, Comparison, Impostors, Point},
    },
    cli::{
        Common,
        evaluate::{Faces, law, portraits},
    },
};
use anyhow::bail;
use serde_json::json;
use usher_models::template::Template;

/// The FMRs that are reported.
const FMRS: [(&str, f64); 4] = [("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4), ("1e-5", 1e-5)];

pub(super) fn run(common: &Common, faces: &Faces, keeps_law: bool) -> anyhow::Result<()> {
    let collection = Collection::read(&faces.folder)?;
    let pairs = collection.pairs()?;
    if pairs.is_empty() {
        bail!("{}/pairs.txt has no pair", faces.folder.display());
    }
    let all: Vec<Which> = collection.all().collect();
    let made = portraits::made(common, faces, &collection, &all)?;
    // The first picture of a pair is the reference, as somebody who enrolled; the second is the look.
    let mut references: Vec<Vec<Template>> = vec![Vec::new(); collection.people.len()];
    let mut probes = references.clone();
    for (which, portrait) in &made.portraits {
        references[which.person].push(portrait.reference(faces.mirror)?);
        probes[which.person].push(portrait.probe(faces.mirror)?);
    }
    let score = |one: &Which, other: &Which| -> anyhow::Result<Option<f32>> {
        let (Some(one), Some(other)) = (made.portraits.get(one), made.portraits.get(other)) else { return Ok(None) };
        Ok(Some(one.reference(faces.mirror)?.compare(&other.probe(faces.mirror)?)?.0))
    };
    let (mut genuine, mut different, mut missing) = (Vec::new(), Vec::new(), 0);
    for (one, other) in &pairs {
        match score(one, other)? {
            None => missing += 1,
            Some(score) if one.person == other.person => {
                genuine.push(Comparison { one: one.person, other: one.person, score });
            }
            Some(score) => different.push(score),
        }
    }
    let impostors = Impostors::new(
        (0..references.len()).flat_map(|one| (one + 1..references.len()).map(move |other| (one, other))).flat_map(
            |(one, other)| {
                let probes = &probes[other];
                references[one].iter().flat_map(move |reference| {
                    probes.iter().filter_map(move |probe| {
                        Some(Comparison { one, other, score: reference.compare(probe).ok()?.0 })
                    })
                })
            },
        ),
        references.iter().map(|of| of.len() as u32).collect(),
    );
    let scores: Vec<f32> = genuine.iter().map(|comparison| comparison.score).collect();
    let errors = verification::errors(&scores, &different);
    let points: Vec<(&str, Option<Point>)> =
        FMRS.map(|(name, fmr)| (name, verification::point(&genuine, &impostors, fmr))).to_vec();
    let kept = if keeps_law { Some(law::kept(common, faces, &made.model, &points)?) } else { None };
    let by_name = |of: fn(&Point) -> serde_json::Value| -> serde_json::Value {
        points.iter().map(|(name, point)| ((*name).to_owned(), json!(point.as_ref().map(of)))).collect()
    };
    let accuracy = errors.share().map(|share| 1.0 - share);
    if let Some(file) = &faces.html {
        let mut figures = vec![
            ("embedder".to_owned(), made.model.0.clone()),
            ("pairs".to_owned(), format!("{} of {} people", pairs.len(), collection.people.len())),
            ("errors of the pairs".to_owned(), errors.to_string()),
        ];
        let points = points.iter().filter_map(|(name, point)| Some((*name, point.as_ref()?)));
        figures.extend(points.map(|(name, point)| (format!("FMR {name}"), in_words(point))));
        let threshold = impostors.threshold(1e-3, None);
        let det = impostors.curve().map(|(fmr, threshold)| (fmr, 1.0 - verification::accepted(&scores, threshold)));
        let plots = vec![
            Plot::Scores {
                title: "Scores of the pairs; the line is FMR 1e-3".into(),
                sets: vec![("one person".into(), scores.clone()), ("two people".into(), different.clone())],
                threshold,
            },
            Plot::Rates {
                title: "Detection error trade-off".into(),
                axes: ["FMR, every comparison of two people".into(), "FNMR of the pairs".into()],
                points: det.collect(),
            },
        ];
        super::write(file, &Page { title: "usher evaluate pairs".into(), figures, notes: super::notes(), plots })?;
    }
    if common.json {
        let (low, high) = errors.interval();
        let json = json!({
            "model": made.model, "mirror": format!("{:?}", faces.mirror).to_lowercase(),
            "accuracy": accuracy, "accuracy_interval": [1.0 - high, 1.0 - low],
            "tar": by_name(|point| json!(point.tar.share)),
            "tar_interval": by_name(|point| json!(point.tar.interval)),
            "threshold": by_name(|point| json!(point.threshold)),
            "threshold_interval": by_name(|point| json!(point.threshold_interval)),
            "n": pairs.len(), "genuine": genuine.len(), "different": different.len(), "pairs_without_face": missing,
            "impostor_comparisons": impostors.comparisons(),
            "pictures": made.pictures, "fta": Rate { errors: made.without_face as u64, trials: made.pictures as u64 },
            "people": collection.people.len(), "law": kept,
        });
        println!("{json}");
    } else {
        println!("{}, {} pairs of {} people", made.model.0, pairs.len(), collection.people.len());
        println!("no face found in {} of {} pictures", made.without_face, made.pictures);
        println!("errors of the pairs, thresholds cross-validated: {errors}");
        for (name, point) in &points {
            match point {
                Some(point) => println!("FMR {name}: {}", in_words(point)),
                None => println!("FMR {name}: too few comparisons of two different people to tell"),
            }
        }
        if let Some(path) = kept {
            println!("thresholds of {} are kept in {}", made.model.0, path.display());
        }
    }
    Ok(())
}

fn in_words(point: &Point) -> String {
    let interval = |interval: Option<(f64, f64)>| match interval {
        Some((low, high)) => format!(", 95 % {low:.4} to {high:.4}"),
        None => String::new(),
    };
    format!(
        "TAR {:.4}{}; threshold {:.4}{}",
        point.tar.share,
        interval(point.tar.interval),
        point.threshold,
        interval(point.threshold_interval)
    )
}
