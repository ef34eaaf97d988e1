use crate::{Entry, OpenTicket, Stamp, StampKind, State, TicketId};

/// The state after an entry. Total: whatever the entries say, at most one primary is open, and a nested ticket
/// only within it.
pub fn evolve(state: &mut State, entry: &Entry) {
    match entry {
        Entry::Stamp(stamp) => evolve_stamp(state, stamp),
        Entry::Message { .. } | Entry::Note { .. } => state.message_ordinal = state.message_ordinal.saturating_add(1),
    }
}

fn evolve_stamp(state: &mut State, stamp: &Stamp) {
    state.last_stamp_time = state.last_stamp_time.max(Some(stamp.time));
    match &stamp.kind {
        StampKind::Opened { ticket, topic, .. } => open(state, stamp, ticket, topic),
        StampKind::Closed { ticket } => {
            state.open.retain(|open| open.id != *ticket && open.primary.as_ref() != Some(ticket));
        }
        StampKind::Assigned { assignee } => state.assignee = Some(assignee.clone()),
        StampKind::Unassigned => state.assignee = None,
    }
}

/// Nested or not follows from what is open (W2, W3), and no later ticket gets the ordinal of this one (W5).
fn open(state: &mut State, stamp: &Stamp, ticket: &TicketId, topic: &str) {
    let own_ordinal = ticket.parts().filter(|(conversation, _)| *conversation == state.conversation);
    let own_ordinal = own_ordinal.map_or(0, |(_, ordinal)| ordinal);
    state.ticket_ordinal = state.ticket_ordinal.saturating_add(1).max(own_ordinal);
    if state.open_ticket(ticket).is_some() {
        return;
    }
    state.open.push(OpenTicket {
        id: ticket.clone(),
        primary: state.primary().map(|primary| primary.id.clone()),
        topic: topic.to_owned(),
        opened_by: stamp.actor.clone(),
        open_time: stamp.time,
        open_revision: 0,
    });
}
