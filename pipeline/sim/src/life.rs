//! One life of usher: the product's own stages and memories, from start to kill.

use crate::{
    crowd::model,
    day::{Gate, name},
    disk::Disk,
    plant::Plant,
    time::Hands,
    truth::GREETING,
};
use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use usher::{
    capture::{
        course::Course,
        frame::{Camera, Zone},
        latest::{Latest, Pace, Seat, latest},
    },
    clock::{Clock, Moment},
    decide::{
        Decider,
        quiet::Quiet,
        visit::{Notice, Visit},
    },
    flow::board::Board,
    gallery::{
        current::{Current, Watch},
        key::BoxKey,
        store::Store,
        visitor::VisitorId,
    },
    health::Health,
    identify::{
        Identifier,
        identification::Identification,
        passes::{Passes, Shown},
        threshold::Law,
    },
    infer::{
        best::Looks,
        sighting::{Sighting, TrackId},
        turns::{Pace as Turning, Turns},
    },
    publish::{
        self, Guided,
        outbox::Outbox,
        signature::EventKey,
        sink::{course::Course as Connections, mail::Mail, wire::Wire},
        teller::Teller,
    },
};
use usher_config::{
    decide::Liveness,
    identify::Rules,
    publish::{Broker, Publish},
    value::Name,
};

/// What the venue asks for; the product's defaults.
pub(crate) fn rules() -> Rules {
    let (apart, over) = (Duration::from_millis(80), Duration::from_millis(250));
    Rules { wrong_greetings: 0.001, looks: 3, apart, over, margin: 0.06, household_margin: 0.15 }
}

/// How old a camera's last frame may be; the product's default.
pub(crate) const SILENCE: Duration = Duration::from_secs(2);
/// How long a visit is kept; short, so that days see some expire.
pub(crate) const KEEP: Duration = Duration::from_secs(45 * 60);

/// A frame without pixels: who is in it.
pub(crate) struct Shot {
    pub(crate) camera: usize,
    pub(crate) taken: Moment,
    /// Walks that the detector finds in it.
    pub(crate) walks: Vec<usize>,
}

/// Somebody followed by a camera.
pub(crate) struct Followed {
    pub(crate) id: TrackId,
    pub(crate) begun: Moment,
    pub(crate) seen: Moment,
    /// Whether its gate could have known anybody, all the time.
    pub(crate) awaited: bool,
    pub(crate) faces: u32,
    pub(crate) looks: Looks,
}

/// The worker that infers.
pub(crate) struct Infer {
    pub(crate) frames: Latest<Shot>,
    pub(crate) turns: Turns,
    /// By camera and walk.
    pub(crate) followed: BTreeMap<(usize, usize), Followed>,
    pub(crate) tracks: u64,
}

/// How usher's thread of one camera is.
pub(crate) struct Reader {
    pub(crate) course: Course,
    /// Grows with each opening; what was meant for an earlier one is not heard.
    pub(crate) opening: u32,
    /// Whether it reads; else it waits for the next try.
    pub(crate) is_reading: bool,
    /// When a planted bug has given it up.
    pub(crate) faults: u32,
}

/// A stage: what it works on, and what did not fit into the next link.
pub(crate) struct Stage<T, O> {
    pub(crate) input: VecDeque<(Duration, T)>,
    pub(crate) output: VecDeque<O>,
    pub(crate) is_busy: bool,
}

impl<T, O> Default for Stage<T, O> {
    fn default() -> Self {
        Self { input: VecDeque::new(), output: VecDeque::new(), is_busy: false }
    }
}

/// One process.
pub(crate) struct Life {
    pub(crate) number: u32,
    pub(crate) clock: Arc<Hands>,
    pub(crate) health: Arc<Health>,
    pub(crate) cameras: Vec<Arc<Camera>>,
    pub(crate) seats: Vec<Seat<Shot>>,
    pub(crate) readers: Vec<Reader>,
    pub(crate) infer: Infer,
    pub(crate) inferring: Stage<(), Sighting>,
    pub(crate) current: Arc<Current>,
    /// What identify reads; the same, but where a bug is planted.
    pub(crate) known: Arc<Current>,
    pub(crate) watch: Watch,
    pub(crate) passes: Passes,
    pub(crate) identifier: Identifier,
    pub(crate) identifying: Stage<Sighting, Identification>,
    pub(crate) decider: Decider,
    pub(crate) deciding: Stage<Identification, Visit>,
    pub(crate) shown: VecDeque<Shown>,
    pub(crate) notices: VecDeque<Notice>,
    pub(crate) teller: Teller,
    pub(crate) publishing: Stage<Visit, Visit>,
    pub(crate) mail: Mail,
    pub(crate) course: Connections,
    pub(crate) wire: Option<Wire>,
    /// Which connection `wire` is of.
    pub(crate) connection: u32,
}

/// What a process starts with.
pub(crate) struct Birth<'a> {
    pub(crate) number: u32,
    pub(crate) clock: Arc<Hands>,
    pub(crate) gates: &'a [Gate],
    pub(crate) disk: &'a Disk,
    pub(crate) folder: &'a Path,
    pub(crate) key: &'a BoxKey,
    pub(crate) plant: Option<Plant>,
}

/// The gallery in the data folder, as each thread of the product opens it for itself.
pub(crate) fn store(folder: &Path, key: &BoxKey) -> Result<Store, usher::gallery::file::StoreError> {
    Store::open(&folder.join(usher::gallery::store::NAME), key.clone())
}

impl Life {
    /// A process as `usher run` would be; [`Life::is_blind`] tells whether it could not read whom gates had greeted.
    pub(crate) fn begin(birth: &Birth<'_>) -> anyhow::Result<Self> {
        let Birth { number, clock, gates, disk, folder, key, plant } = birth;
        let now = clock.now();
        let cameras: Vec<Arc<Camera>> = cameras(gates);
        let health = Arc::new(Health::of(cameras.iter().map(|camera| camera.name.clone())));
        let own_store = store(folder, key)?;
        let model = model();
        let current = Current::of(&own_store, &model, own_store.latest(now)?)?;
        let known = match plant {
            Some(Plant::ForgottenCached) => Current::of(&own_store, &model, own_store.latest(now)?)?,
            _ => current.clone(),
        };
        let quiets: BTreeMap<Name, Duration> = gates.iter().map(|gate| (gate.name.clone(), gate.quiet)).collect();
        let longest = quiets.values().max().copied().unwrap_or_default();
        let outbox = Arc::new(Outbox::over(Box::new((*disk).clone()), longest, (*clock).clone())?);
        let mut quiet = Quiet::new(quiets);
        if *plant != Some(Plant::QuietForgotten) {
            let recent = outbox.recent_visits(now.wall - Duration::from_secs(24 * 3600));
            quiet.seed(recent.into_iter().map(|visit| (visit.gate, visit.visitor, visit.decided)), now);
        }
        let shown = known.clone();
        let kept = Mutex::new(store(folder, key)?);
        let is_cached = *plant == Some(Plant::ForgottenCached);
        let setup = publish::Setup {
            settings: settings(),
            site: name("venue"),
            box_name: name("box"),
            data: PathBuf::new(),
            quiet: longest,
            visitors: Arc::new(move |id| shown.visitor(id)),
            forgotten: Box::new(move |asked: &[VisitorId]| {
                let kept = kept.lock().expect("no holder of this lock panics");
                let is_gone = |id: &&VisitorId| !is_cached && kept.holds(**id).is_ok_and(|is_kept| !is_kept);
                asked.iter().filter(is_gone).copied().collect()
            }),
            guide: Box::new(|_, _, _: SystemTime| Guided::default()),
            changes: Box::new(|_| Vec::new()),
            flow: Arc::new(Board::default()),
            lanes: None,
            health: health.clone(),
            clock: (*clock).clone(),
            acked: None,
            progress: None,
        };
        let (teller, mail, _) = publish::over(setup, &outbox, Arc::new(EventKey::of(key)));
        let watch = Watch::new(own_store, (*clock).clone(), current.clone(), health.clone());
        let (seats, frames) = latest(Pace::Live, cameras.iter().map(|_| metrics::Counter::noop()));
        let turning = Turning {
            period: Duration::from_secs(1) / 15,
            calm: Duration::from_secs(1) / 8,
            unchanged: Duration::ZERO,
        };
        let reader =
            |_: &Arc<Camera>| Reader { course: Course::new(SILENCE, true), opening: 0, is_reading: false, faults: 0 };
        health.set_ready();
        Ok(Self {
            number: *number,
            readers: cameras.iter().map(reader).collect(),
            seats,
            infer: Infer { frames, turns: Turns::new(turning), followed: BTreeMap::new(), tracks: 0 },
            inferring: Stage::default(),
            watch,
            passes: Passes::new(store(folder, key)?, now),
            identifier: Identifier::new(rules(), Law::of(&model)?, now),
            identifying: Stage::default(),
            decider: Decider::new(quiet),
            deciding: Stage::default(),
            shown: VecDeque::new(),
            notices: VecDeque::new(),
            teller,
            publishing: Stage::default(),
            course: mail.course(),
            mail,
            wire: None,
            connection: 0,
            clock: (*clock).clone(),
            health,
            cameras,
            current,
            known,
        })
    }

    /// The next track's number.
    pub(crate) fn track(&mut self) -> TrackId {
        self.infer.tracks += 1;
        TrackId(self.infer.tracks)
    }
}

fn settings() -> Publish {
    let broker = Broker::External { host: "broker".to_owned(), port: 1883, tls: None, login: None, websocket: None };
    Publish { broker, greeting: GREETING, face: true, keep: KEEP }
}

/// Every gate's cameras, by number.
fn cameras(gates: &[Gate]) -> Vec<Arc<Camera>> {
    let of = |gate: &Gate| {
        let camera = |number: &usize| {
            Arc::new(Camera {
                name: name(&format!("cam-{number}")),
                gate: gate.name.clone(),
                zone: Zone::default(),
                liveness: Liveness::Off,
                identifies: gate.identifies,
            })
        };
        gate.cameras.iter().map(camera).collect::<Vec<_>>()
    };
    gates.iter().flat_map(of).collect()
}
