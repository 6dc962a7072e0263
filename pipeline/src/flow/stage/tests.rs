use super::*;
use crate::{
    clock::HandClock,
    flow::{board::Gate as Told, count::border::Way, desk::desk, told::Counting},
    in_force::InForce,
};
use std::time::{SystemTime, UNIX_EPOCH};
use usher_config::guide;

/// 17:00 UTC on some day.
const BEGUN: Duration = Duration::from_secs(1_785_085_200);

struct Rig {
    stage: Stage,
    tallies: Arc<Tallies>,
    board: Arc<Board>,
    health: Arc<Health>,
    clock: Arc<HandClock>,
    folder: tempfile::TempDir,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl Rig {
    fn new(gates: usize, history: Option<&str>) -> Self {
        Self::built(gates, history, "", OpenLanes::forgetful())
    }

    /// The same, where gates are built so, and staff said that so many lanes are open.
    fn built(gates: usize, history: Option<&str>, lanes: &str, open: OpenLanes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gate.yaml");
        let camera = |n| format!("  cam-{n}: {{ url: \"rtsp://127.0.0.1/{n}\" }}\n");
        let gate = |n| format!("  gate-{n}: {{ cameras: [cam-{n}]{lanes} }}\n");
        let all = |one: &dyn Fn(usize) -> String| (0..gates).map(one).collect::<String>();
        let text = format!("site: arena\ndata: data\ncameras:\n{}gates:\n{}", all(&camera), all(&gate));
        std::fs::write(&file, text).unwrap();
        let config = usher_config::read(&file).unwrap();
        let clock = HandClock::at(UNIX_EPOCH + BEGUN);
        let tallies = Arc::new(Tallies::of(&config, TimeZone::UTC, clock.now()));
        let (board, health) = (Arc::<Board>::default(), Arc::new(Health::of([])));
        let (live, _) = Live::open(&guide::Guide::default());
        let history = history.map(|text| {
            std::fs::write(folder.path().join("gate-0.csv"), text).unwrap();
            folder.path().to_owned()
        });
        let setup = Setup {
            site: name("arena"),
            gates: config.gates.iter().map(|(name, gate)| (name.clone(), gate.lanes)).collect(),
            backs: BTreeSet::new(),
            open,
            tallies: tallies.clone(),
            zone: TimeZone::UTC,
            history,
            record: None,
            weather: None,
            live: live.clone(),
            concierge: Arc::new(Concierge::new(live, None)),
            health: health.clone(),
            board: board.clone(),
        };
        let stage = Stage::new(setup, clock.now());
        Self { stage, tallies, board, health, clock, folder }
    }

    /// Lets seconds pass in which these cameras look.
    fn pass(&mut self, seconds: u64, cameras: &[&str]) {
        for _ in 0..seconds * 5 {
            self.clock.pass(ROUND);
            let now = self.clock.now();
            cameras.iter().for_each(|camera| self.tallies.saw(&name(camera), now, 0));
            let _recorded = self.tallies.turn(now, false);
            self.stage.round(&*self.clock, &Beat::default());
        }
    }

    fn told(&self, gate: &str) -> Told {
        self.board.gate(&name(gate)).unwrap()
    }
}

fn ago(rig: &Rig, at: SystemTime) -> u64 {
    rig.clock.now().wall.duration_since(at).unwrap().as_secs()
}

#[test]
fn every_gate_is_told_within_ten_seconds_and_then_every_ten_and_forecast_every_minute() {
    let mut rig = Rig::new(7, None);
    let all: Vec<String> = (0..7).map(|n| format!("cam-{n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    rig.pass(10, &all);
    assert_eq!(rig.board.gates().1.len(), 7);
    rig.pass(60, &all);
    for second in 0..70 {
        rig.pass(1, &all);
        for gate in rig.board.gates().1.values() {
            assert!(ago(&rig, gate.flow.at) <= 10, "{second}: {:?}", gate.flow);
            let forecast = gate.forecast.as_ref().unwrap();
            assert!(ago(&rig, forecast.at) <= 61, "{second}: {:?}", forecast.at);
            assert_eq!(forecast.told.horizons.iter().map(|one| one.minutes).collect::<Vec<_>>(), [5, 15, 30, 60]);
        }
    }
    // Not all at once.
    let times: BTreeSet<_> = rig.board.gates().1.values().map(|gate| gate.flow.at).collect();
    assert!(times.len() > 3, "{times:?}");
}

#[test]
fn a_camera_that_is_lost_is_told_at_once_and_once_and_so_is_its_return() {
    let mut rig = Rig::new(2, None);
    rig.pass(75, &["cam-0", "cam-1"]);
    let now = rig.clock.now();
    rig.tallies.cross(&name("cam-0"), Way::In, now.steady, now, true);
    rig.pass(11, &["cam-0", "cam-1"]);
    let told = rig.told("gate-0").flow.told;
    assert_eq!((told.counting, told.entered_last_minute, told.advice.len()), (Counting::Whole, Some(1), 0));

    // Whoever looks at the board each second sees the advice begin long before ten seconds are over.
    let mut lost_at = None;
    for second in 0..30 {
        rig.pass(1, &["cam-1"]);
        let told = rig.told("gate-0").flow.told;
        if told.counting == Counting::None && lost_at.is_none() {
            lost_at = Some(second);
            assert_eq!(ago(&rig, rig.told("gate-0").flow.at), 0);
            assert_eq!(told.entered_last_minute, None, "nobody saw, which is not nobody");
            assert_eq!((told.entered_total, told.advice.len()), (1, 1));
        }
    }
    assert!(lost_at.is_some());
    let causes: Vec<_> = rig.told("gate-0").flow.told.advice.iter().map(|one| one.cause.clone()).collect();
    assert_eq!(causes, ["cameras"], "one advice of one cause");
    assert!(rig.told("gate-1").flow.told.advice.is_empty());
    // The minutes in which nobody saw are gaps.
    rig.pass(100, &["cam-1"]);
    let last = *rig.told("gate-0").past.last().unwrap();
    assert_eq!((last.entered, rig.told("gate-1").past.last().unwrap().entered), (None, Some(0)));
    rig.pass(3, &["cam-0", "cam-1"]);
    assert!(rig.told("gate-0").flow.told.advice.is_empty(), "it is told at once that it sees again");
}

#[test]
fn a_history_that_breaks_changes_nothing_and_health_says_which_line() {
    let rows: String = (0..3 * 288)
        .map(|step: i64| {
            let at = Timestamp::from_second(BEGUN.as_secs() as i64 - (3 * 288 - step) * 300).unwrap();
            format!("{at},{}\n", 20 + step % 7)
        })
        .collect();
    let mut rig = Rig::new(1, Some(&format!("timestamp,count\n{rows}")));
    rig.pass(10, &["cam-0"]);
    let median = |rig: &Rig| rig.told("gate-0").forecast.unwrap().told.horizons[1].arrivals.median;
    assert!((3.0..6.0).contains(&median(&rig)), "about 23 in five minutes, {} a minute", median(&rig));
    std::fs::write(rig.folder.path().join("gate-0.csv"), format!("timestamp,count\n{rows}tomorrow,7\n")).unwrap();
    rig.pass(70, &["cam-0"]);
    let trouble = rig.health.flow().unwrap();
    assert!(trouble.contains("gate-0.csv") && trouble.contains("tomorrow"), "{trouble}");
    assert!(median(&rig) > 1.0);
    std::fs::write(rig.folder.path().join("gate-0.csv"), format!("timestamp,count\n{rows}")).unwrap();
    rig.pass(3, &["cam-0"]);
    assert_eq!(rig.health.flow(), None);
}

#[test]
fn a_question_about_a_gate_that_measures_no_queue_is_answered_by_why() {
    let mut rig = Rig::new(1, None);
    rig.pass(10, &["cam-0"]);
    let (desk, questions) = desk();
    let asker = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            ["gate-0", "gate-9"].map(|gate| desk.ask(name(gate), 2, UNIX_EPOCH + BEGUN, Duration::from_secs(20)))
        });
        for question in questions.iter().take(2) {
            rig.stage.hear(question, rig.clock.now());
        }
        asked.join().unwrap()
    });
    assert_eq!(asker, [Err(Refusal::NoQueue), Err(Refusal::NoGate)]);
}

#[test]
fn a_day_ends_at_four_by_the_venues_clocks() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let end = |at: &str| tell::end_of_day(at.parse().unwrap(), &zone).to_string();
    assert_eq!(end("2026-07-26T18:00:00Z"), "2026-07-27T02:00:00Z");
    assert_eq!(end("2026-07-27T01:59:00Z"), "2026-07-27T02:00:00Z");
    // The night on which clocks go forward is an hour shorter.
    assert_eq!(end("2026-03-28T20:00:00Z"), "2026-03-29T02:00:00Z");
}

#[test]
fn what_staff_say_of_lanes_is_so_at_once_and_after_a_restart() {
    let kept = tempfile::tempdir().unwrap();
    let lanes = BTreeMap::from([(name("gate-0"), 4)]);
    let open = || OpenLanes::kept(kept.path(), &lanes, Box::new(|_, _, _, _| Ok(())));
    let built = || Rig::built(1, None, ", lanes: 4, open_lanes: 2", open());
    let mut rig = built();
    rig.pass(90, &["cam-0"]);
    let told = |rig: &Rig| rig.told("gate-0").flow.told.queue.unwrap().lanes_open;
    assert_eq!(told(&rig), 2);
    let (desk, asked) = desk();
    let say = |rig: &mut Rig, gate: &str, lanes| {
        std::thread::scope(|scope| {
            let said = scope.spawn(|| desk.set_lanes(name(gate), lanes, Duration::from_secs(20)));
            rig.stage.hear(asked.recv().unwrap(), rig.clock.now());
            said.join().unwrap()
        })
    };
    assert_eq!(say(&mut rig, "gate-0", 3), Ok(()));
    rig.pass(1, &["cam-0"]);
    assert_eq!((told(&rig), ago(&rig, rig.told("gate-0").flow.at)), (3, 0), "told at once");
    assert_eq!(say(&mut rig, "gate-0", 5), Err(Refusal::Lanes(4)));
    assert_eq!(say(&mut rig, "gate-9", 1), Err(Refusal::NoGate));
    // The broker is heard, and nobody waits for it.
    assert!(desk.hear_lanes(name("gate-0"), 0) && desk.hear_lanes(name("gate-0"), 9));
    for said in asked.try_iter() {
        rig.stage.hear(said, rig.clock.now());
    }
    rig.pass(1, &["cam-0"]);
    assert_eq!(told(&rig), 3, "nine lanes are passed over, and it is the last that the broker said");
    assert!(desk.hear_lanes(name("gate-0"), 1));
    rig.stage.hear(asked.recv().unwrap(), rig.clock.now());
    rig.pass(6, &["cam-0"]);
    assert_eq!(told(&rig), 1);
    // Whoever starts anew knows it.
    let mut rig = built();
    rig.pass(90, &["cam-0"]);
    assert_eq!(told(&rig), 1);
}

#[test]
fn lanes_that_cannot_be_written_down_are_not_open() {
    let kept = tempfile::tempdir().unwrap();
    let lanes = BTreeMap::from([(name("gate-0"), 4)]);
    let open = OpenLanes::kept(kept.path(), &lanes, Box::new(|_, _, _, _| Err("no room".to_owned())));
    let mut rig = Rig::built(1, None, ", lanes: 4, open_lanes: 2", open);
    rig.pass(90, &["cam-0"]);
    let refused = rig.stage.set_lanes(&name("gate-0"), 3, By::Operator, rig.clock.now());
    assert!(refused.unwrap_err().to_string().contains("make room in the data folder"));
    rig.pass(11, &["cam-0"]);
    assert_eq!(rig.told("gate-0").flow.told.queue.unwrap().lanes_open, 2);
}

#[test]
fn the_first_minute_says_since_when_it_is_counted() {
    let mut rig = Rig::new(1, None);
    rig.pass(75, &[]);
    rig.pass(30, &["cam-0"]);
    let told = rig.told("gate-0").flow.told;
    let since: Timestamp = told.counting_since.as_ref().unwrap().parse().unwrap();
    let begun = Timestamp::from_second(BEGUN.as_secs() as i64).unwrap();
    assert!((74..=76).contains(&since.duration_since(begun).as_secs()), "{since} {begun}");
    assert_eq!((told.counting, told.lost_cameras.len()), (Counting::Partial, 0));
    rig.pass(45, &["cam-0"]);
    let told = rig.told("gate-0").flow.told;
    assert_eq!((told.counting, &told.counting_since), (Counting::Whole, &None));
}

#[test]
fn gates_come_and_go_and_those_that_stay_are_told_on() {
    let mut rig = Rig::new(2, None);
    rig.pass(70, &["cam-0", "cam-1"]);
    assert!(rig.told("gate-1").forecast.is_some());
    let read = |text: &str| usher_config::from_text(text, "x.yaml", std::path::Path::new("")).unwrap();
    let text = |gates: &[(usize, &str)]| {
        let all = |one: &dyn Fn(&(usize, &str)) -> String| gates.iter().map(one).collect::<String>();
        let cameras = all(&|(n, _)| format!("  cam-{n}: {{ url: \"rtsp://127.0.0.1/{n}\" }}\n"));
        format!(
            "site: arena\ndata: data\ncameras:\n{cameras}gates:\n{}",
            all(&|(n, lanes)| format!("  gate-{n}: {{ cameras: [cam-{n}]{lanes} }}\n"))
        )
    };
    let in_force = InForce::of(&read(&text(&[(0, ""), (1, "")])));
    rig.stage = rig.stage.following(&in_force);
    let before = rig.told("gate-1").forecast.unwrap().version;
    let next = read(&text(&[(1, ", lanes: 4, open_lanes: 2"), (2, "")]));
    rig.tallies.take_up(&next, rig.clock.now());
    in_force.put(next);
    rig.pass(1, &["cam-1", "cam-2"]);
    assert!(in_force.is_taken_up() && rig.board.gate(&name("gate-0")).is_none(), "what is gone is told no more");
    assert_eq!(rig.told("gate-1").forecast.unwrap().version, before, "what was foreseen of it stands");
    rig.pass(80, &["cam-1", "cam-2"]);
    assert!(rig.told("gate-1").forecast.unwrap().version > before && rig.told("gate-2").forecast.is_some());
    let lanes = |rig: &Rig| rig.stage.gates.iter().map(|gate| (gate.name.to_string(), gate.open())).collect::<Vec<_>>();
    assert_eq!(lanes(&rig), [("gate-1".to_owned(), 2), ("gate-2".to_owned(), 0)]);
}
