//! Periods that have a name.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use crate::lang::word;

/// How an address names them, and people.
pub(crate) const PRESETS: [(&str, &str); 7] = [
    ("today", word("Today")),
    ("yesterday", word("Yesterday")),
    ("7d", word("7 days")),
    ("30d", word("30 days")),
    ("month", word("This month")),
    ("last-month", word("Last month")),
    ("year", word("This year")),
];

/// The period [start, end) of a name, in a zone; the last seven days where the name means nothing. Days begin when the
/// zone's days do, so one may have 23 or 25 hours.
pub(crate) fn period(name: &str, now: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
    let today = now.to_zoned(zone.clone()).date();
    let days = |from: i64, to: i64| (today.saturating_add(from.days()), today.saturating_add(to.days()));
    let first = today.first_of_month();
    let (from, to) = match name {
        "today" => days(0, 1),
        "yesterday" => days(-1, 0),
        "30d" => days(-29, 1),
        "month" => (first, first.saturating_add(1.month())),
        "last-month" => (first.saturating_sub(1.month()), first),
        "year" => (today.first_of_year(), today.first_of_year().saturating_add(1.year())),
        _ => days(-6, 1),
    };
    (start(from, zone, now), start(to, zone, now))
}

/// When a day begins.
fn start(day: Date, zone: &TimeZone, otherwise: Timestamp) -> Timestamp {
    day.to_zoned(zone.clone()).and_then(|at: Zoned| at.start_of_day()).map_or(otherwise, |at| at.timestamp())
}

/// A moment as browsers write it, "2026-11-22T10:02" or "2026-11-22", in a zone.
pub(crate) fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let at = match text.parse::<jiff::civil::DateTime>() {
        Ok(at) => at,
        Err(_) => text.parse::<Date>().ok()?.to_datetime(Time::midnight()),
    };
    at.to_zoned(zone.clone()).ok().map(|at| at.timestamp())
}

/// The opposite of [`moment`], to the second.
pub(crate) fn written(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    at.strftime(if at.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_days_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = "2026-03-29T12:00:00Z".parse().unwrap();
        let shown = |name| {
            let (from, to) = period(name, now, &zone);
            (from.to_string(), to.to_string())
        };
        // Clocks go forward on that day: it has 23 hours.
        assert_eq!(shown("today"), ("2026-03-28T23:00:00Z".into(), "2026-03-29T22:00:00Z".into()));
        assert_eq!(shown("last-month"), ("2026-01-31T23:00:00Z".into(), "2026-02-28T23:00:00Z".into()));
        assert_eq!(shown("nonsense"), ("2026-03-22T23:00:00Z".into(), "2026-03-29T22:00:00Z".into()));
    }

    #[test]
    fn a_moment_is_read_as_browsers_write_it() {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let at = moment("2026-11-22T10:02", &zone).unwrap();
        assert_eq!(at.to_string(), "2026-11-22T01:02:00Z");
        assert_eq!(written(at, &zone), "2026-11-22T10:02");
        let at = moment("2026-11-22T10:02:07", &zone).unwrap();
        assert_eq!(written(at, &zone), "2026-11-22T10:02:07");
        assert_eq!(moment("2026-11-22", &zone).unwrap().to_string(), "2026-11-21T15:00:00Z");
        assert_eq!(moment("soon", &zone), None);
    }
}
