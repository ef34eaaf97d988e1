use conversation::{Period, Time};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

/// Most days or hours that one answer is split into: a year of hours fits, and so do 27 years of days.
pub(crate) const MAX_BUCKETS: usize = 10_000;

const HOUR: i64 = 3_600_000_000_000;

/// A time zone by its IANA name.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

/// What a period is split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A civil day: from its first instant to the first instant of the next.
    Day,
    /// An hour by the clock on the wall. An hour that a change of offset repeats is two; one that it cuts is shorter.
    Hour,
}

/// One day or hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// From its first instant to the first after it.
    pub(crate) period: Period,
    /// "2026-03-29" or "2026-03-29T01:00:00+01:00".
    pub(crate) label: String,
}

/// Why a period can't be split.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the period has more than {MAX_BUCKETS} days or hours: ask for a shorter one")]
pub(crate) struct TooMany;

impl Zone {
    /// The zone of that name, in any case; UTC for an empty name. `None` for a name that IANA does not know.
    pub(crate) fn named(name: &str) -> Option<Zone> {
        if name.is_empty() {
            return Some(Zone(TimeZone::UTC));
        }
        TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).map(Zone)
    }

    /// The days or hours that share an instant with the period, whole, in order and without gaps between them.
    ///
    /// # Errors
    /// [`TooMany`] past [`MAX_BUCKETS`].
    pub(crate) fn split(&self, period: Period, unit: Unit) -> Result<Vec<Bucket>, TooMany> {
        let mut buckets = Vec::new();
        let mut at = period.start;
        while at < period.end {
            if buckets.len() == MAX_BUCKETS {
                return Err(TooMany);
            }
            let bucket = match unit {
                Unit::Day => self.day(at),
                Unit::Hour => self.hour(at),
            };
            // Only at the end of all time can a bucket not reach past its own instant.
            let Some(bucket) = bucket.filter(|bucket| bucket.period.end > at) else { break };
            at = bucket.period.end;
            buckets.push(bucket);
        }
        Ok(buckets)
    }

    /// The day that holds an instant. Where midnight comes twice, the day begins with the first; a day that the
    /// zone left out (Apia, 30 December 2011) holds no instant.
    fn day(&self, at: Time) -> Option<Bucket> {
        let mut date = self.0.to_datetime(instant(at)?).date();
        let mut start = self.first_instant(date)?;
        loop {
            let end = self.first_instant(date.tomorrow().ok()?)?;
            if at < end {
                return Some(Bucket { period: Period { start, end }, label: date.to_string() });
            }
            (date, start) = (date.tomorrow().ok()?, end);
        }
    }

    fn first_instant(&self, date: Date) -> Option<Time> {
        let midnight = self.0.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
        Some(time(midnight.compatible().ok()?))
    }

    /// The hour that holds an instant, cut where the zone's offset changes.
    fn hour(&self, at: Time) -> Option<Bucket> {
        let here = instant(at)?;
        let offset = self.0.to_offset(here);
        let into = at.0.checked_add(i64::from(offset.seconds()) * 1_000_000_000)?.rem_euclid(HOUR);
        let begin = Time(at.0.checked_sub(into)?);
        let finish = Time(begin.0.checked_add(HOUR)?);
        let start = self.last_change(here, begin).unwrap_or(begin);
        let end = self.next_change(here, finish).unwrap_or(finish);
        let label =
            self.0.to_datetime(instant(start)?).strftime("%Y-%m-%dT%H:%M:%S").to_string() + &suffix(offset.seconds());
        Some(Bucket { period: Period { start, end }, label })
    }

    /// The last change of offset up to an instant that is later than `begin`.
    fn last_change(&self, here: Timestamp, begin: Time) -> Option<Time> {
        let after = here.checked_add(1.nanosecond()).ok()?;
        let offset = self.0.to_offset(here);
        let mut changes = self.0.preceding(after).map(|change| change.timestamp());
        changes
            .by_ref()
            .take_while(|change| time(*change) > begin)
            .find(|change| {
                let before = change.checked_sub(SignedDuration::from_nanos(1));
                before.is_ok_and(|before| self.0.to_offset(before) != offset)
            })
            .map(time)
    }

    /// The first change of offset after an instant that is earlier than `finish`.
    fn next_change(&self, here: Timestamp, finish: Time) -> Option<Time> {
        let offset = self.0.to_offset(here);
        let mut changes = self.0.following(here).take_while(|change| time(change.timestamp()) < finish);
        changes.find(|change| change.offset() != offset).map(|change| time(change.timestamp()))
    }
}

/// "+01:00", "Z" never; seconds only where the zone had them.
fn suffix(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    if rest == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{rest:02}")
    }
}

fn instant(time: Time) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(time.0)).ok()
}

/// Clamped to what [`Time`] can tell.
fn time(instant: Timestamp) -> Time {
    let nanos = instant.as_nanosecond();
    Time(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
