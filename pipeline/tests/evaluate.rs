//! `usher evaluate` on real faces: what it says is what these few people show, and no more.
#![allow(clippy::disallowed_methods, reason = "a test runs the binary and waits for it")]
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

#[path = "support/gate.rs"]
mod gate;

use gate::{pictures, root, set_up};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use usher::cli::crowd::png_of;
use usher_config::crowd::Crowd;

/// The demo's people as a collection: each look a picture, and pairs of one person and of two.
fn collection() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    let mut pairs = String::new();
    for person in &crowd.people {
        let own = folder.path().join(&person.who);
        fs::create_dir(&own).unwrap();
        // Faces that their picture cuts off are no measure of an embedder.
        let whole = |look: &&usher_config::crowd::Look| !look.picture.to_string_lossy().contains("partial");
        let from = person.enrolled_from().filter(|from| !person.looks.contains(from));
        for (number, look) in from.into_iter().chain(&person.looks).filter(whole).enumerate() {
            let png = png_of(&pictures().unwrap(), look).unwrap();
            fs::write(own.join(format!("{}_{:04}.png", person.who, number + 1)), png).unwrap();
        }
        pairs += &format!("oscar 1 {} 1\n", person.who).repeat(usize::from(person.who != "oscar"));
    }
    fs::write(folder.path().join("pairs.txt"), format!("oscar 1 2\noscar 1 3\noscar 2 3\ngreta 1 2\n{pairs}")).unwrap();
    folder
}

fn usher(args: &[&str], folder: &Path) -> Output {
    let models = set_up("models", "USHER_MODELS").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.args(["evaluate", args[0]]).arg(folder).args(&args[1..]).args(["--config", "/nonexistent"]);
    command.arg("--data").arg(models.parent().unwrap()).output().unwrap()
}

fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn pairs_of_real_faces_are_told_apart_and_small_rates_are_not_claimed() {
    let folder = collection();
    let page = folder.path().join("report.html");
    let said = said(&usher(&["pairs", "--json", "--html", page.to_str().unwrap()], folder.path()));
    assert_eq!((&said["n"], &said["genuine"], &said["pairs_without_face"]), (&26.into(), &4.into(), &0.into()));
    // Four pairs of one person leave a threshold little to be chosen by: one of them may be lost to that.
    assert!(said["accuracy"].as_f64().unwrap() >= 25.0 / 26.0 - 1e-9, "{said}");
    assert_eq!(said["tar"]["1e-2"], 1.0);
    assert!(said["accuracy_interval"][0].as_f64().unwrap() < 0.9, "26 pairs say no more");
    for too_few in ["1e-3", "1e-4", "1e-5"] {
        assert_eq!(said["tar"][too_few], Value::Null, "{too_few}");
    }
    let page = fs::read_to_string(page).unwrap();
    assert!(page.matches("<svg").count() == 2 && !page.contains("<script"));
    let kept = usher(&["pairs", "--law"], folder.path());
    let why = String::from_utf8_lossy(&kept.stderr);
    assert!(!kept.status.success() && why.contains("come with usher"), "{why}");
}

#[test]
fn an_open_set_of_real_faces_names_the_enrolled_and_nobody_else() {
    let folder = collection();
    let of = |args: &[&str]| usher(&[&["open-set", "--json"], args].concat(), folder.path());
    let said = said(&of(&["--views", "1", "--fpir", "0.06"]));
    assert_eq!((&said["n_enrolled"], &said["fnir"], &said["misidentified"]), (&2.into(), &0.0.into(), &0.0.into()));
    assert!(said["threshold"].as_f64().unwrap() < 0.45);
    let refused = of(&["--views", "1", "--fpir", "0.01"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("at least 100 are needed"), "{why}");
    let nobody = of(&["--views", "9"]);
    let why = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(why.contains("0 people with more than 9 pictures"), "{why}");
}

/// The demo's crowd for as long as a few walks take: what it says is about whole walks, with how little that proves.
#[test]
fn walks_past_a_camera_are_held_against_the_truth_and_the_gallery_stays_as_it_was() {
    let models = set_up("models", "USHER_MODELS").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.args(["evaluate", "walks", "--json", "--long", "60 s"]).arg(root().join("config/demo.yaml"));
    command.arg("--data").arg(models.parent().unwrap()).env("USHER_PICTURES", pictures().unwrap());
    let said = said(&command.output().unwrap());
    let number = |what: &str, figure: &str| said[what][figure].as_f64().unwrap();
    assert!(number("fnir", "trials") >= 4.0 && number("fpir", "trials") >= 2.0, "{said}");
    assert_eq!((number("fpir", "errors"), number("misidentified", "errors")), (0.0, 0.0), "{said}");
    assert!(number("fnir", "errors") <= 1.0, "{said}");
    assert!(number("fpir", "at_most") > 0.25, "a few walks prove little: {said}");
    assert_eq!(number("bystander_looks", "errors"), 0.0);
    assert!(number("bystander_looks", "trials") >= 12.0, "{said}");
    assert!((0.25..2.0).contains(&number("time_to_decision_s", "p50")), "three looks over 250 ms: {said}");
    assert!(number("inter_eye_at_decision_px", "p50") >= 20.0, "{said}");
}

/// Four people who walk in another picture than they enrolled with, and everybody else.
#[test]
fn people_of_a_folder_walk_and_every_way_of_judging_is_compared() {
    let folder = collection();
    let page = folder.path().join("report.html");
    let said = said(&usher(&["walks", "--fpir", "0.2", "--json", "--html", page.to_str().unwrap()], folder.path()));
    assert_eq!((said["n_enrolled"].as_u64(), said["n_mated"].as_u64()), (Some(2), Some(2)), "{said}");
    assert!(said["n_non_mated"].as_u64().unwrap() >= 12, "{said}");
    assert!(said["looks"].as_u64().unwrap() >= 3 * said["n_non_mated"].as_u64().unwrap(), "{said}");
    for way in ["single_frame", "pooled_evenly", "pooled_by_quality", "gate"] {
        let fnir = said["ways"][way]["fnir"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&fnir), "{way}: {said}");
        assert!(said["ways"][way]["threshold"].as_f64().unwrap() < 0.6, "{way}: {said}");
    }
    assert!(said["ways"]["gate"]["single_frames_miss_times"].is_number(), "{said}");
    assert_eq!(fs::read_to_string(page).unwrap().matches("<svg").count(), 4);
    let refused = usher(&["walks", "--fpir", "0.003"], folder.path());
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && why.contains("333 are needed"), "{why}");
}

#[test]
fn what_cannot_be_measured_says_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let why = |output: Output| {
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(why(usher(&["pairs"], folder.path())).contains("NAME/NAME_0001.jpg"));
    let person = folder.path().join("ann");
    fs::create_dir(&person).unwrap();
    fs::write(person.join("ann_0001.jpg"), b"no picture").unwrap();
    assert!(why(usher(&["pairs"], folder.path())).contains("pairs.txt cannot be read"));
    fs::write(folder.path().join("pairs.txt"), "ann 1 1\n").unwrap();
    let error = why(usher(&["pairs"], folder.path()));
    assert!(error.contains("ann_0001.jpg") && error.contains("JPEG"), "{error}");
    assert!(why(usher(&["pairs", "--embedder", "arcface"], folder.path())).contains("sface"));
    let no_truth = why(usher(&["walks"], &root().join("config/usher.yaml")));
    assert!(no_truth.contains("no `stills:` camera"), "{no_truth}");
}
