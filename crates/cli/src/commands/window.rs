//! Opening and closing tickets, and who holds the conversation.

use clap::Args;
use proto::v1;

use super::answer;
use crate::client::timely;
use crate::draw::words;
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who::{self, Acting};

const OPEN_EXAMPLES: &str = "\
Examples:
  threadmark open Maya --topic refund
  threadmark open Maya --topic refund --assign team:billing
  threadmark open Maya --unless-open           # the open primary, if there is one
With a ticket open already, a nested one is opened.";

/// Opens a ticket.
#[derive(Debug, Args)]
#[command(after_help = OPEN_EXAMPLES)]
pub(crate) struct Open {
    /// Its id, or its contact's name or number
    conversation: String,
    /// What it is about
    #[arg(long, value_name = "TOPIC", default_value = "", hide_default_value = true)]
    topic: String,
    /// Assign the conversation in the same decision: agent:ID, team:ID or AGENT@TEAM
    #[arg(long, value_name = "WHO", value_parser = who::assignee)]
    assign: Option<v1::Assignee>,
    /// Do nothing when a ticket is open already
    #[arg(long)]
    unless_open: bool,
    #[command(flatten)]
    acting: Acting,
}

impl Open {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::OpenTicketRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            topic: self.topic,
            assignee: self.assign,
            unless_open: self.unless_open,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let opened = session.client.conversations().open_ticket(timely(request)).await;
        let opened = opened.map_err(|status| session.failure(status))?.into_inner();
        let ticket = opened.ticket.clone().unwrap_or_default();
        let within =
            if ticket.primary_id.is_empty() { String::new() } else { format!(" within {}", ticket.primary_id) };
        let words = format!("ticket {}{within} is open, at revision {}", ticket.id, opened.revision);
        answer(session, "OpenTicketResponse", &opened, &words)
    }
}

const CLOSE_EXAMPLES: &str = "\
Examples:
  threadmark close Maya            # the ticket that was opened last
  threadmark close Maya 3          # the third of this conversation; its whole id will do too
  threadmark close Maya --all
Closing a primary closes the nested tickets within it first.";

/// Closes the ticket opened last, a ticket by its id, or every open one.
#[derive(Debug, Args)]
#[command(after_help = CLOSE_EXAMPLES)]
pub(crate) struct Close {
    /// Its id, or its contact's name or number
    conversation: String,
    /// Which ticket: its id, or its number within the conversation
    #[arg(conflicts_with = "all")]
    ticket: Option<String>,
    /// Close every open ticket
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    acting: Acting,
}

impl Close {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = find::conversation(session, &self.conversation, Care::Acting).await?;
        let request = v1::CloseTicketRequest {
            ticket_id: self.ticket.map(|ticket| ticket_id(&conversation_id, &ticket)).unwrap_or_default(),
            workspace: session.workspace.clone(),
            conversation_id,
            actor: Some(self.acting.actor()),
            all: self.all,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let closed = session.client.conversations().close_ticket(timely(request)).await;
        let closed = closed.map_err(|status| session.failure(status))?.into_inner();
        let ids: Vec<&str> = closed.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
        let words = format!("closed {}, at revision {}", ids.join(", "), closed.revision);
        answer(session, "CloseTicketResponse", &closed, &words)
    }
}

/// `3` and `#3` are short for the third ticket of the conversation.
fn ticket_id(conversation: &str, ticket: &str) -> String {
    let ordinal = ticket.strip_prefix('#').unwrap_or(ticket);
    let short = !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit());
    if short { format!("{conversation}-{ordinal}") } else { ticket.to_owned() }
}

/// Assigns a conversation.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  threadmark assign Maya agent:ana\n  threadmark assign Maya ana@billing")]
pub(crate) struct Assign {
    /// Its id, or its contact's name or number
    conversation: String,
    /// agent:ID, team:ID or AGENT@TEAM
    #[arg(value_name = "WHO", value_parser = who::assignee)]
    assignee: v1::Assignee,
    #[command(flatten)]
    acting: Acting,
}

impl Assign {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let words = format!("assigned to {}", words::assignee(Some(&self.assignee)));
        let request = v1::AssignConversationRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            assignee: Some(self.assignee),
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().assign_conversation(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "AssignConversationResponse", &done, &format!("{words}, at revision {}", done.revision))
    }
}

/// Takes a conversation from whoever holds it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark unassign Maya")]
pub(crate) struct Unassign {
    /// Its id, or its contact's name or number
    conversation: String,
    #[command(flatten)]
    acting: Acting,
}

impl Unassign {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::UnassignConversationRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().unassign_conversation(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        let words = format!("nobody is assigned, at revision {}", done.revision);
        answer(session, "UnassignConversationResponse", &done, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::ticket_id;

    #[test]
    fn a_number_is_short_for_a_ticket() {
        let cases = [("3", "abc-3"), ("#3", "abc-3"), ("abc-3", "abc-3"), ("#", "#"), ("x", "x")];
        for (typed, id) in cases {
            assert_eq!(ticket_id("abc", typed), id);
        }
    }
}
