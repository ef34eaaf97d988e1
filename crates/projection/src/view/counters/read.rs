use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use conversation::{Basis, Period, Time};
use prost::Message as _;

use super::super::error::Error;
use super::super::keys::{self, ShortDigest, WorkspaceKey, table};
use super::super::rows::{TicketRow, ValueRow};
use super::pack::Count;
use super::sketch::{Durations, DurationsRow};
use super::sums::Sums;
use super::{DAY, Dimension, MINUTE, Mark, Series, TicketValues, value_digest};
use crate::store::View;

/// The tickets of a minute, by what marks them.
type Minutes = HashMap<(Mark, i64), Rc<Vec<Marked>>>;

/// The counts of a workspace, for one request.
pub(crate) struct Counters<'a> {
    pub(super) rows: &'a dyn View,
    pub(super) workspace: WorkspaceKey,
    /// The tickets of minutes that were looked into: groups ask for the same ones again.
    minutes: RefCell<Minutes>,
}

/// A ticket at the time of its mark.
pub(super) struct Marked {
    pub(super) time: Time,
    pub(super) open_time: Time,
    pub(super) nested: bool,
    pub(super) values: TicketValues,
}

impl<'a> Counters<'a> {
    pub(crate) fn new(rows: &'a dyn View, workspace: WorkspaceKey) -> Self {
        Self { rows, workspace, minutes: RefCell::default() }
    }

    /// Every value of a dimension that a ticket ever had, sorted by digest, at most `limit`.
    pub(crate) fn values(&self, dimension: Dimension, limit: usize) -> Result<Vec<(ShortDigest, ValueRow)>, Error> {
        let prefix = keys::values_prefix(self.workspace, dimension.byte());
        let end = crate::store::prefix_end(&prefix);
        let rows = self.rows.scan(&prefix, &end).take(limit).map(|row| {
            let (key, value) = row?;
            let digest = keys::value_digest(&key).ok_or_else(|| Error::row(table::VALUES))?;
            let value = ValueRow::decode(value).map_err(|_| Error::row(table::VALUES))?;
            Ok((digest, value))
        });
        rows.collect()
    }

    /// W11: the tickets of a series that fall into a period. See [`Self::count_each`].
    pub(crate) fn count(
        &self,
        series: Series,
        basis: Basis,
        period: Period,
        as_of: Option<Time>,
    ) -> Result<Count, Error> {
        let counts = self.count_each(series.dimension, &[series.value], basis, &[period], as_of)?;
        Ok(counts.first().and_then(|counts| counts.first()).copied().unwrap_or_default())
    }

    /// W11: for each of these values, which are sorted, how many tickets fall into each of many periods; fastest in the
    /// order of time.
    ///
    /// With `as_of`, stamps later than that are ignored. Closers and assignees are still those of now: by these two,
    /// ask the tickets themselves.
    pub(crate) fn count_each(
        &self,
        dimension: Dimension,
        values: &[ShortDigest],
        basis: Basis,
        periods: &[Period],
        as_of: Option<Time>,
    ) -> Result<Vec<Vec<Count>>, Error> {
        let mark = if basis == Basis::Closed { Mark::Closed } else { Mark::Opened };
        let mut marked = Sums::new(self, dimension, values, mark)?;
        let mut closed = match basis {
            Basis::OpenDuring => Some(Sums::new(self, dimension, values, Mark::Closed)?),
            Basis::Opened | Basis::Closed => None,
        };
        let mut counts = vec![Vec::with_capacity(periods.len()); values.len()];
        for period in periods {
            let end = as_of.map_or(period.end, |as_of| period.end.min(after(as_of)));
            let before = match &mut closed {
                None if period.start >= end => marked.before(end)?,
                None => marked.before(period.start)?,
                Some(closed) => {
                    let start = as_of.map_or(period.start, |as_of| period.start.min(as_of));
                    // What was opened and closed at `start` itself counts as open there, but for a view as of a time
                    // before the period: then it is closed already.
                    closed.through(start, start == period.start)?
                }
            };
            let until = marked.before(end)?;
            counts.iter_mut().zip(until).zip(before).for_each(|((counts, until), before)| counts.push(until - before));
        }
        Ok(counts)
    }

    /// For each of these values, which are sorted, how long things took in the tickets that were opened, or closed, in a
    /// period: primaries, nested.
    pub(crate) fn durations(
        &self,
        dimension: Dimension,
        values: &[ShortDigest],
        mark: Mark,
        period: Period,
    ) -> Result<Vec<(Durations, Durations)>, Error> {
        let mut sums = vec![DurationsRow::default(); values.len()];
        let first = whole_days_from(period.start);
        let last = whole_days_until(period.end);
        if first >= last {
            self.tickets(dimension, values, mark, period, &mut sums)?;
        } else {
            let (from, until) = (day_start(first), day_start(last));
            self.tickets(dimension, values, mark, Period { start: period.start, end: from }, &mut sums)?;
            let of = dimension.key(self.workspace, mark);
            for row in self.rows.scan(&of.start_of(table::DURATIONS, first), &of.start_of(table::DURATIONS, last)) {
                let (key, row) = row?;
                let (_, value) = keys::series_parts(&key).ok_or_else(|| Error::row(table::DURATIONS))?;
                let Ok(place) = values.binary_search(&value) else { continue };
                let row = DurationsRow::decode(&row).ok_or_else(|| Error::row(table::DURATIONS))?;
                sums[place].primary.merge(&row.primary);
                sums[place].nested.merge(&row.nested);
            }
            self.tickets(dimension, values, mark, Period { start: until, end: period.end }, &mut sums)?;
        }
        Ok(sums.into_iter().map(|sum| (sum.primary, sum.nested)).collect())
    }

    /// The durations of a part of a day, ticket by ticket.
    fn tickets(
        &self,
        dimension: Dimension,
        values: &[ShortDigest],
        mark: Mark,
        period: Period,
        sums: &mut [DurationsRow],
    ) -> Result<(), Error> {
        self.each_ticket(mark, period, |_, row| {
            let Ok(place) = values.binary_search(&value_digest(&dimension.value_of(row))) else { return };
            let durations = sums[place].of(row.nested());
            row.first_response.iter().for_each(|took| durations.first_response.add(*took));
            row.resolution().iter().for_each(|took| durations.resolution.add(*took));
        })
    }

    /// Every ticket of the workspace that was opened, or closed, in a period, in that order.
    fn each_ticket(&self, mark: Mark, period: Period, mut see: impl FnMut(Time, &TicketRow)) -> Result<(), Error> {
        let of = match mark {
            Mark::Opened => table::TICKETS,
            Mark::Closed => table::BY_CLOSE,
        };
        let start = keys::index_from_time(of, self.workspace, period.start);
        let end = keys::index_from_time(of, self.workspace, period.end);
        for row in self.rows.scan(&start, &end) {
            let (key, value) = row?;
            let at = keys::index_parts(&key).ok_or_else(|| Error::row(of))?;
            see(at.time, &TicketRow::decode(value).map_err(|_| Error::row(of))?);
        }
        Ok(())
    }

    /// The tickets of one minute since the epoch.
    pub(super) fn minute(&self, mark: Mark, minute: i64) -> Result<Rc<Vec<Marked>>, Error> {
        if let Some(known) = self.minutes.borrow().get(&(mark, minute)) {
            return Ok(known.clone());
        }
        let start = Time(minute.saturating_mul(MINUTE));
        let mut found = Vec::new();
        self.each_ticket(mark, Period { start, end: Time(start.0.saturating_add(MINUTE)) }, |time, row| {
            let values = TicketValues::of(row);
            found.push(Marked { time, open_time: Time(row.open_time), nested: row.nested(), values });
        })?;
        let found = Rc::new(found);
        self.minutes.borrow_mut().insert((mark, minute), found.clone());
        Ok(found)
    }
}

/// The next instant.
fn after(time: Time) -> Time {
    Time(time.0.saturating_add(1))
}

/// The first day that lies wholly after an instant.
fn whole_days_from(start: Time) -> i32 {
    let day = start.0.div_euclid(DAY) as i32;
    if start.0.rem_euclid(DAY) == 0 { day } else { day + 1 }
}

/// The first day that does not lie wholly before an instant.
fn whole_days_until(end: Time) -> i32 {
    end.0.div_euclid(DAY) as i32
}

fn day_start(day: i32) -> Time {
    Time(i64::from(day).saturating_mul(DAY))
}
