//! The embedded broker: MQTT over TCP and WebSocket inside this process.
//!
//! For a gate without a broker of its own. It listens on loopback unless told otherwise, lets everybody do only what
//! [`crate::publish::access`] says, and keeps retained states in memory: usher tells them again at each start.

use crate::{
    publish::{
        access::{Access, Passwords},
        topic::Topics,
    },
    supervise,
};
use crossbeam::channel::bounded;
use rmqtt::{
    context::ServerContext,
    hook::Type,
    net::{Builder, Listener},
    retain::{DefaultRetainStorage, RetainStorage},
    server::MqttServer,
    types::{Retain, TopicFilter, TopicName},
};
use std::{
    fs::OpenOptions,
    io::{self, Read, Write},
    net::SocketAddr,
    num::NonZeroU16,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::oneshot;
use usher_config::value::Secret;
use uuid::Uuid;

/// Messages that wait for one slow or absent listener; the default of 1,000 truncates a busy hour.
const QUEUE: usize = 50_000;
/// How long a listener with a session may be away, and what waits for it is kept. Perishable messages are not.
const SESSION: Duration = Duration::from_secs(24 * 3600);

/// Why the broker cannot start; a person must mend it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Something else listens there.
    #[error("{address} is taken by another program; stop that program, or set {key} to another port")]
    Taken {
        /// Where it should listen.
        address: SocketAddr,
        /// The key that says so.
        key: &'static str,
    },
    /// The system does not let it listen there.
    #[error("the broker cannot listen on {address} ({reason}); set {key} to an address and port of this machine")]
    Listen {
        /// Where it should listen.
        address: SocketAddr,
        /// The key that says so.
        key: &'static str,
        /// What the system said.
        reason: String,
    },
    /// A password file that cannot be made or read.
    #[error(
        "the password file {path} cannot be used ({reason}); let usher's user read and write it, or remove it to have a new one made"
    )]
    Password {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: io::Error,
    },
}

/// The running broker.
pub(crate) struct EmbeddedBroker {
    /// Where it listens: MQTT over TCP.
    pub(crate) tcp: SocketAddr,
    /// Where it listens: MQTT over WebSocket.
    pub(crate) websocket: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The password in `path`; made there, 0600, when there is none.
pub(crate) fn password_in(path: &Path) -> Result<Secret, BrokerError> {
    let read = || -> io::Result<String> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let password = Uuid::new_v4().simple().to_string();
                file.write_all(password.as_bytes())?;
                file.sync_all()?;
                Ok(password)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut password = String::new();
                OpenOptions::new().read(true).open(path)?.read_to_string(&mut password)?;
                Ok(password.trim().to_owned())
            }
            Err(error) => Err(error),
        }
    };
    let error = |reason| BrokerError::Password { path: path.to_owned(), reason };
    let password = read().map_err(error)?;
    if password.is_empty() {
        return Err(error(io::Error::new(io::ErrorKind::InvalidData, "it is empty")));
    }
    Ok(Secret::new(password))
}

impl EmbeddedBroker {
    /// Starts the broker on thread `broker`; returns when it listens. Port 0 means any free port.
    ///
    /// # Errors
    /// When an address is taken or not of this machine.
    pub(crate) fn start(
        tcp: SocketAddr,
        websocket: SocketAddr,
        topics: Topics,
        passwords: Arc<Passwords>,
        perish: Duration,
    ) -> Result<Self, BrokerError> {
        let (stop, stopped) = oneshot::channel();
        // One answer: where it listens, or why not.
        let (answer, started) = bounded(1);
        let access = Access { topics, passwords, perish };
        let thread = supervise::spawn("broker", move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("broker-worker")
                .enable_all()
                .build();
            let runtime = runtime.expect("the system has threads to give");
            runtime.block_on(async {
                let listeners = bind(tcp, "publish.broker.listen", "tcp", Listener::tcp)
                    .and_then(|tcp| Ok((tcp, bind(websocket, "publish.broker.websocket", "ws", Listener::ws)?)));
                match listeners {
                    Err(error) => drop(answer.send(Err(error))),
                    Ok(((tcp_at, tcp), (websocket_at, websocket))) => {
                        let server = server(access, tcp, websocket).await;
                        let _asker_waits = answer.send(Ok((tcp_at, websocket_at)));
                        tokio::select! {
                            ended = server.run() => drop(ended),
                            _ = stopped => {}
                        }
                    }
                }
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        });
        let (tcp, websocket) = started.recv().expect("the broker's thread answers before it ends")?;
        Ok(Self { tcp, websocket, stop: Some(stop), thread: Some(thread) })
    }
}

impl EmbeddedBroker {
    /// Whether its thread has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        self.thread.take().map(JoinHandle::join);
    }
}

fn bind(
    address: SocketAddr,
    key: &'static str,
    name: &str,
    kind: fn(Listener) -> rmqtt::Result<Listener>,
) -> Result<(SocketAddr, Listener), BrokerError> {
    let builder = Builder::new()
        .name(name)
        .laddr(address)
        // A restart must not wait for the old connections' last packets.
        .reuseaddr(Some(true))
        .nodelay(true)
        // The hook decides, by listener.
        .allow_anonymous(false)
        .max_connections(1024)
        .max_packet_size(256 * 1024)
        .handshake_timeout(Duration::from_secs(5))
        .max_inflight(NonZeroU16::new(100).expect("100 is not zero"))
        .max_mqueue_len(QUEUE)
        .max_subscriptions(64)
        .session_expiry_interval(SESSION)
        .max_session_expiry_interval(SESSION)
        .message_expiry_interval(SESSION);
    let listener = builder.bind().and_then(kind).and_then(|listener| Ok((listener.local_addr()?, listener)));
    listener.map_err(|error| match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::AddrInUse) => BrokerError::Taken { address, key },
        _ => BrokerError::Listen { address, key, reason: error.to_string() },
    })
}

async fn server(access: Access, tcp: Listener, websocket: Listener) -> MqttServer {
    // Its idea of "busy" is the machine's load, which analysing video raises: it would refuse screens.
    let context = ServerContext::new().busy_check_enable(false).build().await;
    *context.extends.retain_mut().await = Box::new(Retained(DefaultRetainStorage::new()));
    let register = context.extends.hook_mgr().register();
    for kind in [
        Type::ClientAuthenticate,
        Type::ClientSubscribeCheckAcl,
        Type::MessagePublishCheckAcl,
        Type::MessageExpiryCheck,
    ] {
        register.add(kind, Box::new(access.clone())).await;
    }
    register.start().await;
    MqttServer::new(context).listener_by_id(tcp, 1).listener_by_id(websocket, 2).build()
}

/// Retained messages in memory. The broker's own store is a plug-in; this is its tree without the plug-in.
struct Retained(DefaultRetainStorage);

#[async_trait::async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    /// Without the listener's expiry: a state holds until the next one.
    async fn set(&self, topic: &TopicName, retain: Retain, _expiry: Option<Duration>) -> rmqtt::Result<()> {
        self.0.set_with_timeout(topic, retain, None).await
    }

    async fn get(&self, filter: &TopicFilter) -> rmqtt::Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }

    async fn count(&self) -> isize {
        self.0.count().await
    }

    async fn max(&self) -> isize {
        self.0.max().await
    }
}
