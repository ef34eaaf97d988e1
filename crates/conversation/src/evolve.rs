use crate::{Entry, OpenTicket, Stamp, StampKind, State};

/// The state after an entry. Total: an entry that makes no sense changes nothing it does not have to.
pub fn evolve(state: &mut State, entry: &Entry) {
    match entry {
        Entry::Stamp(stamp) => evolve_stamp(state, stamp),
        Entry::Message { .. } | Entry::Note { .. } => state.message_ordinal += 1,
    }
}

fn evolve_stamp(state: &mut State, stamp: &Stamp) {
    state.last_stamp_time = state.last_stamp_time.max(Some(stamp.time));
    match &stamp.kind {
        StampKind::Opened { ticket, primary, topic } => {
            state.ticket_ordinal += 1;
            if state.open_ticket(ticket).is_none() {
                state.open.push(OpenTicket {
                    id: ticket.clone(),
                    primary: primary.clone(),
                    topic: topic.clone(),
                    opened_by: stamp.actor.clone(),
                    open_time: stamp.time,
                    open_revision: 0,
                });
            }
        }
        StampKind::Closed { ticket } => state.open.retain(|open| open.id != *ticket),
        StampKind::Assigned { assignee } => state.assignee = Some(assignee.clone()),
        StampKind::Unassigned => state.assignee = None,
    }
}
