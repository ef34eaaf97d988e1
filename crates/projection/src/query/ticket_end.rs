use conversation::{Basis, Period, Time};

use super::grouping::counters;
use super::tickets::TicketList;
use crate::store::View;
use crate::view::counters::{Dimension, Series};
use crate::view::error::Error;
use crate::view::keys::{self, ShortDigest, WorkspaceKey, table};
use crate::view::rows::TicketGist;

/// Where a walk through the tickets may end before the beginning of time: when all that were open at an instant have
/// been met. The counters know how many these are, so that nobody pages through years of closed tickets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    open: Open,
    /// How many there are.
    total: i64,
    /// How many of them were met, on earlier pages too.
    met: i64,
}

/// Which tickets are waited for.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// None: the walk has a beginning of its own.
    Never,
    /// Those opened before a period and open in it.
    Into(Period),
    /// Those open as of then.
    AsOf,
}

impl End {
    pub(crate) fn new(list: &TicketList, view: &dyn View, met: u64) -> Result<End, Error> {
        let (open, instant) = match (list.open_as_of(), list.basis) {
            (Some(at), _) => (Open::AsOf, Time(at.0.saturating_add(1))),
            (None, Basis::OpenDuring) if has_ticket_since(list, view)? => (Open::Into(list.period), list.period.start),
            _ => return Ok(End { open: Open::Never, total: 0, met: 0 }),
        };
        let at = Period { start: instant, end: instant };
        let count = counters(view, &list.workspace).count(of_topic(list), Basis::OpenDuring, at, list.as_of)?;
        Ok(End { open, total: count.primary + count.nested, met: i64::try_from(met).unwrap_or(i64::MAX) })
    }

    /// Whether no ticket opened then or before can belong to the list.
    pub(crate) fn reached(&self, opened: Time) -> bool {
        match self.open {
            Open::Never => false,
            Open::Into(period) => opened < period.start && self.met >= self.total,
            Open::AsOf => self.met >= self.total,
        }
    }

    /// A ticket of the topic was met, as it is to be shown.
    pub(crate) fn meet(&mut self, row: &TicketGist) {
        let (open, close) = (Time(row.open_time), row.close_time.map(Time));
        let waited_for = match self.open {
            Open::Never => false,
            Open::Into(period) => open < period.start && period.counts(Basis::OpenDuring, open, close),
            Open::AsOf => close.is_none(),
        };
        self.met += i64::from(waited_for);
    }

    pub(crate) fn met(&self) -> u64 {
        self.met.unsigned_abs()
    }
}

/// The tickets that can belong to the list, whatever else it is chosen by.
fn of_topic(list: &TicketList) -> Series {
    match &list.filter.topic {
        Some(topic) => Series { dimension: Dimension::Topic, value: ShortDigest::of(topic) },
        None => Series::total(),
    }
}

/// Whether the period has begun by the log: until then, tickets can still close before it.
fn has_ticket_since(list: &TicketList, view: &dyn View) -> Result<bool, Error> {
    let workspace = WorkspaceKey::of(&list.workspace);
    let start = keys::index_from_time(table::TICKETS, workspace, list.period.start);
    let end = crate::store::prefix_end(&keys::index_prefix(table::TICKETS, workspace));
    Ok(view.scan(&start, &end).next().transpose()?.is_some())
}
