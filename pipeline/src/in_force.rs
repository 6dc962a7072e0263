//! The configuration in force, which may change while a gate runs.
//!
//! Everybody reads one snapshot and nobody waits for anybody. A stage looks at the begin of each round whether there is another one
//! ([`Follower::news`]), so that what it does belongs to one configuration from its begin to its end; and whoever changed it learns
//! when every stage has looked ([`InForce::is_taken_up`]): from then on nothing is done by the old one.

use crate::capture::frame::{self, Camera};
use arc_swap::ArcSwap;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
};
use usher_config::{Config, decide::Mode, value::Name};

/// One configuration, and its cameras as stages know them.
#[derive(Debug)]
pub struct Settings {
    /// As meant.
    pub config: Config,
    /// The cameras, by name.
    pub cameras: BTreeMap<Name, Arc<Camera>>,
    /// Grows from one to the next; the first is 0.
    number: u64,
}

impl Settings {
    fn numbered(config: Config, number: u64) -> Self {
        Self { cameras: cameras(&config), config, number }
    }

    /// The gates.
    pub fn gates(&self) -> impl Iterator<Item = &Name> {
        self.config.gates.keys()
    }
}

/// What is in force now.
pub struct InForce {
    now: ArcSwap<Settings>,
    followers: Mutex<Vec<Following>>,
}

struct Following {
    stage: String,
    /// The number of the settings that the stage goes by.
    by: Weak<AtomicU64>,
}

/// One stage's place: what it goes by, and whether there is something newer.
pub struct Follower {
    in_force: Arc<InForce>,
    goes_by: Arc<Settings>,
    by: Arc<AtomicU64>,
}

impl InForce {
    /// What a gate starts with.
    pub fn of(config: &Config) -> Arc<Self> {
        let now = Arc::new(Settings::numbered(config.clone(), 0));
        Arc::new(Self { now: ArcSwap::new(now), followers: Mutex::new(Vec::new()) })
    }

    /// The settings of this moment.
    pub fn load(&self) -> Arc<Settings> {
        self.now.load_full()
    }

    /// Puts others in force. One thread does.
    pub fn put(&self, config: Config) -> Arc<Settings> {
        let number = self.now.load().number + 1;
        let now = Arc::new(Settings::numbered(config, number));
        self.now.store(now.clone());
        now
    }

    /// A place for a stage, known by this name until it ends.
    pub fn follow(self: &Arc<Self>, stage: &str) -> Follower {
        let goes_by = self.load();
        let by = Arc::new(AtomicU64::new(goes_by.number));
        self.lock().push(Following { stage: stage.to_owned(), by: Arc::downgrade(&by) });
        Follower { in_force: self.clone(), goes_by, by }
    }

    /// The stages that have not looked since the last settings were put in force.
    pub fn is_awaited(&self) -> Vec<String> {
        let number = self.now.load().number;
        let mut followers = self.lock();
        followers.retain(|following| following.by.strong_count() > 0);
        let is_behind =
            |following: &&Following| following.by.upgrade().is_some_and(|by| by.load(Ordering::Acquire) < number);
        followers.iter().filter(is_behind).map(|following| following.stage.clone()).collect()
    }

    /// Whether every stage goes by the settings of this moment.
    pub fn is_taken_up(&self) -> bool {
        self.is_awaited().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Following>> {
        self.followers.lock().expect("no holder of this lock panics")
    }
}

impl Follower {
    /// What the stage goes by.
    pub fn now(&self) -> &Arc<Settings> {
        &self.goes_by
    }

    /// Other settings than those that the stage went by so far. To be asked between two rounds: what was begun is done.
    pub fn news(&mut self) -> Option<Arc<Settings>> {
        let now = self.in_force.now.load();
        if Arc::ptr_eq(&now, &self.goes_by) {
            return None;
        }
        self.goes_by = Arc::clone(&now);
        self.by.store(now.number, Ordering::Release);
        Some(self.goes_by.clone())
    }

    /// A camera as it is in force; `None` where it was removed.
    pub fn camera(&self, name: &Name) -> Option<&Arc<Camera>> {
        self.goes_by.cameras.get(name)
    }
}

/// The configured cameras, by name.
pub fn cameras(config: &Config) -> BTreeMap<Name, Arc<Camera>> {
    let gate_of = |camera: &Name| config.gates.iter().find(|(_, gate)| gate.cameras.contains(camera));
    let camera = |(name, settings): (&Name, &usher_config::capture::Camera)| {
        let zone = frame::Zone { corners: settings.zone.clone() };
        let (gate, meant) = gate_of(name).expect("the configuration was checked: every camera has a gate");
        let (gate, liveness) = (gate.clone(), meant.liveness);
        let identifies = matches!(meant.mode, Mode::Identification { .. });
        (name.clone(), Arc::new(Camera { name: name.clone(), gate, zone, liveness, identifies }))
    };
    config.cameras.iter().map(camera).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(quiet: &str) -> Config {
        let text = format!(
            "site: x\ncameras: {{ a: {{ url: /dev/video0 }} }}\ngates: {{ g: {{ cameras: [a], quiet: {quiet} }} }}\n"
        );
        usher_config::from_text(&text, "x.yaml", Path::new("")).unwrap()
    }

    #[test]
    fn nothing_is_taken_up_before_every_stage_has_looked() {
        let in_force = InForce::of(&config("1 min"));
        let (mut quick, mut slow) = (in_force.follow("quick"), in_force.follow("slow"));
        assert!(in_force.is_taken_up() && quick.news().is_none());
        in_force.put(config("2 min"));
        assert_eq!(in_force.is_awaited(), ["quick", "slow"]);
        let quiet = |settings: &Settings| settings.config.gates.values().next().unwrap().quiet.as_secs();
        assert_eq!(quick.news().map(|now| quiet(&now)), Some(120));
        assert!(quick.news().is_none(), "told once");
        assert_eq!((in_force.is_awaited(), quiet(slow.now())), (vec!["slow".to_owned()], 60));
        assert!(slow.news().is_some() && in_force.is_taken_up());
    }

    #[test]
    fn whoever_has_ended_is_not_waited_for() {
        let in_force = InForce::of(&config("1 min"));
        let ended = in_force.follow("ended");
        in_force.put(config("2 min"));
        drop(ended);
        assert!(in_force.is_taken_up());
    }
}
