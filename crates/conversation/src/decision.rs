use crate::{Actor, ActorKind, Assignee, MessageId, OpenTicket, Revision, State, TicketId, Time};

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Append this; only the append makes it real.
    Append(Box<Decision>),
    /// It was decided before, at this revision.
    Repeat(Revision),
    /// It changes nothing. The revision is the last decision's, 0 if there was none.
    Nothing {
        /// Of the last decision.
        revision: Revision,
        /// The open primary, when opening was asked for and found it.
        primary: Option<OpenTicket>,
    },
}

/// Everything one command does, recorded as one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Who decided.
    pub actor: Actor,
    /// The decision's clock, never before the conversation's last stamp (W10).
    pub time: Time,
    /// What the log shows of it, in order.
    pub entries: Vec<Entry>,
    /// Tags that were not there before.
    pub tags_added: Vec<String>,
    /// Tags that are gone.
    pub tags_removed: Vec<String>,
    /// Whether the bot was paused or resumed.
    pub bot_change: Option<BotChange>,
    /// The windows that it closed, in order.
    pub closed: Vec<ClosedTicket>,
    /// The state that it leaves behind.
    pub after: State,
}

impl Decision {
    /// The windows that it opened and left open, in order.
    pub fn opened(&self) -> impl Iterator<Item = &OpenTicket> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Stamp(Stamp { kind: StampKind::Opened { ticket, .. }, .. }) => self.after.open_ticket(ticket),
            _ => None,
        })
    }

    /// The ids of the messages and notes that it says, in order.
    pub fn said(&self) -> impl Iterator<Item = &MessageId> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Message { id, .. } | Entry::Note { id, .. } => Some(id),
            Entry::Stamp(_) => None,
        })
    }
}

/// A pause of the bot begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BotChange {
    /// It must be silent.
    Paused,
    /// It may speak as far as W12 lets it.
    Resumed,
}

/// A window at the moment of its closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedTicket {
    /// The window as it was open.
    pub ticket: OpenTicket,
    /// Who held the conversation then.
    pub assignee: Option<Assignee>,
}

/// One thing in the chat log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A state mark.
    Stamp(Stamp),
    /// Words to the customer.
    Message {
        /// Its id.
        id: MessageId,
        /// The channel's own word: "text", ….
        kind: String,
        /// What is said, sealed.
        sealed: Vec<u8>,
    },
    /// Words to the staff.
    Note {
        /// Its id.
        id: MessageId,
        /// What is said, sealed.
        sealed: Vec<u8>,
    },
}

/// A state mark in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Who did it.
    pub actor: Actor,
    /// When.
    pub time: Time,
    /// What changed.
    pub kind: StampKind,
}

/// What a stamp marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StampKind {
    /// A window begins.
    Opened {
        /// Its id.
        ticket: TicketId,
        /// The primary that a nested one is counted within.
        primary: Option<TicketId>,
        /// What it is about.
        topic: String,
    },
    /// A window ends.
    Closed {
        /// Its id.
        ticket: TicketId,
    },
    /// Someone owns the conversation.
    Assigned {
        /// Who.
        assignee: Assignee,
    },
    /// Nobody owns the conversation.
    Unassigned,
}

impl Stamp {
    /// The words of the stamp: "Ticket opened by X", "Ticket closed by X", "Assigned to X", "Unassigned".
    pub fn text(&self) -> String {
        match &self.kind {
            StampKind::Opened { .. } => format!("Ticket opened by {}", self.actor.shown()),
            StampKind::Closed { .. } => format!("Ticket closed by {}", self.actor.shown()),
            StampKind::Assigned { assignee } => format!("Assigned to {}", self.assignee_shown(assignee)),
            StampKind::Unassigned => "Unassigned".to_owned(),
        }
    }

    /// Who assigns to themselves is shown by the name that they gave.
    fn assignee_shown<'a>(&'a self, assignee: &'a Assignee) -> &'a str {
        let themselves = self.actor.kind == ActorKind::Agent && assignee.agent() == Some(&self.actor.id);
        if themselves { self.actor.shown() } else { assignee.shown() }
    }
}
