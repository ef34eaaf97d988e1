use conversation::{CommandKey, ConversationId, OpenTicket, Recent, Revision, State, TicketId, Time};

use crate::{actor_from, actor_to, assignee_from, assignee_to, time, timestamp, v1};

/// The state as a decision carries it.
pub fn state_to(state: &State) -> v1::ConversationState {
    v1::ConversationState {
        open: state.open.iter().map(window_to).collect(),
        assignee: state.assignee.as_ref().map(assignee_to),
        bot_paused: state.bot_paused,
        tags: state.tags.iter().cloned().collect(),
        ticket_ordinal: state.ticket_ordinal,
        message_ordinal: state.message_ordinal,
        last_stamp_time: state.last_stamp_time.map(timestamp),
        recent: state.recent.iter().map(recent_to).collect(),
    }
}

/// The state that the decision at `revision` left behind. What it does not say is taken as absent.
pub fn state_from(conversation: ConversationId, state: &v1::ConversationState, revision: Revision) -> State {
    State {
        conversation,
        revision,
        open: state.open.iter().filter_map(window_from).collect(),
        assignee: state.assignee.as_ref().and_then(assignee_from),
        bot_paused: state.bot_paused,
        tags: state.tags.iter().cloned().collect(),
        ticket_ordinal: state.ticket_ordinal,
        message_ordinal: state.message_ordinal,
        last_stamp_time: state.last_stamp_time.as_ref().and_then(time),
        recent: state.recent.iter().map(recent_from).collect(),
    }
    .recorded_at(revision)
}

pub(crate) fn window_to(ticket: &OpenTicket) -> v1::OpenWindow {
    v1::OpenWindow {
        ticket_id: ticket.id.as_str().to_owned(),
        primary_id: ticket.primary.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        topic: ticket.topic.clone(),
        opened_by: Some(actor_to(&ticket.opened_by)),
        open_time: Some(timestamp(ticket.open_time)),
        open_revision: to_wire(ticket.open_revision),
    }
}

pub(crate) fn window_from(window: &v1::OpenWindow) -> Option<OpenTicket> {
    Some(OpenTicket {
        id: TicketId::new(window.ticket_id.clone()),
        primary: ticket_id(&window.primary_id),
        topic: window.topic.clone(),
        opened_by: window.opened_by.as_ref().and_then(actor_from)?,
        open_time: window.open_time.as_ref().and_then(time).unwrap_or(Time(0)),
        open_revision: from_wire(window.open_revision),
    })
}

pub(crate) fn ticket_id(id: &str) -> Option<TicketId> {
    (!id.is_empty()).then(|| TicketId::new(id))
}

fn recent_to(recent: &Recent) -> v1::RecentCommand {
    v1::RecentCommand {
        command: recent.key.command,
        digest: recent.key.digest,
        causation: recent.key.causation,
        revision: to_wire(recent.revision),
    }
}

fn recent_from(recent: &v1::RecentCommand) -> Recent {
    Recent {
        key: CommandKey { command: recent.command, digest: recent.digest, causation: recent.causation },
        revision: from_wire(recent.revision),
    }
}

pub(crate) fn to_wire(revision: Revision) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

pub(crate) fn from_wire(revision: i64) -> Revision {
    Revision::try_from(revision).unwrap_or(0)
}
