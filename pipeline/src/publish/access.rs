//! Who may do what on the embedded broker.
//!
//! | who | how they sign in | may |
//! |---|---|---|
//! | usher | a password made anew at each start, never leaving the process | publish the site's topics |
//! | screens | nobody on loopback; `screen` with its password elsewhere | listen to greetings, faces, how gates are, the programme's changes, box and camera states; say that they live |
//! | integrators (turnstiles) | `integrator` with its password | listen to everything of the site; say how many lanes are open |
//!
//! Nobody but usher publishes what screens and turnstiles act on, so nobody but usher has a last will (the broker does not ask about wills),
//! and nobody but usher takes a client id of usher's. Screens keep no session: names would wait in it.

use crate::publish::{
    lanes,
    topic::{Topics, is_perishable, is_within},
};
use rmqtt::{
    codec::v5::SubscribeAckReason,
    hook::{Handler, HookResult, Parameter, ReturnType},
    types::{AuthResult, ConnectInfo, Publish, PublishAclResult, Subscribe, SubscribeReturn},
    utils::timestamp_millis,
};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use usher_config::value::Secret;

/// The user that usher itself signs in as.
pub(crate) const USHER: &str = "usher";
/// The user that screens beyond loopback sign in as.
pub const SCREEN: &str = "screen";
/// The user that turnstiles and other systems sign in as.
pub const INTEGRATOR: &str = "integrator";

/// The rules; one copy per hook.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) topics: Topics,
    pub(crate) passwords: Arc<Passwords>,
    /// Perishable messages older than this are delivered to nobody.
    pub(crate) perish: Duration,
}

/// Of each user.
pub(crate) struct Passwords {
    pub(crate) usher: Secret,
    /// `None`: both listeners are on loopback, nobody signs in as `screen`.
    pub(crate) screen: Option<Secret>,
    pub(crate) integrator: Secret,
}

/// Bytes of the largest message by which a screen says that it lives.
pub(crate) const MOST_ALIVE: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Usher,
    Screen,
    Integrator,
}

impl Role {
    /// Of a session that has signed in.
    fn of(user: Option<&str>) -> Self {
        match user {
            Some(USHER) => Self::Usher,
            Some(INTEGRATOR) => Self::Integrator,
            _ => Self::Screen,
        }
    }
}

/// Compared as digests: the time it takes says nothing about the password.
fn is_right(password: Option<&[u8]>, wanted: Option<&Secret>) -> bool {
    match (password, wanted) {
        (Some(password), Some(wanted)) => Sha256::digest(password) == Sha256::digest(wanted.reveal().as_bytes()),
        _ => false,
    }
}

impl Access {
    fn sign_in(&self, connect: &ConnectInfo) -> AuthResult {
        let id = connect.id();
        let user = connect.username().map(|user| &user[..]);
        let password = connect.password().map(|password| &password[..]);
        let wanted = match user {
            Some(USHER) => Some(&self.passwords.usher),
            Some(INTEGRATOR) => Some(&self.passwords.integrator),
            Some(SCREEN) => self.passwords.screen.as_ref(),
            Some(_) => None,
            // The listener's own address, not the peer's: behind a proxy every peer is on loopback.
            None if id.local_addr.is_some_and(|listener| listener.ip().is_loopback()) => {
                return self.admit(connect, None);
            }
            None => return AuthResult::NotAuthorized,
        };
        if is_right(password, wanted) { self.admit(connect, user) } else { AuthResult::BadUsernameOrPassword }
    }

    fn admit(&self, connect: &ConnectInfo, user: Option<&str>) -> AuthResult {
        let role = Role::of(user);
        let poses = connect.client_id().starts_with("usher-") || connect.last_will().is_some();
        let keeps = role == Role::Screen && !connect.clean_start();
        if role != Role::Usher && (poses || keeps) { AuthResult::NotAuthorized } else { AuthResult::Allow(false, None) }
    }

    fn may_listen(&self, user: Option<&str>, filter: &str) -> bool {
        match Role::of(user) {
            Role::Usher | Role::Integrator => is_within(filter, &self.topics.all()),
            Role::Screen => self.topics.for_screens().iter().any(|allowed| is_within(filter, allowed)),
        }
    }

    fn may_publish(&self, user: Option<&str>, publish: &Publish) -> bool {
        match Role::of(user) {
            Role::Usher => is_within(&publish.topic, &self.topics.all()),
            // Only usher listens there, and a message that is kept would say of a dead screen that it lives.
            Role::Screen => {
                self.topics.screen_of(&publish.topic).is_some()
                    && !publish.retain
                    && publish.payload.len() <= MOST_ALIVE
            }
            // Kept by the broker, it would be said anew at each start, whatever staff did meanwhile.
            Role::Integrator => {
                self.topics.lanes_of(&publish.topic).is_some()
                    && !publish.retain
                    && publish.payload.len() <= lanes::LONGEST
            }
        }
    }

    fn listen(&self, user: Option<&str>, subscribe: &Subscribe) -> SubscribeReturn {
        if self.may_listen(user, &subscribe.topic_filter) {
            SubscribeReturn::new_success(subscribe.opts.qos(), None)
        } else {
            SubscribeReturn::new_failure(SubscribeAckReason::NotAuthorized)
        }
    }

    fn publish(&self, user: Option<&str>, publish: &Publish) -> PublishAclResult {
        if self.may_publish(user, publish) {
            PublishAclResult::allow()
        } else {
            PublishAclResult::rejected(false, None)
        }
    }

    fn has_perished(&self, publish: &Publish) -> bool {
        let age = timestamp_millis() - publish.create_time.unwrap_or_else(timestamp_millis);
        is_perishable(&publish.topic) && age > self.perish.as_millis() as i64
    }
}

#[async_trait::async_trait]
impl Handler for Access {
    async fn hook(&self, parameter: &Parameter, so_far: Option<HookResult>) -> ReturnType {
        let result = match parameter {
            Parameter::ClientAuthenticate(connect) => HookResult::AuthResult(self.sign_in(connect)),
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                HookResult::SubscribeAclResult(self.listen(session.id.username.as_deref(), subscribe))
            }
            Parameter::MessagePublishCheckAcl(session, publish) => {
                HookResult::PublishAclResult(self.publish(session.id.username.as_deref(), publish))
            }
            Parameter::MessageExpiryCheck(_, _, publish) if self.has_perished(publish) => HookResult::MessageExpiry,
            _ => return (true, so_far),
        };
        (false, Some(result))
    }
}
