use crate::{MAX_OPEN, MAX_TAGS, Revision, TicketId};

/// Why a command does nothing. Refusals are not recorded: a repeat is decided anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// W8.
    #[error("this kind of actor may not do that: the bot, an automation and an agent may")]
    ActorMayNot,
    /// W4.
    #[error("ticket {ticket} is not open: it is closed already, or was never opened in this conversation")]
    TicketNotOpen {
        /// The ticket that was named.
        ticket: TicketId,
    },
    /// W4.
    #[error("no ticket is open in this conversation")]
    NothingOpen,
    /// The command wanted a conversation without an open ticket.
    #[error("ticket {primary} is open already")]
    TicketOpen {
        /// The open primary.
        primary: TicketId,
    },
    /// W3.
    #[error("{MAX_OPEN} tickets are open in this conversation: close one first")]
    TooManyOpen,
    /// W12.
    #[error("the bot does not hold this conversation: a ticket is open, somebody is assigned, or it is paused")]
    BotDoesNotHold,
    /// The state has to stay small.
    #[error("the conversation has {MAX_TAGS} tags: remove one first")]
    TooManyTags,
    /// W9.
    #[error("the command id was used for another command: use a new one")]
    CommandReused,
    /// A later decision exists than the one that the command was based on.
    #[error("the conversation has moved on to revision {revision}: read it again, then decide")]
    MovedOn {
        /// The last decision.
        revision: Revision,
    },
}
