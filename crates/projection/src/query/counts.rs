use std::collections::BTreeMap;

use conversation::{Basis, Period, Time};
use proto::{timestamp, v1};
use tonic::Status;
use v1::count_tickets_response::Group;

use super::calendar::{Bucket, Zone};
use super::grouping::{self, Grouping, MAX_GROUPS, TooManyGroups};
use super::mistakes::Mistakes;
use super::standing::open_as_of;
use crate::store::View;
use crate::view::counters::{Count, Counters, Dimension, Series, value_digest};
use crate::view::error::Error;
use crate::view::keys::{ShortDigest, WorkspaceKey};
use crate::view::rows::ValueRow;

/// Most counts made for one answer.
const MAX_CELLS: usize = 500_000;

/// CountTickets, as it was asked for.
#[derive(Debug)]
pub(crate) struct TicketCount {
    workspace: String,
    basis: Basis,
    period: Period,
    as_of: Option<Time>,
    grouping: Grouping,
    /// The days or hours of the period, when grouped by them.
    buckets: Vec<Bucket>,
}

/// Counts of one value, bucket by bucket.
type Rows = BTreeMap<ShortDigest, (ValueRow, Vec<Count>)>;

impl TicketCount {
    /// # Errors
    /// INVALID_ARGUMENT with all that is wrong.
    pub(crate) fn read(request: v1::CountTicketsRequest) -> Result<TicketCount, Status> {
        let mut mistakes = Mistakes::default();
        mistakes.revision("min_revision", request.min_revision);
        let (start, end) = mistakes.period(request.start_time.as_ref(), request.end_time.as_ref());
        let basis = mistakes.basis(request.basis);
        let grouping = Grouping::read(&request.group_by, &mut mistakes);
        let as_of = mistakes.time("as_of_time", request.as_of_time.as_ref());
        let zone = mistakes.zone(&request.time_zone);
        let period = Period { start: start.unwrap_or(Time::MIN), end: end.unwrap_or(Time::MAX) };
        let buckets = buckets(&request, grouping, period, zone, &mut mistakes);
        mistakes.check()?;
        Ok(TicketCount { workspace: request.workspace, basis, period, as_of, grouping, buckets })
    }

    /// The counts, and those of each group.
    pub(crate) fn answer(&self, view: &dyn View) -> Result<Result<v1::CountTicketsResponse, TooManyGroups>, Error> {
        let counters = grouping::counters(view, &self.workspace);
        let total = counters.count(Series::total(), self.basis, self.period, self.as_of)?;
        let groups = match self.grouping.dimension {
            None => self.by_time(&counters)?,
            Some(dimension) => match self.rows(view, &counters, dimension)? {
                Ok(rows) => self.groups(rows),
                Err(error) => return Ok(Err(error)),
            },
        };
        if groups.len() > MAX_GROUPS {
            return Ok(Err(TooManyGroups));
        }
        let (primary_count, nested_count) = (total.primary, total.nested);
        Ok(Ok(v1::CountTicketsResponse { primary_count, nested_count, groups }))
    }

    /// Every day or hour, those without tickets too.
    fn by_time(&self, counters: &Counters<'_>) -> Result<Vec<Group>, Error> {
        if self.grouping.unit.is_none() {
            return Ok(Vec::new());
        }
        let Series { dimension, value } = Series::total();
        let counts = counters.count_each(dimension, &[value], self.basis, &self.parts(), self.as_of)?;
        let counts = counts.into_iter().flatten();
        Ok(self.buckets.iter().zip(counts).map(|(bucket, count)| group(Some(bucket), None, count)).collect())
    }

    /// The parts of the period that are counted apart: its days or hours, or all of it.
    fn parts(&self) -> Vec<Period> {
        if self.grouping.unit.is_none() {
            return vec![self.period];
        }
        let Period { start, end } = self.period;
        let clip = |bucket: &Bucket| Period { start: bucket.period.start.max(start), end: bucket.period.end.min(end) };
        self.buckets.iter().map(clip).collect()
    }

    fn rows(
        &self,
        view: &dyn View,
        counters: &Counters<'_>,
        dimension: Dimension,
    ) -> Result<Result<Rows, TooManyGroups>, Error> {
        let parts = self.parts();
        let values = match grouping::values(counters, dimension)? {
            Ok(values) if values.len() * parts.len() <= MAX_CELLS => values,
            _ => return Ok(Err(TooManyGroups)),
        };
        let digests: Vec<ShortDigest> = values.iter().map(|(digest, _)| *digest).collect();
        let counts = counters.count_each(dimension, &digests, self.basis, &parts, self.as_of)?;
        let mut rows: Rows =
            values.into_iter().zip(counts).map(|((digest, value), counts)| (digest, (value, counts))).collect();
        if let Some(at) = self.as_of.filter(|_| self.grouping.changes()) {
            self.put_back(view, dimension, at, &parts, &mut rows)?;
        }
        Ok(Ok(rows))
    }

    /// The counters know who holds and who closed a ticket now. Those that were open as of then are counted with who
    /// held them then, and with nobody who closed them.
    fn put_back(
        &self,
        view: &dyn View,
        dimension: Dimension,
        at: Time,
        parts: &[Period],
        rows: &mut Rows,
    ) -> Result<(), Error> {
        open_as_of(view, WorkspaceKey::of(&self.workspace), at, |now, then| {
            let (value_now, value_then) = (dimension.value_of(&now), dimension.value_of(&then));
            let (digest_now, digest_then) = (value_digest(&value_now), value_digest(&value_then));
            if digest_now == digest_then {
                return;
            }
            let one = Count::one(now.nested());
            let open = Time(then.open_time);
            for (part, period) in parts.iter().enumerate() {
                if period.counts(self.basis, open, None) {
                    let cell = cell(rows, digest_now, &value_now, parts.len(), part);
                    *cell = *cell - one;
                    *self::cell(rows, digest_then, &value_then, parts.len(), part) += one;
                }
            }
        })
    }

    /// The groups that have tickets, in the order of time and value.
    fn groups(&self, rows: Rows) -> Vec<Group> {
        let rows = rows.into_values().map(|(value, counts)| (grouping::order(&value), value, counts));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut groups = Vec::new();
        for part in 0..self.parts().len() {
            for ((word, _), value, counts) in &rows {
                let count = counts.get(part).copied().unwrap_or_default();
                if !count.is_zero() {
                    groups.push(group(self.buckets.get(part), Some((word, value)), count));
                }
            }
        }
        groups
    }
}

fn cell<'r>(rows: &'r mut Rows, digest: ShortDigest, value: &ValueRow, parts: usize, part: usize) -> &'r mut Count {
    let (_, counts) = rows.entry(digest).or_insert_with(|| (value.clone(), vec![Count::default(); parts]));
    &mut counts[part]
}

/// The days or hours to group by; none when grouped by neither.
fn buckets(
    request: &v1::CountTicketsRequest,
    grouping: Grouping,
    period: Period,
    zone: Option<Zone>,
    mistakes: &mut Mistakes,
) -> Vec<Bucket> {
    let Some(unit) = grouping.unit else { return Vec::new() };
    for (field, time) in [("start_time", &request.start_time), ("end_time", &request.end_time)] {
        if time.is_none() {
            mistakes.add(field, "is needed to group by DAY or HOUR");
        }
    }
    let Some(zone) = zone.filter(|_| request.start_time.is_some() && request.end_time.is_some()) else {
        return Vec::new();
    };
    zone.split(period, unit).unwrap_or_else(|error| {
        mistakes.add("group_by", error.to_string());
        Vec::new()
    })
}

/// `value`: in one word, and whole.
fn group(bucket: Option<&Bucket>, value: Option<(&str, &ValueRow)>, count: Count) -> Group {
    let key = match (bucket, value) {
        (Some(bucket), Some((word, _))) => [&bucket.label, "/", word].concat(),
        (Some(bucket), None) => bucket.label.clone(),
        (None, value) => value.map_or_else(String::new, |(word, _)| word.to_owned()),
    };
    let value = value.map(|(_, value)| value.clone()).unwrap_or_default();
    Group {
        start_time: bucket.map(|bucket| timestamp(bucket.period.start)),
        end_time: bucket.map(|bucket| timestamp(bucket.period.end)),
        actor: value.actor,
        assignee: value.assignee,
        channel: value.channel,
        topic: value.topic,
        primary_count: count.primary,
        nested_count: count.nested,
        key,
    }
}

/// Tickets of a workspace that are open now, primary and nested.
pub(crate) fn open_tickets(view: &dyn View, workspace: &str) -> Result<u64, Error> {
    let counters = grouping::counters(view, workspace);
    let ever = Period { start: Time::MIN, end: Time::MAX };
    let of = |basis| counters.count(Series::total(), basis, ever, None).map(|count| count.primary + count.nested);
    Ok(u64::try_from(of(Basis::Opened)? - of(Basis::Closed)?).unwrap_or(0))
}
