use std::fmt;
use std::time::Duration;

use super::Schedule;
use crate::condition::{Scope, Scopes};
use crate::template::Template;

/// What a rule reacts to.
#[derive(Debug)]
pub enum Trigger {
    /// The customer wrote.
    MessageReceived,
    /// An agent, the bot or a rule wrote to the customer.
    MessageSent,
    /// The channel could not deliver a message.
    MessageFailed,
    /// A ticket was opened, primary or nested.
    TicketOpened,
    /// A ticket was closed.
    TicketClosed,
    /// An agent or a team became the owner.
    ConversationAssigned,
    /// Nobody is the owner any more.
    ConversationUnassigned,
    /// The customer wrote for the first time ever.
    ConversationStarted,
    /// A tag was added.
    TagAdded,
    /// A tag was removed.
    TagRemoved,
    /// The customer's name, number or user id changed.
    ContactChanged,
    /// The customer has not answered for this long.
    CustomerIdle {
        /// Since the last message to the customer.
        after: Duration,
    },
    /// The customer has not been answered for this long.
    AgentIdle {
        /// Since the first message of the customer that waits.
        after: Duration,
        /// Whose answer counts.
        by: AnsweredBy,
    },
    /// No agent has written in a ticket for this long.
    TicketUnanswered {
        /// Since its opening.
        after: Duration,
    },
    /// A ticket has been open for this long.
    TicketOpenFor {
        /// Since its opening.
        after: Duration,
    },
    /// An agent came.
    AgentOnline,
    /// An agent went.
    AgentOffline,
    /// A time came.
    Schedule(Schedule),
    /// Another system published an event.
    External {
        /// The last token of `ext.<workspace>.<name>`.
        name: String,
        /// Which conversation it concerns; `None` for none.
        concerns: Option<Match>,
    },
    /// An agent presses a button.
    Manual,
}

/// Whose answer ends waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnsweredBy {
    /// An agent's.
    #[default]
    Agent,
    /// Anyone's, the bot's and rules' included.
    Anyone,
}

/// How an external event is matched to a conversation.
#[derive(Debug)]
pub enum Match {
    /// By its id.
    Conversation(Template),
    /// By the customer's address on a channel.
    Contact {
        /// For example "whatsapp:106540352242922".
        channel: Template,
        /// A number, or the channel's user id.
        contact: Template,
    },
}

impl Trigger {
    /// Names of triggers, as they are written; that of external events goes on with the event's name.
    pub const NAMES: [&'static str; 20] = [
        "message.received",
        "message.sent",
        "message.failed",
        "ticket.opened",
        "ticket.closed",
        "conversation.assigned",
        "conversation.unassigned",
        "conversation.started",
        "tag.added",
        "tag.removed",
        "contact.changed",
        "customer.idle",
        "agent.idle",
        "ticket.unanswered",
        "ticket.open_for",
        "agent.online",
        "agent.offline",
        "schedule",
        "external.",
        "manual",
    ];

    /// As it is written, without its parameters: "message.received", "external.order-shipped".
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// Whether it concerns a conversation: only then can a rule act on one.
    pub fn concerns_conversation(&self) -> bool {
        match self {
            Trigger::AgentOnline | Trigger::AgentOffline | Trigger::Schedule(_) => false,
            Trigger::External { concerns, .. } => concerns.is_some(),
            _ => true,
        }
    }

    /// Whether it always concerns a ticket.
    pub fn concerns_ticket(&self) -> bool {
        matches!(
            self,
            Trigger::TicketOpened
                | Trigger::TicketClosed
                | Trigger::TicketUnanswered { .. }
                | Trigger::TicketOpenFor { .. }
        )
    }

    /// For how long nothing has to happen, if it waits for that.
    pub fn waits(&self) -> Option<Duration> {
        match self {
            Trigger::CustomerIdle { after }
            | Trigger::AgentIdle { after, .. }
            | Trigger::TicketUnanswered { after }
            | Trigger::TicketOpenFor { after } => Some(*after),
            _ => None,
        }
    }

    /// What it offers to conditions and templates.
    pub fn scopes(&self) -> Scopes {
        let mut scopes = Vec::new();
        if self.concerns_conversation() {
            scopes.push(Scope::Conversation);
        }
        match self {
            Trigger::MessageReceived | Trigger::MessageSent | Trigger::ConversationStarted => {
                scopes.push(Scope::Message);
            }
            Trigger::MessageFailed => scopes.extend([Scope::Message, Scope::Failed]),
            Trigger::TagAdded | Trigger::TagRemoved => scopes.push(Scope::Tag),
            Trigger::ConversationAssigned => scopes.push(Scope::Assigned),
            Trigger::AgentOnline | Trigger::AgentOffline => scopes.push(Scope::Agent),
            Trigger::External { .. } => scopes.push(Scope::External),
            _ => {}
        }
        Scopes::new(self.name(), &scopes)
    }

    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Trigger::External { concerns: Some(Match::Conversation(id)), .. } => vec![id],
            Trigger::External { concerns: Some(Match::Contact { channel, contact }), .. } => vec![channel, contact],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trigger::MessageReceived => "message.received",
            Trigger::MessageSent => "message.sent",
            Trigger::MessageFailed => "message.failed",
            Trigger::TicketOpened => "ticket.opened",
            Trigger::TicketClosed => "ticket.closed",
            Trigger::ConversationAssigned => "conversation.assigned",
            Trigger::ConversationUnassigned => "conversation.unassigned",
            Trigger::ConversationStarted => "conversation.started",
            Trigger::TagAdded => "tag.added",
            Trigger::TagRemoved => "tag.removed",
            Trigger::ContactChanged => "contact.changed",
            Trigger::CustomerIdle { .. } => "customer.idle",
            Trigger::AgentIdle { .. } => "agent.idle",
            Trigger::TicketUnanswered { .. } => "ticket.unanswered",
            Trigger::TicketOpenFor { .. } => "ticket.open_for",
            Trigger::AgentOnline => "agent.online",
            Trigger::AgentOffline => "agent.offline",
            Trigger::Schedule(_) => "schedule",
            Trigger::External { name, .. } => return write!(f, "external.{name}"),
            Trigger::Manual => "manual",
        })
    }
}
