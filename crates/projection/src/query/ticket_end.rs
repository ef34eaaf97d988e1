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
pub(crate) struct End<'a> {
    list: &'a TicketList,
    view: &'a dyn View,
    open: Open,
    /// How many there are, once it was asked for. `None`: the log does not say yet.
    total: Option<Option<i64>>,
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
    AsOf(Time),
}

impl<'a> End<'a> {
    pub(crate) fn new(list: &'a TicketList, view: &'a dyn View, met: u64) -> End<'a> {
        let open = match (list.open_as_of(), list.basis) {
            (Some(at), _) => Open::AsOf(at),
            (None, Basis::OpenDuring) => Open::Into(list.period),
            _ => Open::Never,
        };
        End { list, view, open, total: None, met: i64::try_from(met).unwrap_or(i64::MAX) }
    }

    /// Whether no ticket opened then or before can belong to the list. Most pages are full before that has to be counted.
    pub(crate) fn reached(&mut self, opened: Time) -> Result<bool, Error> {
        let instant = match self.open {
            Open::Never => return Ok(false),
            Open::Into(period) if opened >= period.start => return Ok(false),
            Open::Into(period) => period.start,
            Open::AsOf(at) => Time(at.0.saturating_add(1)),
        };
        let total = match self.total {
            Some(total) => total,
            None => *self.total.insert(self.count(instant)?),
        };
        Ok(total.is_some_and(|total| self.met >= total))
    }

    /// How many tickets were open at an instant.
    fn count(&self, instant: Time) -> Result<Option<i64>, Error> {
        let Self { list, view, .. } = *self;
        if matches!(self.open, Open::Into(_)) && !has_ticket_since(list, view)? {
            return Ok(None);
        }
        let at = Period { start: instant, end: instant };
        let count = counters(view, &list.workspace).count(of_topic(list), Basis::OpenDuring, at, list.as_of)?;
        Ok(Some(count.primary + count.nested))
    }

    /// A ticket of the topic was met, as it is to be shown, and it was asked whether the end is reached there. As long as
    /// the log does not say how many were open, none counts: it may still close before the period.
    pub(crate) fn meet(&mut self, row: &TicketGist) {
        let (open, close) = (Time(row.open_time), row.close_time.map(Time));
        let waited_for = match self.open {
            Open::Never => false,
            Open::Into(period) => {
                matches!(self.total, Some(Some(_)))
                    && open < period.start
                    && period.counts(Basis::OpenDuring, open, close)
            }
            Open::AsOf(_) => close.is_none(),
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
