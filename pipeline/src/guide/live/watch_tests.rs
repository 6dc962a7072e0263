//! Files as people and editors change them.

use super::*;
use crate::{
    clock::{Clock, SystemClock},
    supervise::stop,
};
use tempfile::TempDir;

/// A programme of one session.
fn programme(title: &str, start: &str) -> String {
    format!(
        "time_zone: Europe/Berlin\nsessions:\n  - {{ id: a, sport: Judo, title: {title}, venue: Hall, start: {start}, \
         end: 2026-07-14 22:00 }}\n"
    )
}

const PLACES: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"kind":"gate","name":"gate-a"},"geometry":{"type":"Point","coordinates":[13.4,52.52]}},
    {"type":"Feature","properties":{"kind":"transit","name":"North Park"},"geometry":{"type":"Point","coordinates":[13.401,52.52]}}
]}"#;

/// A site of all three files.
fn site() -> (TempDir, guide::Guide) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("day.yaml"), programme("Bouts", "2026-07-14 20:00")).unwrap();
    fs::write(at("site.geojson"), PLACES).unwrap();
    fs::create_dir(at("feed")).unwrap();
    feed(&at("feed"), "21:40:00");
    let (programme, places, transit) = (Some(at("day.yaml")), Some(at("site.geojson")), Some(at("feed")));
    (folder, guide::Guide { programme, places, transit })
}

/// A feed of one departure a day.
fn feed(folder: &Path, departs: &str) {
    for (name, text) in [
        ("agency.txt", "agency_timezone\nEurope/Berlin\n".to_owned()),
        ("routes.txt", "route_id,route_short_name\nu2,U2\n".to_owned()),
        ("calendar_dates.txt", "service_id,date,exception_type\nd,20260714,1\n".to_owned()),
        ("trips.txt", "trip_id,route_id,service_id,trip_headsign\nt,u2,d,Pankow\n".to_owned()),
        ("stops.txt", "stop_id,stop_lat,stop_lon\np,52.5201,13.4011\nq,52.6,13.4\n".to_owned()),
        ("stop_times.txt", format!("trip_id,stop_id,stop_sequence,departure_time\nt,p,1,{departs}\nt,q,2,23:00:00\n")),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

fn opened(files: &guide::Guide) -> Watch {
    let (live, problems) = Live::open(files);
    assert!(problems.is_none(), "{}", problems.unwrap());
    let mut watch = Watch::new(files, live, None);
    settle(&mut watch);
    watch
}

/// Looks until nothing is being read any more.
fn settle(watch: &mut Watch) {
    let (_held, never) = stop();
    for _ in 0..3 {
        watch.look();
    }
    while watch.reading.is_some() {
        assert!(!never.wait(Duration::from_millis(1)));
        watch.look();
    }
}

fn title(watch: &Watch) -> String {
    watch.live.load().programme.as_ref().unwrap().sessions[0].title.clone()
}

/// The next departure at the stop among the places.
fn departs(watch: &Watch) -> Option<String> {
    let guide = watch.live.load();
    let now = "2026-07-14T20:00:00[Europe/Berlin]".parse().unwrap();
    let stop = *guide.stops().first()?;
    let next = guide.departures()?.next(stop, &now, 1);
    next.first().map(|one| format!("{} {} {}", one.line, one.towards, one.at.strftime("%H:%M")))
}

#[test]
fn what_is_written_in_place_or_renamed_into_place_is_live_after_two_looks() {
    let (folder, files) = site();
    let mut watch = opened(&files);
    assert_eq!((title(&watch).as_str(), watch.live.trouble_now()), ("Bouts", None));
    let path = files.programme.as_ref().unwrap();
    fs::write(path, programme("Heats", "2026-07-14 20:00")).unwrap();
    watch.look();
    assert_eq!(title(&watch), "Bouts", "it may still be being written");
    watch.look();
    assert_eq!(title(&watch), "Heats");
    let aside = folder.path().join("day.yaml~");
    fs::write(&aside, programme("Final", "2026-07-14 20:00")).unwrap();
    fs::rename(&aside, path).unwrap();
    watch.look();
    watch.look();
    assert_eq!(title(&watch), "Final");
}

#[test]
fn a_file_that_keeps_growing_is_not_read_until_it_stands_still() {
    let (_folder, files) = site();
    let mut watch = opened(&files);
    let path = files.programme.as_ref().unwrap();
    let text = programme("Heats", "2026-07-14 20:00");
    for end in (0..text.len()).step_by(9).chain([text.len()]) {
        fs::write(path, &text[..end]).unwrap();
        watch.look();
        assert_eq!((title(&watch).as_str(), watch.live.trouble_now()), ("Bouts", None), "{end}");
    }
    watch.look();
    assert_eq!(title(&watch), "Heats");
}

#[test]
fn a_broken_file_leaves_the_last_good_data_is_told_once_and_heals_by_itself() {
    let (_folder, files) = site();
    let mut watch = opened(&files);
    let path = files.programme.as_ref().unwrap();
    fs::write(path, programme("Heats", "2026-07-14 23:00")).unwrap();
    assert_eq!((watch.look(), watch.look(), watch.look(), watch.look()), (false, true, false, false));
    let trouble = watch.live.trouble_now().unwrap();
    assert!(trouble.contains("day.yaml:3:") && trouble.contains("is not after its start"), "{trouble}");
    assert_eq!(title(&watch), "Bouts");
    // Broken in the same way once more: nothing to say that was not said.
    fs::write(path, programme("Heats", "2026-07-14 23:00")).unwrap();
    assert_eq!((watch.look(), watch.look()), (false, false));
    fs::write(path, programme("Heats", "2026-07-14 20:30")).unwrap();
    assert_eq!((watch.look(), watch.look()), (false, true));
    assert_eq!((title(&watch).as_str(), watch.live.trouble_now()), ("Heats", None));
}

#[test]
fn a_file_that_is_taken_away_and_a_folder_that_is_replaced_are_got_over() {
    let (folder, mut files) = site();
    let inner = folder.path().join("current");
    fs::create_dir(&inner).unwrap();
    fs::rename(files.programme.as_ref().unwrap(), inner.join("day.yaml")).unwrap();
    files.programme = Some(inner.join("day.yaml"));
    let mut watch = opened(&files);
    fs::rename(&inner, folder.path().join("old")).unwrap();
    settle(&mut watch);
    assert!(watch.live.trouble_now().unwrap().contains("cannot be read"));
    assert_eq!(title(&watch), "Bouts");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("day.yaml"), programme("Heats", "2026-07-14 20:00")).unwrap();
    settle(&mut watch);
    assert_eq!((title(&watch).as_str(), watch.live.trouble_now()), ("Heats", None));
    // Behind a link that is turned, as deployments do.
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    fs::rename(&inner, &one).unwrap();
    fs::create_dir(&two).unwrap();
    fs::write(two.join("day.yaml"), programme("Final", "2026-07-14 20:00")).unwrap();
    std::os::unix::fs::symlink(&two, &inner).unwrap();
    settle(&mut watch);
    assert_eq!((title(&watch).as_str(), watch.live.trouble_now()), ("Final", None));
}

#[test]
fn places_and_public_transport_are_read_anew_and_departures_follow_the_stops() {
    let (_folder, files) = site();
    let mut watch = opened(&files);
    assert_eq!(departs(&watch).as_deref(), Some("U2 Pankow 21:40"));
    feed(files.transit.as_ref().unwrap(), "22:10:00");
    settle(&mut watch);
    assert_eq!(departs(&watch).as_deref(), Some("U2 Pankow 22:10"));
    // The stop moves out of reach of every stop of the feed, and back.
    let path = files.places.as_ref().unwrap();
    fs::write(path, PLACES.replace("13.401,52.52", "13.5,52.4")).unwrap();
    settle(&mut watch);
    assert_eq!(departs(&watch), None);
    fs::write(path, PLACES).unwrap();
    settle(&mut watch);
    assert_eq!(departs(&watch).as_deref(), Some("U2 Pankow 22:10"));
    fs::write(path, PLACES.replace("gate-a", "gate-b")).unwrap();
    settle(&mut watch);
    assert_eq!(watch.live.load().places.as_ref().unwrap().places[0].name, "gate-b");
    assert!(watch.live.load().ways.is_some() && watch.live.load().legs.is_some());
    fs::remove_file(files.transit.as_ref().unwrap().join("stops.txt")).unwrap();
    settle(&mut watch);
    assert!(watch.live.trouble_now().unwrap().contains("`stops.txt` is missing"));
    assert_eq!(departs(&watch).as_deref(), Some("U2 Pankow 22:10"), "the last good departures stay");
}

#[test]
fn a_gate_that_starts_with_broken_files_has_the_others_and_takes_them_up_when_they_are_mended() {
    let (_folder, files) = site();
    fs::write(files.programme.as_ref().unwrap(), "time_zone: Europe/Berlinn\nsessions: []\n").unwrap();
    fs::write(files.places.as_ref().unwrap(), "{").unwrap();
    let (live, problems) = Live::open(&files);
    let said = problems.unwrap().to_string();
    assert!(said.contains("Europe/Berlinn") && said.contains("site.geojson"), "{said}");
    assert!(live.trouble_now().unwrap().contains("day.yaml"));
    let mut watch = Watch::new(&files, live, None);
    settle(&mut watch);
    assert!(watch.live.load().programme.is_none() && watch.live.load().places.is_none());
    fs::write(files.programme.as_ref().unwrap(), programme("Heats", "2026-07-14 20:00")).unwrap();
    fs::write(files.places.as_ref().unwrap(), PLACES).unwrap();
    settle(&mut watch);
    settle(&mut watch);
    assert_eq!((title(&watch).as_str(), watch.live.trouble_now()), ("Heats", None));
    assert_eq!(departs(&watch).as_deref(), Some("U2 Pankow 21:40"));
}

#[test]
fn a_running_watch_tells_which_sessions_changed_and_what_is_wrong() {
    let (_folder, files) = site();
    let (live, _) = Live::open(&files);
    let health = Arc::new(Health::of([]));
    let (stopper, stop) = stop();
    let (tell, told) = bounded(4);
    let beat = Beat::default();
    let thread = watch(&files, live.clone(), health.clone(), Some(tell), stop.clone(), beat.clone());
    let path = files.programme.as_ref().unwrap();
    let (clock, limit) = (SystemClock::start(), Duration::from_secs(20));
    fs::write(path, programme("Bouts", "2026-07-14 21:00")).unwrap();
    let changed = told.recv_timeout(limit).unwrap();
    println!("told {} ms after the write", clock.now().steady.as_millis());
    assert!(matches!(&changed[..], [Change::Other(session)] if session.id == "a"), "{changed:?}");
    assert!(beat.count() > 0);
    fs::write(path, "").unwrap();
    while health.guide().is_none() {
        assert!(clock.now().steady < 2 * limit && !stop.wait(Duration::from_millis(5)));
    }
    assert!(health.guide().unwrap().contains("the file is empty"));
    drop(stopper);
    thread.join().unwrap();
}
