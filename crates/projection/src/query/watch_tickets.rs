use proto::v1;
use tonic::Status;
use v1::watch_tickets_response::Event;

use super::mistakes::Mistakes;
use super::now;
use super::read::{self, unreadable};
use super::reads::Reads;
use super::show_entry::to_wire;
use super::show_ticket::show_ticket;
use super::ticket_filter::{Fields, TicketFilter};
use super::watch::Feed;
use crate::store::{View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, TicketKey, WorkspaceKey, table};
use crate::view::live::Commit;
use crate::view::rows::TicketRow;

/// Tickets read at once; the last event's all.
const CHUNK: usize = 256;
/// Most tickets looked at for a chunk.
const MAX_SCANNED: usize = 5_000;

/// WatchTickets, as it was asked for.
#[derive(Debug)]
pub(crate) struct TicketWatch {
    workspace: String,
    filter: TicketFilter,
    after: u64,
}

impl TicketWatch {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(request: v1::WatchTicketsRequest) -> Result<TicketWatch, Status> {
        let mut mistakes = Mistakes::default();
        let fields = Fields {
            conversation_id: &request.conversation_id,
            state: request.state,
            opener_kind: request.opener_kind,
            assignee: request.assignee.as_ref(),
            topic: request.topic.as_deref(),
            include_nested: request.include_nested,
        };
        let filter = TicketFilter::read(&fields, &mut mistakes);
        let after = mistakes.revision("after_revision", request.after_revision);
        mistakes.revision("min_revision", request.min_revision);
        mistakes.check()?;
        Ok(TicketWatch { workspace: request.workspace, filter, after })
    }

    pub(crate) fn feed(self, reads: Reads) -> TicketFeed {
        TicketFeed { asked: self, reads }
    }
}

/// The tickets of a workspace in the order in which they last changed.
pub(crate) struct TicketFeed {
    asked: TicketWatch,
    reads: Reads,
}

impl Feed for TicketFeed {
    type Answer = v1::WatchTicketsResponse;

    async fn next(&mut self, through: u64) -> Result<(Vec<Self::Answer>, bool), Status> {
        let (workspace, filter) = (self.asked.workspace.clone(), self.asked.filter.clone());
        let after = self.asked.after;
        let (rows, seen) = self.reads.run(move |view| changed(view, &workspace, &filter, after, through)).await?;
        self.asked.after = seen.unwrap_or_else(|| after.max(through));
        let answers = rows.iter().enumerate().map(|(at, row)| {
            // Whoever goes on from an event has to have all of its tickets: only the last one names it.
            let last = rows.get(at + 1).is_none_or(|next| next.change_revision > row.change_revision);
            v1::WatchTicketsResponse {
                event: Some(Event::Ticket(show_ticket(&self.asked.workspace, row.clone()))),
                revision: to_wire(if last { row.change_revision } else { row.change_revision.saturating_sub(1) }),
            }
        });
        Ok((answers.collect(), seen.is_some()))
    }

    fn concerns(&self, commit: &Commit) -> bool {
        commit.tickets.binary_search(&WorkspaceKey::of(&self.asked.workspace)).is_ok()
    }

    fn heartbeat(&self, through: u64) -> Self::Answer {
        let event = Some(Event::Heartbeat(v1::Heartbeat { time: Some(now()) }));
        v1::WatchTicketsResponse { event, revision: to_wire(self.asked.after.max(through)) }
    }
}

/// Tickets that changed after one revision and up to another. Where that is too much for once, it stops behind an
/// event, and says behind which.
fn changed(
    view: &dyn View,
    workspace: &str,
    filter: &TicketFilter,
    after: u64,
    through: u64,
) -> Result<(Vec<TicketRow>, Option<u64>), Error> {
    let key = WorkspaceKey::of(workspace);
    let Some(start) = after.checked_add(1) else { return Ok((Vec::new(), None)) };
    let end = match through.checked_add(1) {
        Some(end) => keys::index_from_revision(key, end),
        None => prefix_end(&keys::index_prefix(table::BY_CHANGE, key)),
    };
    let mut rows: Vec<TicketRow> = Vec::new();
    let mut seen = after;
    for (looked, row) in view.scan(&keys::index_from_revision(key, start), &end).enumerate() {
        let (at, value) = row?;
        let parts = keys::index_parts(&at).ok_or_else(|| unreadable(&at))?;
        if parts.revision > seen && (rows.len() >= CHUNK || looked >= MAX_SCANNED) {
            return Ok((rows, Some(seen)));
        }
        seen = parts.revision;
        let open_time = keys::open_time_from(&value).ok_or_else(|| unreadable(&at))?;
        let ticket = TicketKey { workspace: key, open_time, conversation: parts.conversation, ordinal: parts.ordinal };
        rows.extend(read::ticket(view, &ticket)?.filter(|row| filter.takes(&row.into())));
    }
    Ok((rows, None))
}
