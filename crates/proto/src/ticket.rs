use conversation::{Actor, Assignee, ClosedTicket, OpenTicket, Revision, Time};

use crate::state::to_wire;
use crate::{actor_to, assignee_to, timestamp, v1};

/// An open ticket as command results show it: without metrics and assignments.
pub fn open_ticket(
    workspace: &str,
    channel: &str,
    conversation: &str,
    ticket: &OpenTicket,
    assignee: Option<&Assignee>,
) -> v1::Ticket {
    v1::Ticket {
        id: ticket.id.as_str().to_owned(),
        workspace: workspace.to_owned(),
        conversation_id: conversation.to_owned(),
        primary_id: ticket.primary.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        topic: ticket.topic.clone(),
        state: v1::ticket::State::Open.into(),
        open_time: Some(timestamp(ticket.open_time)),
        opened_by: Some(actor_to(&ticket.opened_by)),
        assignee: assignee.map(assignee_to),
        open_revision: to_wire(ticket.open_revision),
        channel: channel.to_owned(),
        ..v1::Ticket::default()
    }
}

/// A ticket closed by the decision at `revision`, as command results show it.
pub fn closed_ticket(
    workspace: &str,
    channel: &str,
    conversation: &str,
    closed: &ClosedTicket,
    by: &Actor,
    at: Time,
    revision: Revision,
) -> v1::Ticket {
    v1::Ticket {
        state: v1::ticket::State::Closed.into(),
        close_time: Some(timestamp(at)),
        closed_by: Some(actor_to(by)),
        close_revision: to_wire(revision),
        ..open_ticket(workspace, channel, conversation, &closed.ticket, closed.assignee.as_ref())
    }
}
