use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::body::{Item, ItemKind};
use super::histogram::Histogram;

/// What has happened so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) messages_sent: Count,
    pub(super) messages_acknowledged: Count,
    pub(super) statuses_sent: Count,
    pub(super) statuses_acknowledged: Count,
    pub(super) copies_acknowledged: Count,
    pub(super) bodies_acknowledged: Count,
    pub(super) retries: Count,
    pub(super) commands_done: Count,
    pub(super) commands_refused: Count,
    pub(super) commands_given_up: Count,
    pub(super) tickets_opened: Count,
    pub(super) tickets_closed: Count,
    pub(super) answers: Histogram,
    /// Kept only if asked for.
    ids: Option<Mutex<Acknowledged>>,
}

/// A number that only grows.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The ids of what was sent, for counting it on the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// Of messages and reactions whose body was answered 200: the channel's ids.
    pub messages: Vec<String>,
    /// Of statuses whose body was answered 200: the message's id, `/` and the status.
    pub statuses: Vec<String>,
    /// Of items whose body was sent and never answered 200 before the end: they may be there or not.
    pub unsure: Vec<String>,
    /// The revisions that commands returned, each with the command's id.
    pub commands: Vec<(String, i64)>,
}

/// What came of a simulation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// What the customers' words were made from.
    pub seed: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Distinct messages and reactions of customers that were sent.
    pub messages_sent: u64,
    /// Those whose body was answered 200.
    pub messages_acknowledged: u64,
    /// Distinct statuses that were sent.
    pub statuses_sent: u64,
    /// Those whose body was answered 200.
    pub statuses_acknowledged: u64,
    /// Items in bodies that had been answered 200 before, sent again on purpose and answered 200 again.
    pub copies_acknowledged: u64,
    /// Bodies answered 200, copies among them.
    pub bodies_acknowledged: u64,
    /// Attempts that were answered otherwise or not at all, and tried again.
    pub retries: u64,
    /// Acknowledged messages a second.
    pub messages_per_second: f64,
    /// Half of the bodies were answered within this, in milliseconds.
    pub answer_ms_p50: f64,
    /// 99 % of the bodies were answered within this, in milliseconds.
    pub answer_ms_p99: f64,
    /// Commands of agents, the bot and rules that were done.
    pub commands_done: u64,
    /// Those that the server refused.
    pub commands_refused: u64,
    /// Those given up because nobody answered, or because the conversation was not found.
    pub commands_given_up: u64,
    /// Tickets opened.
    pub tickets_opened: u64,
    /// Tickets closed.
    pub tickets_closed: u64,
    /// The ids, if they were to be kept.
    #[serde(skip)]
    pub ids: Acknowledged,
}

impl Tally {
    pub(super) fn new(keep_ids: bool) -> Tally {
        Tally { ids: keep_ids.then(Mutex::default), ..Tally::default() }
    }

    pub(super) fn sent(&self, item: &Item) {
        match item.kind {
            ItemKind::Message => self.messages_sent.add(1),
            ItemKind::Status => self.statuses_sent.add(1),
        }
    }

    pub(super) fn acknowledged(&self, items: &[Item]) {
        for item in items {
            match item.kind {
                ItemKind::Message => self.messages_acknowledged.add(1),
                ItemKind::Status => self.statuses_acknowledged.add(1),
            }
        }
        self.note(|ids| {
            for item in items {
                let list = if item.kind == ItemKind::Message { &mut ids.messages } else { &mut ids.statuses };
                list.push(item.id.clone());
            }
        });
    }

    pub(super) fn unsure(&self, items: &[Item]) {
        self.note(|ids| ids.unsure.extend(items.iter().map(|item| item.id.clone())));
    }

    pub(super) fn commanded(&self, command_id: &str, revision: i64) {
        self.commands_done.add(1);
        self.note(|ids| ids.commands.push((command_id.to_owned(), revision)));
    }

    fn note(&self, note: impl FnOnce(&mut Acknowledged)) {
        if let Some(mut ids) = self.ids.as_ref().and_then(|ids| ids.lock().ok()) {
            note(&mut ids);
        }
    }

    pub(super) fn summary(&self, seed: u64, took: Duration) -> Summary {
        let millis = |share| self.answers.percentile(share).as_secs_f64() * 1_000.0;
        let seconds = took.as_secs_f64();
        Summary {
            seed,
            seconds,
            messages_sent: self.messages_sent.get(),
            messages_acknowledged: self.messages_acknowledged.get(),
            statuses_sent: self.statuses_sent.get(),
            statuses_acknowledged: self.statuses_acknowledged.get(),
            copies_acknowledged: self.copies_acknowledged.get(),
            bodies_acknowledged: self.bodies_acknowledged.get(),
            retries: self.retries.get(),
            messages_per_second: self.messages_acknowledged.get() as f64 / seconds.max(0.001),
            answer_ms_p50: millis(0.5),
            answer_ms_p99: millis(0.99),
            commands_done: self.commands_done.get(),
            commands_refused: self.commands_refused.get(),
            commands_given_up: self.commands_given_up.get(),
            tickets_opened: self.tickets_opened.get(),
            tickets_closed: self.tickets_closed.get(),
            ids: self.ids.as_ref().and_then(|ids| ids.lock().ok()).map(|ids| ids.clone()).unwrap_or_default(),
        }
    }
}
