use std::collections::BTreeSet;

use crate::{Actor, Assignee, Nanos};

/// What stands on EVENTS, in plain words.
#[derive(Clone, Debug, Default)]
pub struct Log {
    events: Vec<Event>,
}

/// One event of one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its sequence on the stream.
    pub revision: u64,
    /// Its id: events of one id in one conversation are one event, however often they stand on the stream.
    pub id: String,
    /// Which conversation.
    pub conversation: String,
    /// Who did it.
    pub actor: Actor,
    /// When it happened, by the clock of where it happened.
    pub occur_time: Nanos,
    /// When it was recorded.
    pub record_time: Nanos,
    /// What happened.
    pub what: What,
}

/// What an event says, as far as the rules ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The customer wrote.
    Received,
    /// The business wrote from its own phone: a human speaking (W12).
    Echoed,
    /// A message from before the channel was connected.
    BackFilled {
        /// From the customer.
        inbound: bool,
    },
    /// A reaction, an edit or a revocation: an entry of its own only where the message it points to is not known.
    Changed {
        /// The event id of that message, or a name that a [`What::Status`] has given it.
        target: String,
        /// It came with the back-filled history.
        backfilled: bool,
    },
    /// The channel's report about one of our messages: from here on `reference` names that message.
    Status {
        /// What later events call the message.
        reference: String,
        /// Our id of it; empty where the reporter did not know.
        message: String,
    },
    /// The contact's name or address changed, in words of the channel: shown in the chat, counted nowhere.
    ContactChanged,
    /// Nothing that the chat shows: a read mark, a change of the contact without words.
    Silent,
    /// One of our actors decided something.
    Decided(Decided),
}

/// Everything that one decision did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// In order; the index of an entry is its place here.
    pub entries: Vec<Entry>,
    /// Tags that came.
    pub tags_added: Vec<String>,
    /// Tags that went.
    pub tags_removed: Vec<String>,
    /// Whether the bot is paused from here on, where that changed.
    pub bot_paused: Option<bool>,
}

/// One thing in the chat log that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A state mark.
    Stamp(Stamp),
    /// Words to the customer, by their id.
    Message(String),
    /// Words to the staff, by their id.
    Note(String),
}

/// A state mark in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Who did it.
    pub actor: Actor,
    /// When.
    pub time: Nanos,
    /// What changed.
    pub mark: Mark,
}

/// What a stamp marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A window begins.
    Opened {
        /// Its id.
        ticket: String,
        /// The primary of a nested one.
        primary: Option<String>,
        /// What it is about.
        topic: String,
    },
    /// A window ends.
    Closed {
        /// Its id.
        ticket: String,
    },
    /// Someone owns the conversation.
    Assigned(Assignee),
    /// Nobody owns the conversation.
    Unassigned,
}

impl Stamp {
    /// The words of the stamp.
    pub fn text(&self) -> String {
        match &self.mark {
            Mark::Opened { .. } => format!("Ticket opened by {}", self.actor.shown()),
            Mark::Closed { .. } => format!("Ticket closed by {}", self.actor.shown()),
            Mark::Assigned(assignee) => format!("Assigned to {}", assignee.shown()),
            Mark::Unassigned => "Unassigned".to_owned(),
        }
    }
}

impl Log {
    /// An empty log.
    pub fn new() -> Log {
        Log::default()
    }

    /// Adds an event, in any order; one that is there already may come again.
    pub fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// All that was pushed.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// By place in the log, each revision and each id of a conversation once: the first time it stands on the stream.
    pub(crate) fn in_order_once(&self) -> Vec<&Event> {
        let mut sorted: Vec<&Event> = self.events.iter().collect();
        sorted.sort_by_key(|event| event.revision);
        let mut seen = BTreeSet::new();
        sorted.retain(|event| event.id.is_empty() || seen.insert((&event.conversation, &event.id)));
        sorted.dedup_by_key(|event| event.revision);
        sorted
    }
}
