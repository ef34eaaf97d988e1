use std::collections::{BTreeSet, VecDeque};

use crate::{Actor, Assignee, CommandKey, ConversationId, Revision, TicketId, Time};

/// Most tickets open at once in a conversation (W3).
pub const MAX_OPEN: usize = 32;
/// Decisions whose commands are remembered (W9).
pub const MAX_RECENT: usize = 64;
/// Most tags on a conversation: the state travels with every decision and has to stay small.
pub const MAX_TAGS: usize = 64;
/// Longest tag, in bytes. Ours: tags are words on a label.
pub const MAX_TAG_BYTES: usize = 64;

/// All that deciding needs to know of a conversation; every decision carries the state it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The last decision's place in the log; 0 before the first.
    pub revision: Revision,
    /// The open tickets in the order of their opening: the primary first.
    pub open: Vec<OpenTicket>,
    /// Who owns the conversation.
    pub assignee: Option<Assignee>,
    /// Whether the bot was told to be silent.
    pub bot_paused: bool,
    /// The tags on the conversation.
    pub tags: BTreeSet<String>,
    /// Tickets opened so far.
    pub ticket_ordinal: u64,
    /// Messages and notes decided so far.
    pub message_ordinal: u64,
    /// When the last stamp was made.
    pub last_stamp_time: Option<Time>,
    /// The commands of the last decisions, oldest first.
    pub recent: VecDeque<Recent>,
}

/// A window that has not been closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTicket {
    /// Its id.
    pub id: TicketId,
    /// The primary that a nested one is counted within; `None` for a primary.
    pub primary: Option<TicketId>,
    /// What it is about; may be empty.
    pub topic: String,
    /// Who opened it.
    pub opened_by: Actor,
    /// When.
    pub open_time: Time,
    /// The decision that opened it; 0 while that is being made.
    pub open_revision: Revision,
}

/// A command that was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// How a repeat is known.
    pub key: CommandKey,
    /// The decision; 0 while that is being made.
    pub revision: Revision,
}

impl State {
    /// A conversation in which nothing was decided yet.
    pub fn new(conversation: ConversationId) -> State {
        State {
            conversation,
            revision: 0,
            open: Vec::new(),
            assignee: None,
            bot_paused: false,
            tags: BTreeSet::new(),
            ticket_ordinal: 0,
            message_ordinal: 0,
            last_stamp_time: None,
            recent: VecDeque::new(),
        }
    }

    /// W12: the bot holds a conversation while no ticket is open, nobody is assigned and it is not paused.
    pub fn bot_holds(&self) -> bool {
        self.open.is_empty() && self.assignee.is_none() && !self.bot_paused
    }

    /// The open primary ticket.
    pub fn primary(&self) -> Option<&OpenTicket> {
        self.open.iter().find(|ticket| ticket.primary.is_none())
    }

    /// An open ticket by its id.
    pub fn open_ticket(&self, id: &TicketId) -> Option<&OpenTicket> {
        self.open.iter().find(|ticket| ticket.id == *id)
    }

    /// This state as read from the decision at `revision`, which could not know its own place in the log.
    pub fn recorded_at(mut self, revision: Revision) -> State {
        self.revision = revision;
        for ticket in self.open.iter_mut().filter(|ticket| ticket.open_revision == 0) {
            ticket.open_revision = revision;
        }
        for recent in self.recent.iter_mut().filter(|recent| recent.revision == 0) {
            recent.revision = revision;
        }
        self
    }
}
