use conversation::Time;

use super::read::{self, decode, unreadable};
use super::show_ticket::as_of;
use crate::store::{View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, TicketKey, WorkspaceKey, table};
use crate::view::rows::TicketRow;

/// Calls `see` with every ticket of a workspace that was open as of an instant: as it is now, and as it was then. Only
/// these differ from what the counters know of: a ticket that was closed by then has not changed since.
///
/// Looks at the open tickets and through the index of those closed since, so the cost grows with how long ago it was.
pub(crate) fn open_as_of(
    view: &dyn View,
    workspace: WorkspaceKey,
    at: Time,
    mut see: impl FnMut(TicketRow, TicketRow),
) -> Result<(), Error> {
    let mut each = |now: TicketRow| {
        if let Some(then) = as_of(now.clone(), at) {
            see(now, then);
        }
    };
    // Without an instant after it, everything that was ever open is open or closed by then.
    let Some(after) = at.0.checked_add(1).map(Time) else { return Ok(()) };
    let open = keys::index_prefix(table::OPEN_NOW, workspace);
    for row in view.scan(&open, &keys::index_from_time(table::OPEN_NOW, workspace, after)) {
        let (key, _) = row?;
        let parts = keys::index_parts(&key).ok_or_else(|| unreadable(&key))?;
        let (conversation, ordinal) = (parts.conversation, parts.ordinal);
        let ticket = TicketKey { workspace, open_time: parts.time, conversation, ordinal };
        read::ticket(view, &ticket)?.into_iter().for_each(&mut each);
    }
    let closed = keys::index_from_time(table::BY_CLOSE, workspace, after);
    for row in view.scan(&closed, &prefix_end(&keys::index_prefix(table::BY_CLOSE, workspace))) {
        let (key, value) = row?;
        each(decode(&key, value)?);
    }
    Ok(())
}

/// Calls `see` with every ticket that was opened (`O`) or closed (`D`) from `start` until before `end`.
pub(crate) fn tickets_between(
    view: &dyn View,
    workspace: WorkspaceKey,
    of: u8,
    start: Time,
    end: Time,
    mut see: impl FnMut(&TicketRow),
) -> Result<(), Error> {
    let (low, high) = (keys::index_from_time(of, workspace, start), keys::index_from_time(of, workspace, end));
    for row in view.scan(&low, &high) {
        let (key, value) = row?;
        see(&decode(&key, value)?);
    }
    Ok(())
}
