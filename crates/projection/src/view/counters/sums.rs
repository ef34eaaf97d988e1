use std::iter::Peekable;

use bytes::Bytes;
use conversation::Time;

use super::super::error::Error;
use super::super::keys::{self, DimensionKey, ShortDigest, table};
use super::pack::{Count, Slot, Slots};
use super::read::{Counters, Marked};
use super::{Dimension, MINUTE, Mark, day_and_minute, span_and_slot, starts_minute};
use crate::store::{Scan, prefix_end};

/// The running sums of the values of one dimension, at any instant; fastest from one instant to a later one.
///
/// The rows of all values of a day stand together, and so do those of the next day: one scan goes through them.
pub(super) struct Sums<'c, 'a> {
    counters: &'c Counters<'a>,
    dimension: Dimension,
    /// Sorted.
    order: &'c [ShortDigest],
    mark: Mark,
    key: DimensionKey,
    /// In that order.
    values: Vec<Value>,
    /// The day whose minutes are read, and the rows of later days.
    day: Option<(i32, Peekable<Scan<'a>>)>,
}

/// One value.
#[derive(Default)]
struct Value {
    /// Every span that has tickets, in order.
    spans: Vec<(i32, Running)>,
    /// The minutes of the day that is read, if it has any.
    minutes: Option<Running>,
}

/// A row of slots, summed up while it is read.
struct Running {
    row: Bytes,
    rest: Slots<Bytes>,
    /// Of the slots before the one that was asked for last.
    sum: Count,
    asked: u16,
    /// The first slot that is not in the sum.
    next: Option<Slot>,
}

impl<'c, 'a> Sums<'c, 'a> {
    /// Of these values, which are sorted.
    pub(super) fn new(
        counters: &'c Counters<'a>,
        dimension: Dimension,
        values: &'c [ShortDigest],
        mark: Mark,
    ) -> Result<Self, Error> {
        let key = dimension.key(counters.workspace, mark);
        let mut sums = Self { counters, dimension, order: values, mark, key, values: Vec::new(), day: None };
        sums.values.resize_with(values.len(), Value::default);
        let prefix = key.prefix(table::DAYS);
        for row in counters.rows.scan(&prefix, &prefix_end(&prefix)) {
            let (at, row) = row?;
            let (span, value) = keys::series_parts(&at).ok_or_else(|| Error::row(table::DAYS))?;
            if let Ok(place) = values.binary_search(&value) {
                sums.values[place].spans.push((span, Running::new(row, table::DAYS)?));
            }
        }
        Ok(sums)
    }

    /// Tickets before an instant, value by value.
    pub(super) fn before(&mut self, time: Time) -> Result<Vec<Count>, Error> {
        let (day, minute) = day_and_minute(time);
        let mut sums = self.values.iter_mut().map(|value| value.before_day(day)).collect::<Result<Vec<_>, _>>()?;
        if minute == 0 && starts_minute(time) {
            return Ok(sums);
        }
        let mut found = false;
        for (sum, value) in sums.iter_mut().zip(self.at(day)?) {
            let (before, slot) = value.minute(minute)?;
            *sum += before;
            found |= !slot.count.is_zero();
        }
        if found && !starts_minute(time) {
            self.add_inside(time, |ticket| ticket.time < time, &mut sums)?;
        }
        Ok(sums)
    }

    /// Tickets before an instant and at it, value by value. `but_moments`: without those that were opened and closed at
    /// that very instant.
    pub(super) fn through(&mut self, time: Time, but_moments: bool) -> Result<Vec<Count>, Error> {
        let (day, minute) = day_and_minute(time);
        let mut sums = self.before(time)?;
        let mut found = false;
        for (sum, value) in sums.iter_mut().zip(self.at(day)?) {
            let (_, slot) = value.minute(minute)?;
            if starts_minute(time) && !but_moments {
                *sum += slot.on_start;
            } else {
                let here = if starts_minute(time) { slot.on_start } else { slot.count };
                found |= !here.is_zero();
            }
        }
        if found {
            let chosen = |ticket: &Marked| ticket.time == time && !(but_moments && ticket.open_time == time);
            self.add_inside(time, chosen, &mut sums)?;
        }
        Ok(sums)
    }

    /// The values, with the minutes of a day.
    fn at(&mut self, day: i32) -> Result<&mut [Value], Error> {
        let mut rows = match self.day.take() {
            Some((at, rows)) if at == day => {
                self.day = Some((at, rows));
                return Ok(&mut self.values);
            }
            Some((at, rows)) if at.checked_add(1) == Some(day) => rows,
            _ => {
                let end = prefix_end(&self.key.prefix(table::MINUTES));
                self.counters.rows.scan(&self.key.start_of(table::MINUTES, day), &end).peekable()
            }
        };
        self.values.iter_mut().for_each(|value| value.minutes = None);
        while let Some(row) = rows.next_if(|row| !row.as_ref().is_ok_and(|(key, _)| is_later(key, day))) {
            let (key, row) = row?;
            let (at, value) = keys::series_parts(&key).ok_or_else(|| Error::row(table::MINUTES))?;
            if let Ok(place) = self.order.binary_search(&value)
                && at == day
            {
                self.values[place].minutes = Some(Running::new(row, table::MINUTES)?);
            }
        }
        self.day = Some((day, rows));
        Ok(&mut self.values)
    }

    /// Adds tickets of the minute that holds an instant.
    fn add_inside(&self, time: Time, chosen: impl Fn(&Marked) -> bool, sums: &mut [Count]) -> Result<(), Error> {
        let minute = self.counters.minute(self.mark, time.0.div_euclid(MINUTE))?;
        for ticket in minute.iter().filter(|ticket| chosen(ticket)) {
            if let Ok(place) = self.order.binary_search(&ticket.values.get(self.dimension)) {
                sums[place] += Count::one(ticket.nested);
            }
        }
        Ok(())
    }
}

fn is_later(key: &[u8], day: i32) -> bool {
    keys::series_parts(key).is_some_and(|(at, _)| at > day)
}

impl Value {
    fn before_day(&mut self, day: i32) -> Result<Count, Error> {
        let (span, slot) = span_and_slot(day);
        let mut sum = Count::default();
        for (at, days) in self.spans.iter_mut().take_while(|(at, _)| *at <= span) {
            let slot = if *at < span { u16::MAX } else { slot };
            sum += days.at(slot, table::DAYS)?.0;
        }
        Ok(sum)
    }

    /// The tickets of the day before a minute, and those of the minute.
    fn minute(&mut self, minute: u16) -> Result<(Count, Slot), Error> {
        self.minutes.as_mut().map_or(Ok(Default::default()), |minutes| minutes.at(minute, table::MINUTES))
    }
}

impl Running {
    fn new(row: Bytes, table: u8) -> Result<Self, Error> {
        let mut rest = Slots::of(row.clone());
        let next = rest.next().ok_or_else(|| Error::row(table))?;
        Ok(Self { row, rest, sum: Count::default(), asked: 0, next })
    }

    /// The sum before a slot, and the slot; an empty one if it is left out.
    fn at(&mut self, at: u16, table: u8) -> Result<(Count, Slot), Error> {
        if at < self.asked {
            *self = Self::new(self.row.clone(), table)?;
        }
        self.asked = at;
        while let Some(slot) = self.next.filter(|slot| slot.at < at) {
            self.sum += slot.count;
            self.next = self.rest.next().ok_or_else(|| Error::row(table))?;
        }
        Ok((self.sum, self.next.filter(|slot| slot.at == at).unwrap_or_default()))
    }
}
