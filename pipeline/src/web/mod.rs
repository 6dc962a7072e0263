//! Web: the pages and their API.
//!
//! The only place with a tokio runtime of ours. It reads what the stages tell ([`Taps`], [`Health`], [`Figures`]) and
//! holds nothing up: taps may lose, pictures are encoded only while somebody watches, and nothing here answers with a
//! name unless the asker has signed in.

mod assets;
mod board;
mod coach;
pub mod enrol;
pub mod flow;
mod guard;
mod label;
mod live;
mod picture;
mod routes;
mod session;
pub mod staff;
mod state;
mod status;
mod streams;
mod taps;
mod venue;
mod why;
mod words;

pub use session::mint_token;

use crate::{
    capture::frame::Camera,
    clock::Clock,
    coach::walk::Wanted,
    decide::visit::Outcome,
    gallery::visitor::VisitorId,
    health::Health,
    infer::watched::Watched,
    publish::{progress::Progress, signature::PublicKey},
    supervise::{Stop, spawn},
};
use arc_swap::ArcSwap;
use crossbeam::channel::Receiver;
use jiff::tz::TimeZone;
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
};
use usher_config::{
    login::Login,
    signage::Signage,
    value::{Name, Secret},
};

/// Where and for whom the pages are served.
#[derive(Clone)]
pub struct WebSettings {
    /// Address and port; port 0 takes a free one. On a loopback address anybody at the machine sees camera pictures;
    /// on any other address only who has signed in.
    pub listen: SocketAddr,
    /// What an operator signs in with; see [`mint_token`].
    pub token: Secret,
    /// The venue.
    pub site: Name,
    /// The venue's time zone: pages tell times as its clocks show them.
    pub zone: TimeZone,
    /// The gates; the first is the signage page's when none is asked for.
    pub gates: Vec<Name>,
    /// Those of them at which people hold up their passes.
    pub pass_gates: Vec<Name>,
    /// What screens hold events against: this box's public key, and those that `signage.keys` names.
    pub keys: Vec<PublicKey>,
    /// How the screens look.
    pub signage: Signage,
    /// The topic at which a screen says that it lives, up to the screen's name.
    pub alive: String,
    /// The cameras.
    pub cameras: Vec<Arc<Camera>>,
    /// Where browsers reach the broker.
    pub websocket: Websocket,
    /// With which user and password screens sign in to the broker. Told to whoever may open the signage page.
    pub screen: Option<Login>,
    /// Looks wanted before a face may be named; for the label `looking 2 of 3`.
    pub looks: u32,
    /// Whether the portraits of whoever was named are kept with the reasons, in memory, for a signed-in operator.
    pub portraits: bool,
    /// What a look must be at least; for the coach.
    pub wanted: Wanted,
    /// The site's map as screens draw it; `None` where nobody drew one.
    pub map: Map,
}

/// The site's map, as JSON.
pub type Map = Arc<dyn Fn() -> Option<serde_json::Value> + Send + Sync>;

/// Where browsers reach the broker's WebSocket listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Websocket {
    /// On this port of whatever host the page itself came from: the embedded broker.
    Here(u16),
    /// There: `ws://HOST:PORT/…` or `wss://…`.
    At(String),
    /// Nowhere: the broker has no such listener, or none is known. The signage page says so.
    Nowhere,
}

/// What the stages show to the operator's eyes. Senders may lose rather than wait.
pub struct Taps {
    /// Analysed frames.
    pub watched: Receiver<Watched>,
    /// What was decided about tracks.
    pub outcomes: Receiver<Outcome>,
    /// How far decided visits have come.
    pub progress: Receiver<Progress>,
}

/// Figures that other rooms own; asked for whenever a page is told.
pub struct Figures {
    /// Visitors enrolled now.
    pub enrolled: Box<dyn Fn() -> usize + Send + Sync>,
    /// The comparison score that must be reached now, -1..=1.
    pub threshold: Box<dyn Fn() -> f32 + Send + Sync>,
    /// The share of visitors who never enrolled that may be greeted by a wrong name, 0..=1.
    pub promised: Box<dyn Fn() -> f64 + Send + Sync>,
    /// The shown name of a visitor who is still enrolled. Asked only for a signed-in operator.
    pub name_of: Box<dyn Fn(VisitorId) -> Option<String> + Send + Sync>,
    /// Whether a visitor is still enrolled.
    pub is_enrolled: Box<dyn Fn(VisitorId) -> bool + Send + Sync>,
    /// How many came and went, how long one waits, and what comes next.
    pub flow: flow::Flow,
}

/// The metrics in Prometheus' text form.
pub type Prometheus = Box<dyn Fn() -> String + Send + Sync>;

/// Why the pages are not served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Mend me: the address cannot be taken.
    #[error("web.listen: {listen} cannot be listened on ({reason}); free it, or set `web.listen` to another address")]
    Listen {
        /// What was asked for.
        listen: SocketAddr,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Mend me: the system gives no more threads or descriptors.
    #[error("the pages' runtime did not start ({0}); raise the limit of open files or tasks")]
    Runtime(std::io::Error),
}

/// The pages, being served.
pub struct Pages {
    /// Where, with the port that was taken.
    pub address: SocketAddr,
    /// Thread `web`; ends once stopping.
    pub thread: JoinHandle<()>,
    /// What they show may change.
    pub frame: Frame,
}

/// What the pages show, for whoever takes up another configuration.
#[derive(Clone)]
pub struct Frame(Arc<Shared>);

impl Frame {
    /// Shows other gates and cameras, and screens otherwise, from the next question on. Address, token and folders are those of the
    /// start.
    pub fn show(&self, change: impl FnOnce(&mut WebSettings)) {
        let shared = &self.0;
        let mut settings = WebSettings::clone(&shared.settings());
        change(&mut settings);
        let names = || settings.cameras.iter().map(|camera| camera.name.clone());
        shared.board.take_up(names(), settings.portraits);
        shared.coaches.take_up(names(), settings.wanted);
        shared.live.take_up(names());
        shared.settings.store(Arc::new(settings));
    }
}

/// What every route reads.
struct Shared {
    settings: ArcSwap<WebSettings>,
    health: Arc<Health>,
    figures: Figures,
    prometheus: Prometheus,
    clock: Arc<dyn Clock>,
    board: board::Board,
    coaches: coach::Coaches,
    live: live::Live,
    sessions: session::Sessions,
    streams: Arc<tokio::sync::Semaphore>,
    stop: Stop,
}

impl Shared {
    fn settings(&self) -> Arc<WebSettings> {
        self.settings.load_full()
    }
}

/// Event streams and live pictures that may be open at one time; each holds a connection and a task.
const STREAMS: usize = 64;

/// Serves the pages on thread `web` until `stop`.
///
/// # Errors
/// When `settings.listen` cannot be listened on, or the system refuses a runtime.
pub fn start(
    settings: WebSettings,
    taps: Taps,
    health: Arc<Health>,
    figures: Figures,
    prometheus: Prometheus,
    clock: Arc<dyn Clock>,
    stop: Stop,
) -> Result<Pages, WebError> {
    let refused = |reason| WebError::Listen { listen: settings.listen, reason };
    let listener = TcpListener::bind(settings.listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    // One thread is plenty: routes copy a few kilobytes. What may take long (names, which are unsealed) goes to the
    // blocking pool, pictures to a thread of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .thread_name("web-pool")
        .build()
        .map_err(WebError::Runtime)?;

    let shared = Arc::new(Shared {
        board: board::Board::new(
            settings.cameras.iter().map(|camera| camera.name.clone()),
            clock.now().wall,
            settings.portraits,
        ),
        coaches: coach::Coaches::new(settings.cameras.iter().map(|camera| camera.name.clone()), settings.wanted),
        live: live::Live::new(settings.cameras.iter().map(|camera| camera.name.clone())),
        sessions: session::Sessions::new(&settings.token),
        streams: Arc::new(tokio::sync::Semaphore::new(STREAMS)),
        settings: ArcSwap::from_pointee(settings),
        health,
        figures,
        prometheus,
        clock,
        stop: stop.clone(),
    });
    let (reader, frame) = (taps::start(&shared, taps), Frame(shared.clone()));
    let thread = spawn("web", move || {
        runtime.block_on(async {
            let served = async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let service = routes::router(&shared).into_make_service_with_connect_info::<SocketAddr>();
                axum::serve(listener, service).await
            };
            let stopped = tokio::task::spawn_blocking(move || stop.wait_for_it());
            // Open streams never end by themselves; dropping the server drops them.
            tokio::select! {
                end = served => if let Err(reason) = end { tracing::error!(%reason, "pages ended"); },
                _ = stopped => {}
            }
        });
        runtime.shutdown_background();
        let _ended = reader.join();
    });
    Ok(Pages { address, thread, frame })
}
