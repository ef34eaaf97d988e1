use std::collections::BTreeMap;

use conversation::{Basis, Period, Time};
use proto::{duration, v1};
use tonic::Status;
use v1::get_ticket_stats_response::Group;

use super::grouping::{self, Grouping, TooManyGroups};
use super::mistakes::Mistakes;
use super::standing::{open_as_of, tickets_between};
use crate::store::View;
use crate::view::counters::{Count, Counters, Dimension, Durations, Mark, Sketch, value_digest};
use crate::view::error::Error;
use crate::view::keys::{ShortDigest, WorkspaceKey, table};
use crate::view::rows::{TicketRow, ValueRow};

const DAY: i64 = 24 * 3_600_000_000_000;

/// GetTicketStats, as it was asked for.
#[derive(Debug)]
pub(crate) struct TicketStats {
    workspace: String,
    mark: Mark,
    period: Period,
    as_of: Option<Time>,
    dimension: Option<Dimension>,
    include_nested: bool,
}

/// What is known of the tickets of one group.
#[derive(Debug, Default)]
struct Sum {
    value: ValueRow,
    count: Count,
    primary: Durations,
    nested: Durations,
}

impl Sum {
    fn durations(&mut self, nested: bool) -> &mut Durations {
        if nested { &mut self.nested } else { &mut self.primary }
    }

    fn and(mut self, other: &Sum) -> Sum {
        self.count += other.count;
        self.primary.merge(&other.primary);
        self.nested.merge(&other.nested);
        self
    }
}

/// By value of the dimension; under the one value of no dimension otherwise.
type Sums = BTreeMap<ShortDigest, Sum>;

impl TicketStats {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(request: v1::GetTicketStatsRequest) -> Result<TicketStats, Status> {
        let mut mistakes = Mistakes::default();
        mistakes.revision("min_revision", request.min_revision);
        let (start, end) = mistakes.period(request.start_time.as_ref(), request.end_time.as_ref());
        let mark = match mistakes.basis(request.basis) {
            Basis::Opened => Mark::Opened,
            Basis::Closed => Mark::Closed,
            Basis::OpenDuring => {
                mistakes.add("basis", "must be OPENED or CLOSED");
                Mark::Opened
            }
        };
        let grouping = Grouping::read(&request.group_by, &mut mistakes);
        if grouping.unit.is_some() {
            mistakes
                .add("group_by", "takes one of OPENER, CLOSER, ASSIGNEE, CHANNEL and TOPIC: DAY and HOUR are counted");
        }
        let as_of = mistakes.time("as_of_time", request.as_of_time.as_ref());
        mistakes.zone(&request.time_zone);
        mistakes.check()?;
        let end = end.unwrap_or(Time::MAX);
        let known = as_of.map_or(Time::MAX, |at| Time(at.0.saturating_add(1)));
        Ok(TicketStats {
            workspace: request.workspace,
            mark,
            period: Period { start: start.unwrap_or(Time::MIN), end: end.min(known) },
            as_of,
            dimension: grouping.dimension,
            include_nested: request.include_nested,
        })
    }

    /// The statistics of all tickets of the period, and of each group.
    pub(crate) fn answer(&self, view: &dyn View) -> Result<Result<v1::GetTicketStatsResponse, TooManyGroups>, Error> {
        let sums = match self.sums(view, self.dimension.unwrap_or(Dimension::Total))? {
            Ok(sums) => sums,
            Err(error) => return Ok(Err(error)),
        };
        // Each ticket has one value of a dimension: the groups together are all tickets.
        let total = sums.values().fold(Sum::default(), Sum::and);
        let groups = if self.dimension.is_some() { sums } else { Sums::new() };
        let mut groups: Vec<Sum> = groups.into_values().filter(|sum| self.count(sum) > 0).collect();
        groups.sort_by_cached_key(|sum| grouping::order(&sum.value));
        Ok(Ok(v1::GetTicketStatsResponse {
            total: Some(self.show(&total)),
            groups: groups.iter().map(|sum| self.show_group(sum)).collect(),
        }))
    }

    fn sums(&self, view: &dyn View, dimension: Dimension) -> Result<Result<Sums, TooManyGroups>, Error> {
        let counters = grouping::counters(view, &self.workspace);
        let values = match dimension {
            Dimension::Total => Ok(vec![(value_digest(&ValueRow::default()), ValueRow::default())]),
            _ => grouping::values(&counters, dimension)?,
        };
        let values = match values {
            Ok(values) => values,
            Err(error) => return Ok(Err(error)),
        };
        let mut sums = self.whole_days(&counters, dimension, values)?;
        let days = self.days();
        self.add_tickets(view, dimension, Period { start: self.period.start, end: days.start }, &mut sums)?;
        self.add_tickets(view, dimension, Period { start: days.end, end: self.period.end }, &mut sums)?;
        if let Some(at) = self.as_of.filter(|_| self.mark == Mark::Opened) {
            self.put_back(view, dimension, at, &mut sums)?;
        }
        Ok(Ok(sums))
    }

    /// The count of each value, and what the sketches of the whole days of the period hold of it.
    fn whole_days(
        &self,
        counters: &Counters<'_>,
        dimension: Dimension,
        values: Vec<(ShortDigest, ValueRow)>,
    ) -> Result<Sums, Error> {
        let digests: Vec<ShortDigest> = values.iter().map(|(digest, _)| *digest).collect();
        let basis = if self.mark == Mark::Closed { Basis::Closed } else { Basis::Opened };
        let counts = counters.count_each(dimension, &digests, basis, &[self.period], self.as_of)?;
        let days = self.days();
        let durations = match days.start < days.end {
            true => counters.durations(dimension, &digests, self.mark, days)?,
            false => vec![Default::default(); digests.len()],
        };
        let sums = values.into_iter().zip(counts.into_iter().flatten()).zip(durations);
        let sum = |(((digest, value), count), (primary, nested))| (digest, Sum { value, count, primary, nested });
        Ok(sums.map(sum).collect())
    }

    /// The whole days within the period, by the clock of the counters; without one, an empty period at its end.
    fn days(&self) -> Period {
        let Period { start, end } = self.period;
        let up = start.0.checked_add(DAY - 1).map_or(end, |start| Time(start - start.rem_euclid(DAY)));
        let down = end.0.checked_sub(end.0.rem_euclid(DAY)).map_or(start, Time);
        if up < down { Period { start: up, end: down } } else { Period { start: end, end } }
    }

    /// Adds the durations of tickets in a part of a day, one by one.
    fn add_tickets(&self, view: &dyn View, dimension: Dimension, period: Period, sums: &mut Sums) -> Result<(), Error> {
        let of = if self.mark == Mark::Closed { table::BY_CLOSE } else { table::TICKETS };
        let workspace = WorkspaceKey::of(&self.workspace);
        tickets_between(view, workspace, of, period.start, period.end, |row| {
            let value = dimension.value_of(row);
            let sum = sums.entry(value_digest(&value)).or_insert_with(|| Sum { value, ..Sum::default() });
            add(sum.durations(row.nested()), row);
        })
    }

    /// Tickets that were open as of then have what they had then: another holder, no closer, no resolution, perhaps no
    /// answer yet.
    fn put_back(&self, view: &dyn View, dimension: Dimension, at: Time, sums: &mut Sums) -> Result<(), Error> {
        open_as_of(view, WorkspaceKey::of(&self.workspace), at, |now, then| {
            if !self.period.holds(Time(now.open_time)) {
                return;
            }
            let one = Count::one(now.nested());
            let value = dimension.value_of(&now);
            let sum = sums.entry(value_digest(&value)).or_insert_with(|| Sum { value, ..Sum::default() });
            sum.count = sum.count - one;
            remove(sum.durations(now.nested()), &now);
            let value = dimension.value_of(&then);
            let sum = sums.entry(value_digest(&value)).or_insert_with(|| Sum { value, ..Sum::default() });
            sum.count += one;
            add(sum.durations(then.nested()), &then);
        })
    }

    fn count(&self, sum: &Sum) -> i64 {
        sum.count.primary + if self.include_nested { sum.count.nested } else { 0 }
    }

    fn show(&self, sum: &Sum) -> v1::TicketStats {
        let mut durations = sum.primary.clone();
        if self.include_nested {
            durations.merge(&sum.nested);
        }
        v1::TicketStats {
            count: self.count(sum),
            first_response: Some(show_sketch(&durations.first_response)),
            resolution: Some(show_sketch(&durations.resolution)),
        }
    }

    fn show_group(&self, sum: &Sum) -> Group {
        let value = sum.value.clone();
        Group {
            key: grouping::key(&value),
            actor: value.actor,
            assignee: value.assignee,
            channel: value.channel,
            topic: value.topic,
            stats: Some(self.show(sum)),
        }
    }
}

fn add(durations: &mut Durations, row: &TicketRow) {
    row.first_response.iter().for_each(|took| durations.first_response.add(*took));
    row.resolution().iter().for_each(|took| durations.resolution.add(*took));
}

fn remove(durations: &mut Durations, row: &TicketRow) {
    row.first_response.iter().for_each(|took| durations.first_response.remove(*took));
    row.resolution().iter().for_each(|took| durations.resolution.remove(*took));
}

fn show_sketch(sketch: &Sketch) -> v1::DurationStats {
    let per_mille = |share: u64| sketch.quantile(share).map(duration);
    v1::DurationStats {
        count: i64::try_from(sketch.count()).unwrap_or(i64::MAX),
        median: per_mille(500),
        p90: per_mille(900),
        p99: per_mille(990),
        mean: sketch.mean().map(duration),
    }
}
