use std::collections::HashSet;

use conversation::Time;
use prost::Message as _;

use super::super::cache::WriteBack;
use super::super::error::Error;
use super::super::keys::{self, SeriesKey, ShortDigest, WorkspaceKey, table};
use super::super::rows::{TicketRow, ValueRow};
use super::pack::{Count, Packed};
use super::sketch::{Durations, DurationsRow};
use super::{Dimension, Mark, Series, TicketValues, day_and_minute, span_and_slot, starts_minute};
use crate::store::{Batch, View};

/// Rows of counts, and of durations, kept in memory between batches.
const KEPT_ROWS: usize = 4_096;
/// Values of dimensions known to be stored.
const KEPT_VALUES: usize = 65_536;

/// A row of a series: the table, the series and the day or span.
type RowKey = (u8, SeriesKey, i32);

/// Keeps the counts while tickets are opened, assigned, answered and closed.
pub(crate) struct Tally {
    counts: WriteBack<RowKey, Packed>,
    durations: WriteBack<RowKey, DurationsRow>,
    stored: HashSet<(WorkspaceKey, u8, ShortDigest)>,
    values: Vec<(Vec<u8>, ValueRow)>,
}

/// A ticket that is counted.
pub(crate) struct Counted<'a> {
    pub(crate) workspace: WorkspaceKey,
    pub(crate) row: &'a TicketRow,
    pub(crate) values: &'a TicketValues,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            counts: WriteBack::new(KEPT_ROWS),
            durations: WriteBack::new(KEPT_ROWS),
            stored: HashSet::new(),
            values: Vec::new(),
        }
    }

    /// A ticket was opened.
    pub(crate) fn opened(&mut self, rows: &dyn View, ticket: &Counted<'_>) -> Result<(), Error> {
        for dimension in Dimension::ALL {
            self.name(rows, ticket, dimension)?;
            self.count(rows, ticket, Mark::Opened, dimension, ticket.values.get(dimension), 1)?;
        }
        Ok(())
    }

    /// A ticket was closed; its closer is not counted yet, and `closer` was counted until now.
    pub(crate) fn closed(&mut self, rows: &dyn View, ticket: &Counted<'_>, closer: ShortDigest) -> Result<(), Error> {
        self.moved(rows, ticket, Dimension::Closer, closer)?;
        let TicketRow { first_response, .. } = *ticket.row;
        let resolution = ticket.row.resolution();
        for dimension in Dimension::ALL {
            let value = ticket.values.get(dimension);
            self.count(rows, ticket, Mark::Closed, dimension, value, 1)?;
            self.durations(rows, ticket, Mark::Closed, dimension, value, |durations| {
                first_response.iter().for_each(|took| durations.first_response.add(*took));
                resolution.iter().for_each(|took| durations.resolution.add(*took));
            })?;
            self.durations(rows, ticket, Mark::Opened, dimension, value, |durations| {
                resolution.iter().for_each(|took| durations.resolution.add(*took));
            })?;
        }
        Ok(())
    }

    /// An open ticket got its first response.
    pub(crate) fn answered(&mut self, rows: &dyn View, ticket: &Counted<'_>) -> Result<(), Error> {
        let Some(took) = ticket.row.first_response else { return Ok(()) };
        for dimension in Dimension::ALL {
            let value = ticket.values.get(dimension);
            self.durations(rows, ticket, Mark::Opened, dimension, value, |all| all.first_response.add(took))?;
        }
        Ok(())
    }

    /// An open ticket has another value of a dimension than `before`.
    pub(crate) fn moved(
        &mut self,
        rows: &dyn View,
        ticket: &Counted<'_>,
        dimension: Dimension,
        before: ShortDigest,
    ) -> Result<(), Error> {
        self.name(rows, ticket, dimension)?;
        let value = ticket.values.get(dimension);
        self.count(rows, ticket, Mark::Opened, dimension, before, -1)?;
        self.count(rows, ticket, Mark::Opened, dimension, value, 1)?;
        let Some(took) = ticket.row.first_response else { return Ok(()) };
        self.durations(rows, ticket, Mark::Opened, dimension, before, |all| all.first_response.remove(took))?;
        self.durations(rows, ticket, Mark::Opened, dimension, value, |all| all.first_response.add(took))
    }

    /// Rows to be written.
    pub(crate) fn changed(&self) -> usize {
        self.counts.changed() + self.durations.changed() + self.values.len()
    }

    /// Puts all that changed into a batch.
    pub(crate) fn write(&mut self, batch: &mut Batch) -> Result<(), Error> {
        self.counts.write(|(table, series, unit), row| -> Result<(), Error> {
            put(batch, series.row(*table, *unit), row.is_empty(), || row.encode());
            Ok(())
        })?;
        self.durations.write(|(table, series, unit), row| -> Result<(), Error> {
            put(batch, series.row(*table, *unit), row.is_empty(), || row.encode());
            Ok(())
        })?;
        self.values.drain(..).for_each(|(key, row)| batch.put(key, row.encode_to_vec()));
        if self.stored.len() > KEPT_VALUES {
            self.stored.clear();
        }
        Ok(())
    }

    /// Stores what a value stands for, the first time that it is counted: an actor keeps the name it had then.
    fn name(&mut self, rows: &dyn View, ticket: &Counted<'_>, dimension: Dimension) -> Result<(), Error> {
        let value = ticket.values.get(dimension);
        if dimension == Dimension::Total || !self.stored.insert((ticket.workspace, dimension.byte(), value)) {
            return Ok(());
        }
        let key = keys::value(ticket.workspace, dimension.byte(), value);
        if rows.get(&key)?.is_none() {
            self.values.push((key, dimension.value_of(ticket.row)));
        }
        Ok(())
    }

    fn count(
        &mut self,
        rows: &dyn View,
        ticket: &Counted<'_>,
        mark: Mark,
        dimension: Dimension,
        value: ShortDigest,
        by: i64,
    ) -> Result<(), Error> {
        let Some(time) = time_of(ticket.row, mark) else { return Ok(()) };
        let series = Series { dimension, value }.key(ticket.workspace, mark);
        let (day, minute) = day_and_minute(time);
        let (span, slot) = span_and_slot(day);
        let one = Count::one(ticket.row.nested());
        let count = Count { primary: one.primary * by, nested: one.nested * by };
        let on_start = if starts_minute(time) { count } else { Count::default() };
        load_counts(&mut self.counts, rows, (table::MINUTES, series, day))?.add(minute, count, on_start);
        load_counts(&mut self.counts, rows, (table::DAYS, series, span))?.add(slot, count, Count::default());
        Ok(())
    }

    fn durations(
        &mut self,
        rows: &dyn View,
        ticket: &Counted<'_>,
        mark: Mark,
        dimension: Dimension,
        value: ShortDigest,
        change: impl FnOnce(&mut Durations),
    ) -> Result<(), Error> {
        let Some(time) = time_of(ticket.row, mark) else { return Ok(()) };
        let (day, _) = day_and_minute(time);
        let key = (table::DURATIONS, Series { dimension, value }.key(ticket.workspace, mark), day);
        change(self.durations.change(key, || load(rows, key, DurationsRow::decode))?.of(ticket.row.nested()));
        Ok(())
    }
}

fn time_of(ticket: &TicketRow, mark: Mark) -> Option<Time> {
    match mark {
        Mark::Opened => Some(Time(ticket.open_time)),
        Mark::Closed => ticket.close_time.map(Time),
    }
}

fn load_counts<'a>(
    counts: &'a mut WriteBack<RowKey, Packed>,
    rows: &dyn View,
    key: RowKey,
) -> Result<&'a mut Packed, Error> {
    counts.change(key, || load(rows, key, Packed::decode))
}

/// The row in the store; an empty one if there is none.
pub(super) fn load<T: Default>(
    rows: &dyn View,
    (table, series, unit): RowKey,
    decode: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, Error> {
    match rows.get(&series.row(table, unit))? {
        Some(bytes) => decode(&bytes).ok_or_else(|| Error::row(table)),
        None => Ok(T::default()),
    }
}

fn put(batch: &mut Batch, key: Vec<u8>, empty: bool, value: impl FnOnce() -> Vec<u8>) {
    if empty { batch.delete(key) } else { batch.put(key, value()) }
}
