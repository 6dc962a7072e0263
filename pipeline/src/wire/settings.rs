//! What publishing and the pages are told, from the configuration and other rooms.

use crate::{
    clock::Clock,
    coach::walk::Wanted,
    flow::{board::Board, count::tally::Tallies, desk::Desk, lanes::OpenLanes, stage},
    gallery::{current::Current, store::Store, visitor::VisitorId},
    guide::{concierge::Concierge, live::Live, programme::Upcoming},
    health::Health,
    identify::threshold::Law,
    in_force::{InForce, Settings},
    metrics,
    publish::{self, Published, acked::Acked, payload, progress::Progress, signature::PublicKey, topic::Topics},
    web,
};
use crossbeam::channel::Sender;
use jiff::tz::TimeZone;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use usher_config::{
    Config,
    decide::Mode,
    value::{Name, Secret},
};

/// How far back visits are asked for after a restart; the outbox remembers no longer than the longest quiet time.
const LONGEST_QUIET: Duration = Duration::from_secs(24 * 60 * 60);

/// How many sessions are told not to be held as announced.
const CHANGES: usize = 20;

/// How many sessions a greeting tells.
const SESSIONS: usize = 3;

/// The name of this box in topics: the host's name, as far as a topic can carry it.
fn box_name() -> Name {
    // Not from /proc, which the service does not see.
    let uname = rustix::system::uname();
    let host = uname.nodename().to_string_lossy();
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = host.trim().chars().map(fits).take(32).collect();
    Name::new(&name).or_else(|| Name::new("box")).expect("`box` is a name")
}

/// Who hears of visits on their way out, and who is asked about them. Publishing does not wait for the former.
pub(super) struct Told {
    /// Each acknowledged visit.
    pub(super) acked: Option<Sender<Acked>>,
    /// How far each visit has come.
    pub(super) progress: Option<Sender<Progress>>,
    /// Says whether somebody was forgotten meanwhile.
    pub(super) kept: Store,
    /// What flow tells of the gates.
    pub(super) flow: Arc<Board>,
    /// Where it is said how many lanes are open.
    pub(super) lanes: Desk,
}

/// What publishing needs.
pub(super) fn publishing(
    config: &Config,
    gallery: &Arc<Current>,
    concierge: Arc<Concierge>,
    health: &Arc<Health>,
    clock: &Arc<dyn Clock>,
    listeners: Told,
) -> publish::Setup {
    let (known, gallery, asked) = (gallery.clone(), gallery.clone(), concierge.clone());
    let kept = Mutex::new(listeners.kept);
    publish::Setup {
        settings: config.publish.clone(),
        site: config.site.clone(),
        box_name: box_name(),
        data: config.data.clone(),
        quiet: longest_quiet(config),
        visitors: Box::new(move |id: VisitorId| gallery.visitor(id)),
        forgotten: Box::new(move |asked| {
            let mut kept = kept.lock().expect("no holder of this lock panics");
            // Another gallery may have taken its place; whoever cannot be asked about is not forgotten.
            if kept.reopen_if_replaced().is_err() {
                return Vec::new();
            }
            let is_gone = |id: &&VisitorId| kept.holds(**id).is_ok_and(|is_kept| !is_kept);
            asked.iter().filter(is_gone).copied().collect()
        }),
        guide: Box::new(move |visitor, gate, at| {
            let day = concierge.day(visitor, Some(gate), at);
            publish::Guided {
                sessions: concierge.sessions(&visitor.sport, at, SESSIONS).into_iter().map(told).collect(),
                take: day.as_ref().and_then(|_| concierge.link(visitor, at)),
                party: concierge.party(visitor),
                day,
            }
        }),
        changes: Box::new(move |at| {
            asked.keys().keep(|visitor| known.visitor(visitor).is_some());
            let change = |session: Upcoming| payload::Change { sport: session.sport.clone(), session: told(session) };
            asked.changes(at, CHANGES).into_iter().map(change).collect()
        }),
        flow: listeners.flow,
        lanes: Some(listeners.lanes),
        health: health.clone(),
        clock: clock.clone(),
        acked: listeners.acked,
        progress: listeners.progress,
    }
}

/// How long the most silent gate is quiet.
pub(super) fn longest_quiet(config: &Config) -> Duration {
    config.gates.values().map(|gate| gate.quiet).max().unwrap_or_default()
}

/// The metrics of the cameras and gates that are in force.
pub(super) fn told_of(prometheus: web::Prometheus, in_force: &Arc<InForce>) -> web::Prometheus {
    let in_force = in_force.clone();
    Box::new(move || {
        let now = in_force.load();
        let is_there = |label: &str, value: &str| {
            let name = Name::new(value);
            match label {
                "camera" => name.is_some_and(|name| now.cameras.contains_key(&name)),
                _ => name.is_some_and(|name| now.config.gates.contains_key(&name)),
            }
        };
        metrics::without_removed(&prometheus(), is_there)
    })
}

/// A session as a greeting tells it.
fn told(session: Upcoming) -> payload::Session {
    let (starts, ends) = (session.starts_at(), session.ends_at());
    let Upcoming { id, title, venue, place, gate, status, .. } = session;
    payload::Session { id, title, venue, place, starts, ends, gate, status }
}

/// What the pages are served with.
pub(super) fn pages(
    now: &Settings,
    published: &Published,
    token: Secret,
    concierge: &Arc<Concierge>,
    zone: TimeZone,
) -> web::WebSettings {
    let (config, concierge, screens) = (&now.config, concierge.clone(), published.screens());
    let mut settings = web::WebSettings {
        listen: config.web.listen,
        token,
        site: config.site.clone(),
        zone,
        gates: Vec::new(),
        pass_gates: Vec::new(),
        keys: vec![published.key()],
        signage: config.signage.clone(),
        alive: Topics::of(&config.site).alive().replace("+/alive", ""),
        map: Arc::new(move || concierge.map()),
        cameras: Vec::new(),
        websocket: match &screens.websocket {
            Some(publish::WebSocket::SameHost(port)) => web::Websocket::Here(*port),
            Some(publish::WebSocket::At(url)) => web::Websocket::At(url.clone()),
            None => web::Websocket::Nowhere,
        },
        screen: screens.login.clone().map(|(user, password)| usher_config::login::Login { user, password }),
        looks: config.rules.looks,
        portraits: config.web.why.pictures,
        wanted: Wanted::of(config),
    };
    show(&mut settings, now);
    settings
}

/// Shows what is in force; address, token and the box's own key, which is the first, stay.
pub(super) fn show(pages: &mut web::WebSettings, now: &Settings) {
    let config = &now.config;
    let gates = |is_shown: &dyn Fn(&usher_config::decide::Gate) -> bool| {
        config.gates.iter().filter(|(_, gate)| is_shown(gate)).map(|(name, _)| name.clone()).collect()
    };
    (pages.gates, pages.pass_gates) = (gates(&|_| true), gates(&|gate| gate.mode == Mode::Pass));
    pages.cameras = now.cameras.values().cloned().collect();
    pages.keys.truncate(1);
    pages.keys.extend(config.signage.keys.iter().map(|key| PublicKey::of(key.0)));
    pages.signage = config.signage.clone();
    (pages.looks, pages.portraits) = (config.rules.looks, config.web.why.pictures);
    pages.wanted = Wanted::of(config);
}

/// How visitors' telephones reach this box: as configured, or from the box itself where it serves nobody else. A name that telephones
/// cannot find would make a symbol that leads nowhere.
pub(super) fn address(config: &Config) -> Option<String> {
    let enrol = config.web.enrol.as_ref()?;
    let local = || enrol.listen.ip().is_loopback().then(|| format!("https://localhost:{}", enrol.listen.port()));
    enrol.address.clone().or_else(local)
}

/// The venue's time zone: that of the programme, else the box's.
pub(super) fn zone(live: &Live) -> TimeZone {
    let programme = live.load().programme.clone();
    programme.map_or_else(TimeZone::system, |programme| programme.time_zone.clone())
}

/// Lanes that staff said are open, kept in the data folder; `store` writes them down.
pub(super) fn open_lanes(config: &Config, mut store: Store) -> OpenLanes {
    let lanes = config.gates.iter().filter_map(|(name, gate)| Some((name.clone(), gate.lanes?.lanes))).collect();
    let audit =
        move |gate: &Name, open, by, now| store.note_lanes(gate, open, by, now).map_err(|reason| reason.to_string());
    OpenLanes::kept(&config.data, &lanes, Box::new(audit))
}

/// What flow joins; lanes are open as configured.
pub(super) fn joining(
    config: &Config,
    tallies: Arc<Tallies>,
    zone: TimeZone,
    live: Arc<Live>,
    concierge: &Arc<Concierge>,
    health: &Arc<Health>,
    board: &Arc<Board>,
) -> stage::Setup {
    stage::Setup {
        site: config.site.clone(),
        gates: stage::lanes_of(config),
        backs: stage::backs_of(config),
        open: OpenLanes::forgetful(),
        tallies,
        zone,
        history: config.flow.history.clone(),
        record: Some(config.flow.record.clone()),
        weather: config.flow.weather.clone(),
        live,
        concierge: concierge.clone(),
        health: health.clone(),
        board: board.clone(),
    }
}

/// What visitors' own pages tell of their day.
pub(super) fn guidance(gallery: &Arc<Current>, concierge: &Arc<Concierge>) -> web::enrol::Guidance {
    let gallery = gallery.clone();
    web::enrol::Guidance { concierge: concierge.clone(), visitor: Box::new(move |id| gallery.visitor(id)) }
}

/// What pages tell of other rooms.
pub(super) fn figures(
    gallery: &Arc<Current>,
    law: &Law,
    in_force: &Arc<InForce>,
    flow: web::flow::Flow,
) -> web::Figures {
    let (enrolled, sized, named, asked) = (gallery.clone(), gallery.clone(), gallery.clone(), gallery.clone());
    let (law, asked_for, promised) = (law.clone(), in_force.clone(), in_force.clone());
    let target = |in_force: &InForce| in_force.load().config.rules.wrong_greetings;
    web::Figures {
        enrolled: Box::new(move || enrolled.load().len()),
        threshold: Box::new(move || law.threshold(target(&asked_for), sized.load().len()).0),
        promised: Box::new(move || target(&promised)),
        name_of: Box::new(move |id| named.visitor(id).map(|visitor| visitor.name)),
        is_enrolled: Box::new(move |id| asked.visitor(id).is_some()),
        flow,
    }
}

/// What the flow page is told from.
pub(super) fn flow(board: Arc<Board>, desk: Desk, concierge: &Arc<Concierge>) -> web::flow::Flow {
    let concierge = concierge.clone();
    let mark = |session: Upcoming| {
        let (starts, ends) = (session.starts_at(), session.ends_at());
        web::flow::Mark { title: session.title, venue: session.venue, gate: session.gate, starts, ends }
    };
    let sessions = Box::new(move |from, to| concierge.between(from, to).into_iter().map(mark).collect());
    web::flow::Flow { board, desk, sessions }
}

/// Whom the gates greeted before a restart.
pub(super) fn recent(published: &Published, clock: &Arc<dyn Clock>) -> Vec<(Name, VisitorId, SystemTime)> {
    let visits = published.recent_visits(clock.now().wall - LONGEST_QUIET);
    visits.into_iter().map(|visit| (visit.gate, visit.visitor, visit.decided)).collect()
}
