//! Which rules are in force when: a watched copy of the bucket `rules`, with a fence.
//!
//! A watch tells of a change some time after it was made. What is recorded after an answer of `ApplyRules` has to be
//! judged by the new rules all the same. So an event is judged only once the copy is known to be at least as new as the
//! event: whoever needs that asks the leader of the bucket how far it is, and waits until the watch has come there. All
//! who ask meanwhile share one question.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{BucketName, Bus, Entry, Error, Update, now};
use conversation::Time;
use prost::Message;
use proto::v1;
use service::Shutdown;
use tokio::sync::{Notify, watch};

use super::compiled::{CompiledSet, Versioned, compile};

/// How long the copy may take to come as far as the bucket.
const CATCH_UP: Duration = Duration::from_secs(8);

/// The rule sets of every workspace.
pub(crate) struct Book {
    bus: Bus,
    copy: Mutex<Copy>,
    /// The etag up to which the copy tells everything, and when that was known to be all.
    seen: watch::Sender<u64>,
    fence: tokio::sync::Mutex<Time>,
    /// Rings whenever rules change.
    changed: Notify,
}

#[derive(Default)]
struct Copy {
    /// By key: sets of a workspace, or a set's body.
    sets: BTreeMap<String, v1::RuleSets>,
    bodies: HashMap<String, v1::RuleSet>,
    compiled: HashMap<String, Arc<CompiledSet>>,
    /// Compiled rules by workspace, name and version, shared between sets; those that can't be read are none.
    rules: HashMap<(String, String, i64), Option<Arc<Versioned>>>,
}

impl Book {
    pub(crate) fn new(bus: Bus) -> Book {
        Book {
            bus,
            copy: Mutex::default(),
            seen: watch::channel(0).0,
            fence: tokio::sync::Mutex::new(Time::MIN),
            changed: Notify::new(),
        }
    }

    /// Keeps the copy up to date until shutdown begins.
    pub(crate) async fn follow(&self, shutdown: &Shutdown) {
        let mut watch = self.bus.bucket(BucketName::Rules).watch("");
        loop {
            let updates = tokio::select! {
                updates = watch.next() => updates,
                () = shutdown.begun() => return,
            };
            for update in updates {
                self.take(update);
            }
            self.changed.notify_waiters();
        }
    }

    /// Waits until rules may have changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn take(&self, update: Update) {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = match update {
            Update::Snapshot(entries) => {
                copy.sets.clear();
                copy.bodies.clear();
                copy.compiled.clear();
                entries
            }
            Update::Changed(entry) => vec![entry],
        };
        let newest = entries.iter().map(|entry| entry.etag).max().unwrap_or(0);
        for entry in entries {
            copy.put(entry);
        }
        drop(copy);
        self.seen.send_if_modified(|seen| {
            let newer = newest > *seen;
            *seen = (*seen).max(newest);
            newer
        });
    }

    /// Waits until everything that was in force at `time`, and before now, is known here.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub(crate) async fn up_to(&self, time: Time) -> Result<(), Error> {
        // Whoever holds the lock asks for all who wait for it.
        let mut known = self.fence.lock().await;
        if *known > time {
            return Ok(());
        }
        let asked = now();
        let newest = self.bus.bucket(BucketName::Rules).newest("").await?;
        let mut seen = self.seen.subscribe();
        let caught_up = tokio::time::timeout(CATCH_UP, seen.wait_for(|seen| *seen >= newest)).await;
        match caught_up {
            Ok(Ok(_)) => {
                *known = asked;
                // An event of this very moment, or of a clock that is ahead: what is known now has to do.
                Ok(())
            }
            _ => Err(Error::Away { doing: "waiting for the rules", source: "the watch is behind".into() }),
        }
    }

    /// The rules in force at a time; `None` if there never were any. [`Book::up_to`] comes first.
    pub(crate) fn at(&self, workspace: &str, time: Time) -> Option<Arc<CompiledSet>> {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let set = copy.sets.get(workspace)?;
        let in_force = set.sets.iter().rev().find(|set| applied(set) <= time).cloned()?;
        copy.compiled(workspace, &in_force)
    }

    /// A set by its number, as long as it is kept.
    pub(crate) fn numbered(&self, workspace: &str, number: i64) -> Option<Arc<CompiledSet>> {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let set = copy.sets.get(workspace)?.sets.iter().find(|set| set.number == number).cloned()?;
        copy.compiled(workspace, &set)
    }

    /// The rules in force now.
    pub(crate) fn current(&self, workspace: &str) -> Option<Arc<CompiledSet>> {
        self.at(workspace, Time::MAX)
    }

    /// Whether a workspace ever had rules.
    pub(crate) fn knows(&self, workspace: &str) -> bool {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).sets.contains_key(workspace)
    }

    /// Every workspace that ever had rules.
    pub(crate) fn workspaces(&self) -> Vec<String> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).sets.keys().cloned().collect()
    }
}

fn applied(set: &v1::RuleSetRef) -> Time {
    set.apply_time.as_ref().and_then(proto::time).unwrap_or(Time::MIN)
}

/// The key of a set's body.
pub(crate) fn body_key(workspace: &str, number: i64) -> String {
    format!("{workspace}.{number}")
}

impl Copy {
    fn put(&mut self, entry: Entry) {
        let Entry { key, value, .. } = entry;
        let is_body = key.contains('.');
        self.compiled.remove(&key);
        match (value, is_body) {
            (Some(value), true) => match v1::RuleSet::decode(value) {
                Ok(body) => drop(self.bodies.insert(key, body)),
                Err(error) => tracing::error!(key, %error, "a rule set can't be read"),
            },
            (Some(value), false) => match v1::RuleSets::decode(value) {
                Ok(sets) => drop(self.sets.insert(key, sets)),
                Err(error) => tracing::error!(key, %error, "the rule sets of a workspace can't be read"),
            },
            (None, true) => drop(self.bodies.remove(&key)),
            (None, false) => drop(self.sets.remove(&key)),
        }
    }

    fn compiled(&mut self, workspace: &str, set: &v1::RuleSetRef) -> Option<Arc<CompiledSet>> {
        let key = body_key(workspace, set.number);
        if let Some(compiled) = self.compiled.get(&key) {
            return Some(compiled.clone());
        }
        let body = self.bodies.get(&key)?;
        let rules = &mut self.rules;
        let compiled = body.rules.iter().map(|kept| {
            let key = (workspace.to_owned(), kept.name.clone(), kept.version);
            rules.entry(key).or_insert_with(|| versioned(workspace, kept)).clone()
        });
        let compiled = Arc::new(CompiledSet::new(set.number, compiled.collect()));
        self.compiled.insert(key, compiled.clone());
        self.forget(workspace);
        Some(compiled)
    }

    /// Rules that are in none of the workspace's sets any more.
    fn forget(&mut self, workspace: &str) {
        let (sets, bodies) = (&self.sets, &self.bodies);
        let kept = sets.get(workspace).map(|sets| sets.sets.as_slice()).unwrap_or_default();
        let kept: std::collections::HashSet<(&str, i64)> = kept
            .iter()
            .filter_map(|set| bodies.get(&body_key(workspace, set.number)))
            .flat_map(|body| body.rules.iter().map(|rule| (rule.name.as_str(), rule.version)))
            .collect();
        self.rules.retain(|(of, name, version), _| of != workspace || kept.contains(&(name.as_str(), *version)));
    }
}

fn versioned(workspace: &str, kept: &v1::Rule) -> Option<Arc<Versioned>> {
    match compile(kept) {
        Ok(versioned) => Some(Arc::new(versioned)),
        Err(reason) => {
            tracing::error!(workspace, rule = kept.name, version = kept.version, reason, "a rule can't be run");
            None
        }
    }
}
