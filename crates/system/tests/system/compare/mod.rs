//! What TicketService answers about a workspace, beside what the oracle reads off the same log.

mod changes;
mod conversations;
mod counts;
mod measures;
mod tickets;
mod timeline;

use std::collections::BTreeMap;

use fastrand::Rng;
use oracle::{Nanos, View};
use proto::v1;

use crate::adapter;
use crate::deployment::Clients;

/// Everything that is known of one workspace.
pub(crate) struct Workspace<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) name: &'a str,
    /// What stands on EVENTS about it, repeats and all.
    pub(crate) events: &'a [(u64, v1::Event)],
    /// The newest revision of the stream: queries wait for it.
    pub(crate) newest: u64,
}

/// The same, read by the oracle.
struct Read<'a> {
    workspace: &'a Workspace<'a>,
    log: oracle::Log,
    view: View,
    /// The channel of each conversation.
    channels: BTreeMap<String, String>,
}

impl Workspace<'_> {
    /// Compares everything, and random pages, periods and groups of it.
    ///
    /// # Panics
    /// Where they differ.
    pub(crate) async fn check(&self, random: &mut Rng) -> View {
        assert!(self.events.iter().all(|(_, event)| event.workspace == self.name));
        let log = adapter::log(self.events);
        let channels =
            self.events.iter().map(|(_, event)| (event.conversation.clone(), event.channel.clone())).collect();
        let read = Read { workspace: self, view: oracle::read(&log), log, channels };
        read.conversations(random).await;
        for conversation in read.view.conversations.values() {
            read.timeline(conversation, random).await;
            read.entries(conversation).await;
            read.windows(conversation).await;
        }
        read.lists(random).await;
        read.counts(random).await;
        read.stats(random).await;
        read.view
    }

    fn min_revision(&self) -> i64 {
        i64::try_from(self.newest).unwrap()
    }
}

impl Read<'_> {
    fn clients(&self) -> &Clients {
        self.workspace.clients
    }

    fn name(&self) -> String {
        self.workspace.name.to_owned()
    }

    fn min_revision(&self) -> i64 {
        self.workspace.min_revision()
    }

    /// An instant at, just beside or far from where a window opens or closes.
    fn instant(&self, random: &mut Rng) -> Nanos {
        let times: Vec<Nanos> =
            self.view.windows().flat_map(|window| [Some(window.open_time), window.close_time]).flatten().collect();
        let at = random.choice(&times).copied().unwrap_or_default();
        at + random.choice([0, 0, 1, -1, 1_000_000, 60_000_000_000, -86_400_000_000_000]).unwrap()
    }

    /// A period that may be empty, but does not end before it starts.
    fn period(&self, random: &mut Rng) -> (Nanos, Nanos) {
        let (a, b) = (self.instant(random), self.instant(random));
        (a.min(b), a.max(b))
    }
}

/// A random basis in the words of both sides.
fn basis(random: &mut Rng) -> (v1::Basis, oracle::Basis) {
    let all = [
        (v1::Basis::Opened, oracle::Basis::Opened),
        (v1::Basis::Closed, oracle::Basis::Closed),
        (v1::Basis::OpenDuring, oracle::Basis::OpenDuring),
    ];
    random.choice(all).unwrap()
}
