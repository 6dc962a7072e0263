//! Walks synthesised from a folder of faces.
//!
//! Whoever has a picture more than it takes to enrol is enrolled, and walks up in the next one; everybody else walks up in
//! their first. Pictures are drawn into the frames of a `stills:` camera, each frame of a walk with its own light, blur, detail
//! and compression; from there on all is as at a gate: detector, tracker, choice of looks, embedder.

use crate::{
    accuracy::{
        collection::{Collection, Which},
        portraits::{Mirror, Portraits},
        trials::{Look, Trials, Way, attempts},
    },
    capture::{
        recorded::drawn,
        stills::{Stills, scene::Scene},
    },
    cli::walked::walked,
    clock::SystemClock,
    gallery::{
        picture::Picture,
        search::{Enrolled, Gallery},
        visitor::{Visitor, VisitorId},
    },
    identify::threshold::Law,
    wire,
};
use anyhow::{Context, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::{
    collections::BTreeMap,
    path::Path,
    thread,
    time::{Duration, SystemTime},
};
use usher_config::{
    Config,
    crowd::{self, Changes, Crowd, Gait, Person},
};
use usher_models::{
    compute::{Choice, Compute},
    face::Face,
    template::Template,
};
use uuid::Uuid;

/// From 20 pixels between the eyes, where looks begin, to 60.
const GAIT: Gait = Gait {
    far_px: 18.0,
    near_px: 60.0,
    approach_s: 3.0,
    pause_least_s: 0.0,
    pause_most_s: 0.5,
    leave_s: 1.0,
    gap_s: 0.5,
};

/// A gate by bad light: each frame of a walk is one of six moments, of which the worst show little of a face.
const CHANGES: Changes = Changes {
    light: 0.4,
    gamma: 0.3,
    cast: 0.1,
    scale: 0.6,
    blur_px: 2.0,
    tilt_deg: 12.0,
    quality: 20,
    motion: 0.12,
    moments: 6,
};

/// What the walks of a folder were judged to be.
pub(super) struct Judged {
    pub(super) trials: BTreeMap<Way, Trials>,
    pub(super) enrolled: usize,
    pub(super) strangers: usize,
    /// Walks of which no look was taken.
    pub(super) never_looked_at: usize,
    pub(super) looks: usize,
    pub(super) model: String,
}

/// Somebody of the folder.
struct Walker {
    visitor: Option<VisitorId>,
    picture: Which,
    face: Face,
}

/// Lets the people of `folder` walk, enrolled with `views` pictures each, and judges every walk in every way.
pub(super) fn judged(folder: &Path, embedder: &str, views: usize, data: &Path) -> anyhow::Result<Judged> {
    let collection = Collection::read(folder)?;
    let (walkers, gallery) = cast(&collection, embedder, views, &data.join("models"))?;
    let enrolled = walkers.iter().filter(|walker| walker.visitor.is_some()).count();
    let strangers = walkers.len() - enrolled;
    if enrolled == 0 || strangers == 0 {
        bail!(
            "{} has {enrolled} people with more than {views} pictures and {strangers} with fewer: both are needed",
            folder.display()
        );
    }
    let config = configured(embedder, data)?;
    let walked = all_walked(&config, &collection, &walkers)?;
    let (law, rules) = (Law::of_brought(gallery.model(), &config.data.join("models"))?, &config.rules);
    let mut trials: BTreeMap<Way, Trials> = BTreeMap::new();
    for (person, (walker, tracks)) in walkers.iter().zip(&walked).enumerate() {
        let others = walker.visitor.map(|visitor| gallery.without(visitor));
        for way in Way::ALL {
            let trials = trials.entry(way).or_default();
            if let Some(visitor) = walker.visitor {
                trials.mated(person, visitor, &attempts(tracks, &gallery, (rules, &law), way)?);
            }
            let others = others.as_ref().unwrap_or(&gallery);
            trials.non_mated(person, &attempts(tracks, others, (rules, &law), way)?);
        }
    }
    Ok(Judged {
        trials,
        enrolled,
        strangers,
        never_looked_at: walked.iter().filter(|tracks| tracks.is_empty()).count(),
        looks: walked.iter().flatten().map(Vec::len).sum(),
        model: gallery.model().0.clone(),
    })
}

/// Who walks, and who is enrolled.
fn cast(
    collection: &Collection,
    embedder: &str,
    views: usize,
    weights: &Path,
) -> anyhow::Result<(Vec<Walker>, Gallery)> {
    let compute = Compute::open(Choice::Auto)?;
    let mut networks = Portraits::open("yunet", embedder, weights, &compute)?;
    let bar = ProgressBar::new(collection.people.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} people, {eta} to go")?);
    let (mut walkers, mut enrolled) = (Vec::new(), Vec::new());
    // Nobody expires: one moment, before anybody does.
    let (now, later) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    let read = |which: Which| {
        let path = collection.path(which);
        Picture::read(path).with_context(|| path.display().to_string())
    };
    for (person, of) in collection.people.iter().enumerate() {
        bar.inc(1);
        let at = |picture: usize| Which { person, picture };
        let enrols = of.pictures.len() > views;
        let mut references = Vec::new();
        for view in 0..if enrols { views } else { 0 } {
            if let Some(portrait) = networks.portrait(&read(at(view))?)? {
                references.push(portrait.reference(Mirror::References)?);
            }
        }
        let picture = at(if enrols { views } else { 0 });
        let Some((face, _)) = networks.crop(&read(picture)?)? else { continue };
        let visitor = (!references.is_empty()).then(|| VisitorId(Uuid::from_u128(person as u128)));
        if let Some(id) = visitor {
            enrolled.push(Enrolled {
                visitor: Visitor::named(id, "", "", later),
                enrolled: now,
                templates: vec![Template::mean(&references)?],
            });
        }
        walkers.push(Walker { visitor, picture, face });
    }
    bar.finish_and_clear();
    Ok((walkers, Gallery::new(networks.model(), enrolled, now)))
}

/// A gate as it comes, but for the embedder.
fn configured(embedder: &str, data: &Path) -> anyhow::Result<Config> {
    let text = format!(
        "site: folder\ncameras: {{ walks: {{ url: \"rtsp://127.0.0.1/folder\" }} }}\ngates: {{ gate: {{ cameras: [walks], mode: identification, responsible: the evaluation }} }}\n\
         infer: {{ embedder: {embedder} }}\npublish: {{ broker: embedded }}\n"
    );
    let mut config = usher_config::from_text(&text, "folder", Path::new("."))?;
    data.clone_into(&mut config.data);
    Ok(config)
}

/// The looks at every walker, by track: as many crowds as there are cores, each at its own camera.
fn all_walked(config: &Config, collection: &Collection, walkers: &[Walker]) -> anyhow::Result<Vec<Vec<Vec<Look>>>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let bars = MultiProgress::new();
    let parts: Vec<&[Walker]> = walkers.chunks(walkers.len().div_ceil(cores)).collect();
    let walked = thread::scope(|scope| {
        let threads: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(seed, part)| {
                let bar = bars.add(ProgressBar::no_length());
                scope.spawn(move || walked_together(config, collection, part, seed as u64, &bar))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a panic ends the process")).collect::<Vec<_>>()
    });
    let walked: anyhow::Result<Vec<_>> = walked.into_iter().collect();
    Ok(walked?.into_iter().flatten().collect())
}

fn walked_together(
    config: &Config,
    collection: &Collection,
    walkers: &[Walker],
    seed: u64,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Vec<Vec<Look>>>> {
    let crowd = crowd(collection, walkers, seed);
    let scene = Scene::of(&crowd);
    let until = scene.round();
    bar.set_length((until.as_secs_f64() * f64::from(crowd.fps)) as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} frames, {eta} to go")?);
    let camera = wire::offline::cameras(config).into_values().next().context("there is one camera")?;
    let (folder, at, clock) = (collection.folder().to_owned(), camera.clone(), SystemClock::start());
    let open = move || Stills::of(&crowd, &folder);
    let mut looks = walked(config, &camera, &scene, |seat, stop| drawn(open, until, at, seat, clock, stop), bar)?;
    bar.finish_and_clear();
    let mut of_walkers: Vec<Vec<Vec<Look>>> = walkers.iter().map(|_| Vec::new()).collect();
    for walk in scene.walks(until) {
        of_walkers[walk.person] = looks.walks.remove(&walk.id).unwrap_or_default();
    }
    Ok(of_walkers)
}

fn crowd(collection: &Collection, walkers: &[Walker], seed: u64) -> Crowd {
    let person = |(number, walker): (usize, &Walker)| {
        let Face { rect, landmarks: [right, left, ..], .. } = walker.face;
        let picture = collection.path(walker.picture);
        let look = crowd::Look {
            picture: picture.strip_prefix(collection.folder()).unwrap_or(picture).to_owned(),
            face: [rect.x, rect.y, rect.width, rect.height],
            eyes: [[right.x, right.y], [left.x, left.y]],
        };
        Person { who: number.to_string(), looks: vec![look], enrolled: None }
    };
    Crowd {
        width: 1280,
        height: 720,
        fps: 15,
        seed,
        pictures: None,
        together: 3,
        looped: false,
        walk: GAIT,
        changes: CHANGES,
        people: walkers.iter().enumerate().map(person).collect(),
    }
}
