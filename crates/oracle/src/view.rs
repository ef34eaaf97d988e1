use std::collections::{BTreeMap, BTreeSet};

use crate::{Actor, Assignee, Nanos, Stamp};

/// What a log amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// By id.
    pub conversations: BTreeMap<String, Conversation>,
}

impl View {
    /// Every window of every conversation.
    pub fn windows(&self) -> impl Iterator<Item = &Window> {
        self.conversations.values().flat_map(|conversation| &conversation.windows)
    }

    /// The window of a ticket.
    pub fn window(&self, ticket: &str) -> Option<&Window> {
        self.windows().find(|window| window.id == ticket)
    }
}

/// One chat between a contact and a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Who owns it now.
    pub assignee: Option<Assignee>,
    /// Its tags now.
    pub tags: BTreeSet<String>,
    /// Whether the bot must be silent.
    pub bot_paused: bool,
    /// The ids of the open tickets, in the order of their opening.
    pub open: Vec<String>,
    /// Every window, in the order of opening.
    pub windows: Vec<Window>,
    /// Every entry, in the order of the timeline.
    pub timeline: Vec<Line>,
    /// The place time of the newest live entry.
    pub last_entry_time: Option<Nanos>,
    /// The newest event.
    pub revision: u64,
}

impl Conversation {
    /// An entry by its identity.
    pub fn line(&self, revision: u64, index: u32) -> Option<&Line> {
        self.timeline.iter().find(|line| (line.revision, line.index) == (revision, index))
    }
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its id.
    pub id: String,
    /// The conversation it is a window of.
    pub conversation: String,
    /// The primary of a nested one.
    pub primary: Option<String>,
    /// What it is about.
    pub topic: String,
    /// Who opened it.
    pub opener: Actor,
    /// Who closed it.
    pub closer: Option<Actor>,
    /// When it was opened.
    pub open_time: Nanos,
    /// When it was closed.
    pub close_time: Option<Nanos>,
    /// The decision that opened it.
    pub open_revision: u64,
    /// The decision that closed it.
    pub close_revision: Option<u64>,
    /// Who holds the conversation now, or held it at closing.
    pub assignee: Option<Assignee>,
    /// Who held the conversation from opening to closing.
    pub assignments: Vec<Span>,
    /// What was measured in it.
    pub metrics: Metrics,
}

/// A time of ownership, as far as the window reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The owner.
    pub assignee: Assignee,
    /// Who assigned.
    pub actor: Actor,
    /// The assigning or, if that was before it, the opening of the window.
    pub start: Nanos,
    /// The end of the ownership or of the window; `None` while both last.
    pub end: Option<Nanos>,
}

/// What the live messages in a window measure, in nanoseconds from its opening; never below 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// To the first message of an agent, echoes among them.
    pub first_response: Option<Nanos>,
    /// To the first message of the bot.
    pub first_bot_response: Option<Nanos>,
    /// To the closing.
    pub resolution: Option<Nanos>,
    /// Messages of the customer.
    pub inbound_count: u32,
    /// Messages to the customer.
    pub outbound_count: u32,
}

/// One entry in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The event.
    pub revision: u64,
    /// The place within the event, from 0.
    pub index: u32,
    /// Where it stands in the timeline.
    pub time: Nanos,
    /// Outside every metric.
    pub late: bool,
    /// The tickets it lies in, in the order of their opening: a primary before its nested ones.
    pub tickets: Vec<String>,
    /// What it is.
    pub shown: Shown,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A message of the customer, by the id of its event.
    Inbound(String),
    /// A message to the customer, by its id: that of its event unless it was decided.
    Outbound(String),
    /// A remark for the staff, by its id.
    Note(String),
    /// A state mark.
    Stamp(Stamp),
    /// A change of a message that is not known, or of the contact, by the id of its event.
    Other(String),
}

impl Shown {
    /// The id of a message, a note or a change.
    pub fn id(&self) -> Option<&str> {
        match self {
            Shown::Inbound(id) | Shown::Outbound(id) | Shown::Note(id) | Shown::Other(id) => Some(id),
            Shown::Stamp(_) => None,
        }
    }
}
