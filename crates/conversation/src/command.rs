use crate::{Actor, Assignee, Revision, TicketId};

/// What an actor wants done, all of it or nothing, in one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who wants it.
    pub actor: Actor,
    /// In order.
    pub actions: Vec<Action>,
    /// How a repeat is known.
    pub key: CommandKey,
    /// Refused when a later decision exists.
    pub expected_revision: Option<Revision>,
}

/// How a repeated command is known (W9): digests, so that the state stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandKey {
    /// Digest of the command id.
    pub command: u64,
    /// Digest of all that was asked for.
    pub digest: u64,
    /// Digest of the id of what caused the command; 0 for nothing.
    pub causation: u64,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens a window (W2, W3).
    OpenTicket {
        /// What it is about; may be empty.
        topic: String,
        /// Assigned right after opening.
        assignee: Option<Assignee>,
        /// What to do when a ticket is open.
        if_open: IfOpen,
    },
    /// Closes windows (W4).
    CloseTicket(Which),
    /// Makes someone the owner of the conversation (W6).
    Assign(Assignee),
    /// Ends ownership (W6).
    Unassign,
    /// Says something to the customer.
    SendMessage {
        /// The channel's own word: "text", "template", ….
        kind: String,
        /// What is said, sealed.
        sealed: Vec<u8>,
    },
    /// Says something to the staff alone.
    AddNote {
        /// What is said, sealed.
        sealed: Vec<u8>,
    },
    /// Adds a tag to the conversation.
    AddTag(String),
    /// Takes a tag away.
    RemoveTag(String),
    /// Keeps the bot silent until it is resumed or the last ticket closes (W12).
    PauseBot,
    /// Ends a pause (W12).
    ResumeBot,
}

/// What opening does while a ticket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfOpen {
    /// Opens a nested ticket (W3).
    Nest,
    /// Does nothing and answers with the open primary.
    ReturnPrimary,
    /// Refuses, so that nothing of the command happens.
    Refuse,
}

/// Which tickets to close (W4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The open ticket that was opened last.
    Last,
    /// This one, with its nested ones if it is a primary.
    Named(TicketId),
    /// Every open one.
    All,
}

/// What a workspace may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// An agent who writes into an unassigned conversation becomes its assignee (W6).
    pub assign_on_write: bool,
    /// Closing the last open ticket ends ownership (W6).
    pub unassign_on_close: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { assign_on_write: true, unassign_on_close: true }
    }
}
