//! The directory in memory, as it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use conversation::Time;
use tokio::sync::{broadcast, watch};

use super::parse;
use super::roster::apply;
use super::staff::Staff;
use crate::kv::{BucketName, Entry, Update, Watch};
use crate::{Bus, now};

/// Changes that a slow listener may fall behind before it is told that it missed some.
const BEHIND: usize = 4_096;
/// Longest wait for a presence to lapse: clocks are set, so it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Agents, teams and presence of every workspace, kept up to date by [`Directory::follow`]. Cheap to clone.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

struct Inner {
    bus: Bus,
    staff: RwLock<BTreeMap<String, Staff>>,
    news: broadcast::Sender<DirectoryChange>,
    ready: watch::Sender<bool>,
}

/// What changed in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryChange {
    /// An agent came, or was there when this process began to look. Workspace, agent and `since` are the same wherever
    /// and however often it is told.
    Online {
        /// Of which workspace.
        workspace: String,
        /// Who.
        agent: String,
        /// Since when.
        since: Time,
    },
    /// An agent went, is away, was deleted, or let the presence lapse.
    Offline {
        /// Of which workspace.
        workspace: String,
        /// Who.
        agent: String,
        /// Since when.
        since: Time,
    },
    /// An agent or a team was made, changed or deleted.
    Staff {
        /// Of which workspace.
        workspace: String,
    },
    /// The listener was too slow and missed changes of any workspace, or everything was read anew.
    Anything,
}

/// Tells changes of the directory from the moment it was made.
pub struct Changes(broadcast::Receiver<DirectoryChange>);

impl Changes {
    /// The next change. Waits for as long as it takes, and for ever once the directory is no longer followed.
    pub async fn next(&mut self) -> DirectoryChange {
        match self.0.recv().await {
            Ok(change) => change,
            Err(broadcast::error::RecvError::Lagged(_)) => DirectoryChange::Anything,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Directory {
    /// A directory that knows nobody until [`Directory::follow`] runs.
    pub fn new(bus: Bus) -> Directory {
        let (news, _) = broadcast::channel(BEHIND);
        let (ready, _) = watch::channel(false);
        Directory(Arc::new(Inner { bus, staff: RwLock::default(), news, ready }))
    }

    /// Looks at the staff of a workspace. Don't linger: changes wait meanwhile.
    pub fn with<T>(&self, workspace: &str, look: impl FnOnce(&Staff) -> T) -> T {
        let staff = self.0.staff.read().unwrap_or_else(PoisonError::into_inner);
        match staff.get(workspace) {
            Some(staff) => look(staff),
            None => look(&Staff::default()),
        }
    }

    /// Whether an agent is there at `now`.
    pub fn is_online(&self, workspace: &str, agent: &str, now: Time) -> bool {
        self.with(workspace, |staff| staff.is_online(agent, now))
    }

    /// Every workspace that has anybody.
    pub fn workspaces(&self) -> Vec<String> {
        self.0.staff.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// What changes from now on.
    pub fn changes(&self) -> Changes {
        Changes(self.0.news.subscribe())
    }

    /// Waits until the directory was read for the first time.
    pub async fn ready(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// Keeps the directory up to date until `stop` is true, whatever happens to the server or the connection. One is
    /// enough for each directory.
    pub async fn follow(&self, mut stop: watch::Receiver<bool>) {
        let watch = self.0.bus.bucket(BucketName::Directory).watch("");
        let mut follower =
            Follower { directory: self.clone(), watch, online: BTreeMap::new(), lapses: BTreeSet::new() };
        tokio::select! {
            () = follower.run() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

/// Who was told to be online, and when that lapses.
struct Follower {
    directory: Directory,
    watch: Watch,
    online: BTreeMap<(String, String), Option<Time>>,
    lapses: BTreeSet<(Time, String, String)>,
}

impl Follower {
    async fn run(&mut self) {
        loop {
            let wait = self.until_lapse();
            tokio::select! {
                updates = self.watch.next() => updates.into_iter().for_each(|update| self.take(update)),
                () = tokio::time::sleep(wait) => self.lapse(),
            }
        }
    }

    fn until_lapse(&self) -> Duration {
        let wait = self.lapses.first().map(|(time, ..)| time.since(now()));
        wait.map_or(LOOK_AGAIN, |wait| wait.min(LOOK_AGAIN))
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::Snapshot(entries) => self.take_all(&entries),
            Update::Changed(entry) => self.take_one(&entry),
        }
    }

    fn take_all(&mut self, entries: &[Entry]) {
        let mut all: BTreeMap<String, Staff> = BTreeMap::new();
        for entry in entries {
            if let Some((workspace, ..)) = parse(&entry.key) {
                apply(all.entry(workspace.to_owned()).or_default(), entry);
            }
        }
        let agents = all.iter().flat_map(|(workspace, staff)| staff.agents().map(|agent| pair(workspace, agent)));
        let concerned: BTreeSet<_> = agents.chain(self.online.keys().cloned()).collect();
        *self.directory.0.staff.write().unwrap_or_else(PoisonError::into_inner) = all;
        self.directory.0.ready.send_replace(true);
        self.tell(DirectoryChange::Anything);
        concerned.into_iter().for_each(|(workspace, agent)| self.look(workspace, agent));
    }

    fn take_one(&mut self, entry: &Entry) {
        let Some((workspace, kind, id)) = parse(&entry.key) else { return };
        let mut staff = self.directory.0.staff.write().unwrap_or_else(PoisonError::into_inner);
        apply(staff.entry(workspace.to_owned()).or_default(), entry);
        drop(staff);
        if kind != super::Kind::Presence {
            self.tell(DirectoryChange::Staff { workspace: workspace.to_owned() });
        }
        if kind != super::Kind::Team {
            self.look(workspace.to_owned(), id);
        }
    }

    fn lapse(&mut self) {
        let now = now();
        while self.lapses.first().is_some_and(|(time, ..)| *time <= now) {
            if let Some((_, workspace, agent)) = self.lapses.pop_first() {
                self.look(workspace, agent);
            }
        }
    }

    /// Compares an agent's presence with what was told of it.
    fn look(&mut self, workspace: String, agent: String) {
        let now = now();
        let (online, presence, lapses) = self.directory.with(&workspace, |staff| {
            (staff.is_online(&agent, now), staff.presence(&agent, now), staff.lapses(&agent, now))
        });
        let since = presence.since_time.as_ref().and_then(proto::time);
        let key = pair(&workspace, &agent);
        let before = self.online.get(&key).copied();
        if let Some(Some(time)) = before {
            self.lapses.remove(&(time, workspace.clone(), agent.clone()));
        }
        if online {
            self.online.insert(key, lapses);
            if let Some(time) = lapses {
                self.lapses.insert((time, workspace.clone(), agent.clone()));
            }
        } else {
            self.online.remove(&key);
        }
        let since = since.unwrap_or(now);
        match (before.is_some(), online) {
            (false, true) => self.tell(DirectoryChange::Online { workspace, agent, since }),
            (true, false) => self.tell(DirectoryChange::Offline { workspace, agent, since }),
            _ => {}
        }
    }

    /// Nobody may be listening.
    fn tell(&self, change: DirectoryChange) {
        let _ = self.directory.0.news.send(change);
    }
}

fn pair(workspace: &str, agent: &str) -> (String, String) {
    (workspace.to_owned(), agent.to_owned())
}
