use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use conversation::{Basis, Period, Time};
use prost::Message as _;

use super::super::error::Error;
use super::super::keys::{self, SeriesKey, ShortDigest, TicketKey, WorkspaceKey, table};
use super::super::rows::{TicketRow, ValueRow};
use super::pack::{Count, Packed};
use super::sketch::{Durations, DurationsRow};
use super::tally::load;
use super::{DAY, Dimension, MINUTE, Mark, Series, TicketValues};
use super::{day_and_minute, span_and_slot, starts_minute};
use crate::store::View;

/// The tickets of a minute, by what marks them.
type Minutes = HashMap<(Mark, i64), Rc<Vec<Marked>>>;

/// The counts of a workspace, for one request.
pub(crate) struct Counters<'a> {
    rows: &'a dyn View,
    workspace: WorkspaceKey,
    /// The tickets of minutes that were looked into: groups ask for the same ones again.
    minutes: RefCell<Minutes>,
}

/// A ticket at the time of its mark.
struct Marked {
    time: Time,
    open_time: Time,
    nested: bool,
    values: TicketValues,
}

impl<'a> Counters<'a> {
    pub(crate) fn new(rows: &'a dyn View, workspace: WorkspaceKey) -> Self {
        Self { rows, workspace, minutes: RefCell::default() }
    }

    /// Every value of a dimension that a ticket ever had, in no particular order, at most `limit`.
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

    /// W11: the tickets of a series that fall into a period.
    ///
    /// With `as_of`, stamps later than that are ignored. Closers and assignees are still those of now: by these two,
    /// ask the tickets themselves.
    pub(crate) fn count(
        &self,
        series: Series,
        basis: Basis,
        period: Period,
        as_of: Option<Time>,
    ) -> Result<Count, Error> {
        Ok(self.count_each(series, basis, &[period], as_of)?.first().copied().unwrap_or_default())
    }

    /// [`Self::count`] for each of many periods; fastest in the order of time.
    pub(crate) fn count_each(
        &self,
        series: Series,
        basis: Basis,
        periods: &[Period],
        as_of: Option<Time>,
    ) -> Result<Vec<Count>, Error> {
        let mark = if basis == Basis::Closed { Mark::Closed } else { Mark::Opened };
        let mut marked = Sums::new(self, series, mark)?;
        let mut closed = match basis {
            Basis::OpenDuring => Some(Sums::new(self, series, Mark::Closed)?),
            Basis::Opened | Basis::Closed => None,
        };
        let count = |period: &Period| {
            let end = as_of.map_or(period.end, |as_of| period.end.min(after(as_of)));
            match &mut closed {
                None if period.start >= end => Ok(Count::default()),
                None => Ok(marked.before(end)? - marked.before(period.start)?),
                Some(closed) => {
                    let start = as_of.map_or(period.start, |as_of| period.start.min(as_of));
                    let mut count = marked.before(end)? - closed.through(start)?;
                    // What was opened and closed at `start` itself counts as open there, but for a view as of a time
                    // before the period: then it is closed already.
                    if start == period.start {
                        count += closed.instant(start)?;
                    }
                    Ok(count)
                }
            }
        };
        periods.iter().map(count).collect()
    }

    /// How long things took in the tickets of a series that were opened, or closed, in a period: primaries, nested.
    pub(crate) fn durations(
        &self,
        series: Series,
        mark: Mark,
        period: Period,
    ) -> Result<(Durations, Durations), Error> {
        let mut sum = DurationsRow::default();
        let first = whole_days_from(period.start);
        let last = whole_days_until(period.end);
        if first >= last {
            self.tickets(series, mark, period, &mut sum)?;
        } else {
            let (from, until) = (day_start(first), day_start(last));
            self.tickets(series, mark, Period { start: period.start, end: from }, &mut sum)?;
            self.days(series.key(self.workspace, mark), first, last, &mut sum)?;
            self.tickets(series, mark, Period { start: until, end: period.end }, &mut sum)?;
        }
        Ok((sum.primary, sum.nested))
    }

    /// The durations of whole days.
    fn days(&self, series: SeriesKey, first: i32, last: i32, sum: &mut DurationsRow) -> Result<(), Error> {
        let table = table::DURATIONS;
        for row in self.rows.scan(&series.row(table, first), &series.row(table, last)) {
            let row = DurationsRow::decode(&row?.1).ok_or_else(|| Error::row(table))?;
            sum.primary.merge(&row.primary);
            sum.nested.merge(&row.nested);
        }
        Ok(())
    }

    /// The durations of a part of a day, ticket by ticket.
    fn tickets(&self, series: Series, mark: Mark, period: Period, sum: &mut DurationsRow) -> Result<(), Error> {
        self.each_ticket(mark, period, |_, row| {
            if series.dimension != Dimension::Total && !series.holds(&TicketValues::of(row)) {
                return;
            }
            let durations = sum.of(row.nested());
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
            let value = match mark {
                Mark::Opened => Some(value),
                Mark::Closed => {
                    let open_time = keys::open_time_from(&value).ok_or_else(|| Error::row(of))?;
                    let (workspace, conversation, ordinal) = (self.workspace, at.conversation, at.ordinal);
                    self.rows.get(&TicketKey { workspace, open_time, conversation, ordinal }.row())?
                }
            };
            let ticket = TicketRow::decode(value.unwrap_or_default()).map_err(|_| Error::row(table::TICKETS))?;
            see(at.time, &ticket);
        }
        Ok(())
    }

    /// The tickets of one minute since the epoch.
    fn minute(&self, mark: Mark, minute: i64) -> Result<Rc<Vec<Marked>>, Error> {
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

/// The running sum of one series, at any instant.
struct Sums<'c, 'a> {
    counters: &'c Counters<'a>,
    series: Series,
    mark: Mark,
    key: SeriesKey,
    /// Every span that has tickets, and the sum before it.
    spans: Vec<(i32, Count, Before)>,
    day: Option<(i32, Before)>,
}

/// A row of slots with the sum before each.
struct Before {
    row: Packed,
    sums: Vec<Count>,
    total: Count,
}

impl Before {
    fn new(row: Packed) -> Self {
        let mut total = Count::default();
        let sums = row.slots().iter().map(|slot| {
            let before = total;
            total += slot.count;
            before
        });
        let sums = sums.collect();
        Self { row, sums, total }
    }

    fn at(&self, slot: u16) -> Count {
        let place = self.row.slots().partition_point(|before| before.at < slot);
        self.sums.get(place).copied().unwrap_or(self.total)
    }
}

impl<'c, 'a> Sums<'c, 'a> {
    fn new(counters: &'c Counters<'a>, series: Series, mark: Mark) -> Result<Self, Error> {
        let key = series.key(counters.workspace, mark);
        let mut spans = Vec::new();
        let mut sum = Count::default();
        for row in counters.rows.scan(&key.row(table::DAYS, i32::MIN), &key.row(table::DAYS, i32::MAX)) {
            let (at, value) = row?;
            let span = keys::series_unit(&at).ok_or_else(|| Error::row(table::DAYS))?;
            let before = Before::new(Packed::decode(&value).ok_or_else(|| Error::row(table::DAYS))?);
            let total = before.total;
            spans.push((span, sum, before));
            sum += total;
        }
        Ok(Self { counters, series, mark, key, spans, day: None })
    }

    /// Tickets before an instant.
    fn before(&mut self, time: Time) -> Result<Count, Error> {
        let (day, minute) = day_and_minute(time);
        let mut sum = self.before_day(day);
        let row = self.day(day)?;
        sum += row.at(minute);
        if !starts_minute(time) && !row.row.at(minute).count.is_zero() {
            sum += self.inside(time, |ticket| ticket.time < time)?;
        }
        Ok(sum)
    }

    /// Tickets before an instant and at it.
    fn through(&mut self, time: Time) -> Result<Count, Error> {
        let (day, minute) = day_and_minute(time);
        let mut sum = self.before(time)?;
        let slot = self.day(day)?.row.at(minute);
        if starts_minute(time) {
            sum += slot.on_start;
        } else if !slot.count.is_zero() {
            sum += self.inside(time, |ticket| ticket.time == time)?;
        }
        Ok(sum)
    }

    /// Tickets that were opened and closed at one and the same instant.
    fn instant(&mut self, time: Time) -> Result<Count, Error> {
        let (day, minute) = day_and_minute(time);
        let slot = self.day(day)?.row.at(minute);
        if slot.count.is_zero() || (starts_minute(time) && slot.on_start.is_zero()) {
            return Ok(Count::default());
        }
        self.inside(time, |ticket| ticket.time == time && ticket.open_time == time)
    }

    fn before_day(&self, day: i32) -> Count {
        let (span, slot) = span_and_slot(day);
        let place = self.spans.partition_point(|(before, ..)| *before < span);
        match (self.spans.get(place), self.spans.last()) {
            (Some((at, sum, before)), _) => {
                let mut sum = *sum;
                if *at == span {
                    sum += before.at(slot);
                }
                sum
            }
            (None, Some((_, sum, last))) => {
                let mut sum = *sum;
                sum += last.total;
                sum
            }
            (None, None) => Count::default(),
        }
    }

    fn day(&mut self, day: i32) -> Result<&Before, Error> {
        let row = match self.day.take() {
            Some((at, row)) if at == day => row,
            _ => Before::new(load(self.counters.rows, (table::MINUTES, self.key, day), Packed::decode)?),
        };
        Ok(&self.day.insert((day, row)).1)
    }

    fn inside(&self, time: Time, chosen: impl Fn(&Marked) -> bool) -> Result<Count, Error> {
        let minute = self.counters.minute(self.mark, time.0.div_euclid(MINUTE))?;
        let mut sum = Count::default();
        for ticket in minute.iter().filter(|ticket| chosen(ticket) && self.series.holds(&ticket.values)) {
            sum += Count::one(ticket.nested);
        }
        Ok(sum)
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
