//! Enrol: the station's page, the visitors' own pages, and their API, over TLS.
//!
//! A server of its own, apart from the operator's: another address, another port, other cookies, and nothing of the gate behind
//! it but the store and a detector. `desk` is the one thread that touches pictures and the store; `api` turns requests
//! into what the desk is asked; [`answers`] are the bodies, from which [`openapi`] is made.

pub mod answers;
mod api;
mod connections;
mod day;
mod desk;
mod limits;
mod look;
mod notices;
pub mod openapi;
mod refusal;
mod staff;
mod tls;
mod wish;

use crate::{
    clock::Clock,
    gallery::{
        decoder::Decoder,
        enrol::{EnrolError, Enroller},
        file::StoreError,
        floor::Floor,
        notice::Notice,
        store::Store,
        visitor::{Custody, Visitor, VisitorId},
    },
    guide::concierge::Concierge,
    health::Health,
    supervise::{Beat, Stop, spawn},
    web::session::Sessions,
};
use arc_swap::ArcSwap;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use usher_config::{Config, value::Secret};

/// Why visitors cannot enrol themselves. All of these are for a person to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address.
    #[error("web.enrol.listen: {listen} cannot be listened on ({reason}); free it, or set it to another address")]
    Listen {
        /// What was asked for.
        listen: SocketAddr,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Certificate or key.
    #[error("{path}: {why}; give a PEM certificate and its key, or remove both: usher then makes its own")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The notice's texts.
    #[error("gallery.notice.texts: {0}")]
    Notice(std::io::Error),
    /// Networks.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no more threads or descriptors.
    #[error("the enrolment page's runtime did not start ({0}); raise the limit of open files or tasks")]
    Runtime(std::io::Error),
}

/// The station, being served.
pub struct Station {
    /// Where, with the port that was taken.
    pub address: SocketAddr,
    /// Threads `enrol` and `enrol-web`; they end once stopping.
    pub threads: Vec<JoinHandle<()>>,
    /// What is offered there may change.
    pub offers: Offers,
}

/// Who may hold the key of what is kept of a visitor, as the station offers it.
#[derive(Clone)]
pub struct Offers(Arc<ArcSwap<Vec<Custody>>>);

impl Offers {
    /// What the gates of `config` have a use for.
    pub fn of(config: &Config) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(custody_of(config))))
    }

    /// Offers what the gates of `config` have a use for, from the next visitor on.
    pub fn take_up(&self, config: &Config) {
        self.0.store(Arc::new(custody_of(config)));
    }
}

fn custody_of(config: &Config) -> Vec<Custody> {
    if !config.identifies() {
        return vec![Custody::Visitor];
    }
    // A venue with both kinds of gates lets the visitor choose.
    let all_identify = config.gates.values().all(|gate| gate.mode != usher_config::decide::Mode::Pass);
    if all_identify { vec![Custody::Box] } else { vec![Custody::Visitor, Custody::Box] }
}

/// What visitors' own pages tell of their day.
pub struct Guidance {
    /// What is told.
    pub concierge: Arc<Concierge>,
    /// Who a visitor is whom the box knows now.
    pub visitor: Box<dyn Fn(VisitorId) -> Option<Visitor> + Send + Sync>,
}

/// What the station lives by.
pub struct Around<'a> {
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// Hears when the disk fails; while it does, nobody is enrolled.
    pub health: &'a Arc<Health>,
    /// When to end.
    pub stop: &'a Stop,
    /// The desk's sign of life.
    pub beat: Beat,
}

/// What every request reads.
struct Shared {
    config: Config,
    offers: Offers,
    notices: notices::Notices,
    stations: Sessions,
    staff: Sessions,
    limits: limits::Limits,
    desk: desk::Desk,
    guidance: Guidance,
    clock: Arc<dyn Clock>,
    floor: Floor,
}

impl Shared {
    /// The programme's sports now; none: any will do.
    fn sports(&self) -> Vec<String> {
        self.guidance.concierge.sports()
    }

    /// Who may hold the key of what is kept.
    fn custody(&self) -> Arc<Vec<Custody>> {
        self.offers.0.load_full()
    }

    /// How late it is, also on a box that woke in 1970.
    fn now(&self) -> SystemTime {
        self.floor.latest(self.clock.now())
    }
}

/// How long a connection may wait with a request.
const SAID_WITHIN: Duration = Duration::from_secs(10);

/// Where the program is that decodes pictures: this one.
pub fn this_program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// Serves the station on threads of its own until `stop`. `None` where none is configured.
///
/// # Errors
/// [`StartError`].
pub fn start(
    config: &Config,
    token: &Secret,
    decoder: Decoder,
    guidance: Guidance,
    around: Around<'_>,
) -> Result<Option<Station>, StartError> {
    let Around { clock, health, stop, beat } = around;
    let Some(settings) = &config.web.enrol else { return Ok(None) };
    let refused = |reason| StartError::Listen { listen: settings.listen, reason };
    let listener = TcpListener::bind(settings.listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let tls = tls::server(settings, &config.data, clock.now().wall)?;
    let notice = Notice::of(config).map_err(StartError::Notice)?;
    let (store, enroller) = (Store::of(config)?, Enroller::open(config)?);
    let floor = Floor::new(store.floor()?, clock.now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;

    let (desk, working) = desk::start(store, enroller, decoder, clock.clone(), health.clone(), stop.clone(), beat);
    let offers = Offers::of(config);
    let shared = Arc::new(Shared {
        config: config.clone(),
        offers: offers.clone(),
        notices: notices::Notices::new(notice),
        stations: staff::sessions(config, token),
        staff: staff::sessions(config, token),
        limits: limits::Limits::default(),
        desk,
        guidance,
        clock: clock.clone(),
        floor,
    });
    let stop = stop.clone();
    let serving = spawn("enrol-web", move || {
        runtime.block_on(async {
            let service = api::router(&shared).into_make_service_with_connect_info::<SocketAddr>();
            let served = async {
                let seated = connections::Seats::default();
                let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(tls)).handshake_timeout(SAID_WITHIN);
                let server = axum_server::from_tcp(listener)?.acceptor(acceptor.acceptor(seated));
                // Whoever connects and says nothing holds a descriptor that a camera may need.
                let mut server = server.http1_only().first_request_timeout(SAID_WITHIN);
                server.http_builder().http1().header_read_timeout(SAID_WITHIN);
                server.serve(service).await
            };
            let stopped = tokio::task::spawn_blocking(move || stop.wait_for_it());
            tokio::select! {
                end = served => if let Err(reason) = end { tracing::error!(%reason, "the enrolment page ended"); },
                _ = stopped => {}
            }
        });
        runtime.shutdown_background();
    });
    Ok(Some(Station { address, threads: vec![working, serving], offers }))
}
