//! Tickets as clients see them, now or as of then.

use std::time::Duration;

use conversation::Time;
use proto::{duration, timestamp, v1};

use super::show_entry::to_wire;
use crate::view::rows::{SpanRow, TicketRow, ticket_id};

/// A ticket as it stands in its row.
pub(crate) fn show_ticket(workspace: &str, row: TicketRow) -> v1::Ticket {
    let resolution = row.resolution();
    let state = if row.close_time.is_some() { v1::ticket::State::Closed } else { v1::ticket::State::Open };
    v1::Ticket {
        id: ticket_id(&row.conversation, row.ordinal),
        workspace: workspace.to_owned(),
        primary_id: if row.nested() { ticket_id(&row.conversation, row.primary) } else { String::new() },
        conversation_id: row.conversation,
        topic: row.topic,
        state: state.into(),
        open_time: Some(timestamp(Time(row.open_time))),
        close_time: row.close_time.map(|close| timestamp(Time(close))),
        opened_by: row.opened_by,
        closed_by: row.closed_by,
        assignee: row.assignee,
        assignments: row.assignments.into_iter().map(show_span).collect(),
        metrics: Some(v1::TicketMetrics {
            first_response: row.first_response.map(nanos),
            first_bot_response: row.first_bot_response.map(nanos),
            resolution: resolution.map(nanos),
            inbound_count: row.inbound_count,
            outbound_count: row.outbound_count,
        }),
        open_revision: to_wire(row.open_revision),
        close_revision: to_wire(row.close_revision),
        channel: row.channel,
    }
}

fn show_span(span: SpanRow) -> v1::Assignment {
    v1::Assignment {
        assignee: span.assignee,
        actor: span.actor,
        start_time: Some(timestamp(Time(span.start_time))),
        end_time: span.end_time.map(|end| timestamp(Time(end))),
    }
}

/// A length of time on the wire.
pub(crate) fn nanos(nanos: u64) -> prost_types::Duration {
    duration(Duration::from_nanos(nanos))
}

/// The ticket when every stamp and answer after `at` is ignored; `None` if it was not open yet. The counts of messages
/// stay those of the whole window: the row does not say when each came.
pub(crate) fn as_of(mut row: TicketRow, at: Time) -> Option<TicketRow> {
    if row.open_time > at.0 {
        return None;
    }
    let known = |since_opening: &u64| i128::from(row.open_time) + i128::from(*since_opening) <= i128::from(at.0);
    row.first_response = row.first_response.filter(known);
    row.first_bot_response = row.first_bot_response.filter(known);
    row.assignments.retain(|span| span.start_time <= at.0);
    for span in &mut row.assignments {
        span.end_time = span.end_time.filter(|end| *end <= at.0);
    }
    if row.close_time.is_none_or(|close| close > at.0) {
        (row.close_time, row.closed_by, row.close_revision) = (None, None, 0);
        let holder = row.assignments.last().filter(|span| span.end_time.is_none());
        row.assignee = holder.and_then(|span| span.assignee.clone());
    }
    Some(row)
}
