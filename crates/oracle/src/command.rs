use crate::{Actor, Assignee, Nanos};

/// What an actor wants done, all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its id within the conversation (W9).
    pub id: String,
    /// Who wants it.
    pub actor: Actor,
    /// In order.
    pub actions: Vec<Action>,
    /// Refused when a later decision exists.
    pub expected_revision: Option<u64>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens a ticket, then assigns the conversation where an assignee is named.
    Open {
        /// What it is about.
        topic: String,
        /// Assigned after opening.
        assignee: Option<Assignee>,
        /// What to do when one is open.
        if_open: IfOpen,
    },
    /// Closes tickets.
    Close(Which),
    /// Assigns the conversation.
    Assign(Assignee),
    /// Unassigns the conversation.
    Unassign,
    /// Says this to the customer.
    Say(String),
    /// Says this to the staff.
    Note(String),
    /// Adds a tag.
    Tag(String),
    /// Removes a tag.
    Untag(String),
    /// Silences the bot.
    Pause,
    /// Ends that.
    Resume,
}

/// What opening does while a ticket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfOpen {
    /// Opens a nested one.
    Nest,
    /// Does nothing.
    ReturnPrimary,
    /// Refuses.
    Refuse,
}

/// Which tickets to close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The open one that was opened last.
    Last,
    /// The one of this id.
    Named(String),
    /// Every open one.
    All,
}

/// What a workspace may choose (W6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// An agent who writes into an unassigned conversation becomes its assignee.
    pub assign_on_write: bool,
    /// Closing the last open ticket ends ownership.
    pub unassign_on_close: bool,
}

/// A decision that was made: the command that led to it, and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its place in the log; 0 while it is being made.
    pub revision: u64,
    /// What was wanted.
    pub command: Command,
    /// When it was decided.
    pub time: Nanos,
    /// What was done, in order.
    pub steps: Vec<Step>,
}

/// One thing that a decision does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Stamp.
    Opened {
        /// Its id.
        ticket: String,
        /// The primary of a nested one.
        primary: Option<String>,
        /// What it is about.
        topic: String,
    },
    /// Stamp.
    Closed {
        /// Its id.
        ticket: String,
        /// Who owned the conversation then.
        assignee: Option<Assignee>,
    },
    /// Stamp.
    Assigned(Assignee),
    /// Stamp.
    Unassigned,
    /// A message, by its id.
    Said(String),
    /// A note, by its id.
    Noted(String),
    /// A tag came.
    Tagged(String),
    /// A tag went.
    Untagged(String),
    /// The bot was silenced.
    Paused,
    /// The bot was let go on.
    Resumed,
}

impl Step {
    /// Whether it is a state mark in the log.
    pub fn is_stamp(&self) -> bool {
        matches!(self, Step::Opened { .. } | Step::Closed { .. } | Step::Assigned(_) | Step::Unassigned)
    }

    /// Whether it is an entry of the log.
    pub fn is_entry(&self) -> bool {
        self.is_stamp() || matches!(self, Step::Said(_) | Step::Noted(_))
    }
}

/// What must come of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This is to be recorded.
    Done {
        /// The time of its stamps.
        time: Nanos,
        /// What is done, in order.
        steps: Vec<Step>,
    },
    /// It was decided before, at this revision.
    Repeat(u64),
    /// It changes nothing.
    Nothing {
        /// Of the last decision, else 0.
        revision: u64,
        /// The open primary that an opening found.
        primary: Option<String>,
    },
    /// It must not be.
    Refused(Reason),
}

/// Why a command must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// W8.
    ActorMayNot,
    /// W4: the named ticket.
    TicketNotOpen(String),
    /// W4.
    NothingOpen,
    /// The open primary, where the command wanted none.
    TicketOpen(String),
    /// W3.
    TooManyOpen,
    /// W12.
    BotDoesNotHold,
    /// 64 are enough.
    TooManyTags,
    /// W9.
    CommandReused,
    /// The last decision.
    MovedOn(u64),
}
