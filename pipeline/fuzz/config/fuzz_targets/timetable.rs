//! A timetable (GTFS, as a folder): whatever its tables hold, problems with their mend or departures.
//!
//! The text holds the tables one after the other, each below a line `== its file`.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use std::{fs, path::PathBuf, sync::LazyLock};
use usher_config::transit::read;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = seeds::scratch().join("feed");
    fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    folder
});

const TABLES: [&str; 8] = [
    "agency.txt",
    "routes.txt",
    "calendar.txt",
    "calendar_dates.txt",
    "trips.txt",
    "frequencies.txt",
    "stops.txt",
    "stop_times.txt",
];

fuzz_target!(
    init: {
        seeds::seed("small", b"== agency.txt\nagency_id,agency_name,agency_url,agency_timezone\na,A,http://a,Europe/Berlin\n\
== routes.txt\nroute_id,agency_id,route_short_name,route_long_name,route_type\nr,a,1,,3\n\
== calendar.txt\nservice_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\ns,1,1,1,1,1,1,1,20260101,20271231\n\
== calendar_dates.txt\nservice_id,date,exception_type\ns,20260704,2\n\
== trips.txt\nroute_id,service_id,trip_id,trip_headsign\nr,s,t,\"West, main\"\n\
== frequencies.txt\ntrip_id,start_time,end_time,headway_secs\nt,06:00:00,25:00:00,600\n\
== stops.txt\nstop_id,stop_name,stop_lat,stop_lon\nx,X,52.5,13.4\ny,Y,52.6,13.4\n\
== stop_times.txt\ntrip_id,arrival_time,departure_time,stop_id,stop_sequence\nt,06:00:00,06:00:00,x,1\nt,06:10:00,06:10:00,y,2\n");
    },
    |text: &str| {
        let tables: Vec<(&str, &str)> = text.split("== ").filter_map(|table| table.split_once('\n')).collect();
        for name in TABLES {
            let table = tables.iter().find(|(named, _)| *named == name);
            match table {
                Some((_, rows)) => fs::write(FOLDER.join(name), rows).expect("the folder is ours"),
                // Where it never was, nothing needs to be taken away.
                None => drop(fs::remove_file(FOLDER.join(name))),
            }
        }
        match read(&FOLDER) {
            Ok(feed) => assert!(feed.last_day().is_some()),
            Err(problems) => {
                assert!(!problems.to_string().is_empty());
                assert!(problems.iter().all(|problem| !problem.mend.is_empty()));
            }
        }
    }
);
