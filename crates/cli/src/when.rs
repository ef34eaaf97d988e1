//! Instants as people type them.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned};

/// What can be said, for `--help` and for errors.
pub(crate) const FORMS: &str = "2026-11-01, 2026-11, 2026-11-01T14:30, an RFC 3339 time, now, today, yesterday, tomorrow, or how long ago (7d, 36h, 90m, 2w)";

/// The instant that `text` means in a zone, seen from `now`. A date is its first moment.
///
/// # Errors
/// What it could have been instead.
pub(crate) fn parse(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    let here = now.to_zoned(zone.clone());
    if let Some(at) = named(text, &here)? {
        return Ok(at.timestamp());
    }
    if let Some(span) = ago(text) {
        let back = span.and_then(|span| here.checked_sub(span).ok());
        return back.map(|at| at.timestamp()).ok_or_else(|| format!("{text:?} is further back than a calendar goes"));
    }
    absolute(text, zone).ok_or_else(|| format!("{text:?} is no time: say {FORMS}"))
}

fn named(text: &str, here: &Zoned) -> Result<Option<Zoned>, String> {
    let days = match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(Some(here.clone())),
        "today" => 0,
        "yesterday" => -1,
        "tomorrow" => 1,
        _ => return Ok(None),
    };
    let day = here.checked_add(days.days()).and_then(|day| day.start_of_day());
    day.map(Some).map_err(|error| error.to_string())
}

/// `None` when it says no length of time; `Some(None)` when the length is beyond all bounds.
fn ago(text: &str) -> Option<Option<Span>> {
    let unit = text.chars().last().filter(char::is_ascii_alphabetic)?;
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: Option<i64> = digits.parse().ok();
    let span = match unit {
        's' => count.and_then(|n| Span::new().try_seconds(n).ok()),
        'm' => count.and_then(|n| Span::new().try_minutes(n).ok()),
        'h' => count.and_then(|n| Span::new().try_hours(n).ok()),
        'd' => count.and_then(|n| Span::new().try_days(n).ok()),
        'w' => count.and_then(|n| Span::new().try_weeks(n).ok()),
        _ => return None,
    };
    Some(span)
}

fn absolute(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil = match text.len() {
        7 => format!("{text}-01").parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        _ => text.parse::<DateTime>().ok()?,
    };
    // As other calendars have it: a time that clocks skip is the one after the gap, one that they show twice the first.
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp())
}

/// A length of time: `30s`, `5m`, `1h`, `2d`.
///
/// # Errors
/// What it could have been instead.
pub(crate) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no length of time: say 30s, 5m, 1h or 2d");
    let unit = text.chars().last().filter(char::is_ascii_alphabetic).ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// The zone of an IANA name; the machine's own where none is given, UTC where that is not known.
///
/// # Errors
/// When there is no such zone.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    match name {
        Some(name) => TimeZone::get(name)
            .map_err(|_| format!("there is no time zone {name:?}: say an IANA name such as Europe/Madrid or UTC")),
        None => Ok(TimeZone::try_system().ok().filter(|zone| zone.iana_name().is_some()).unwrap_or(TimeZone::UTC)),
    }
}

/// The zone's IANA name, for the server.
pub(crate) fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// An instant on the wire.
pub(crate) fn wire(at: Timestamp) -> prost_types::Timestamp {
    let (mut seconds, mut nanos) = (at.as_second(), at.subsec_nanosecond());
    if nanos < 0 {
        (seconds, nanos) = (seconds - 1, nanos + 1_000_000_000);
    }
    prost_types::Timestamp { seconds, nanos }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let zone = TimeZone::get("Europe/Madrid").unwrap();
        let now: Timestamp = "2026-11-22T14:30:00Z".parse().unwrap();
        let at = parse(text, &zone, now).map(|at| at.to_string());
        assert_eq!(at.as_deref(), Ok(expect), "{text}");
    }

    #[test]
    fn dates_and_times_are_read_in_the_zone() {
        check("2026-11-01", "2026-10-31T23:00:00Z");
        check("2026-11", "2026-10-31T23:00:00Z");
        check("2026-07-01T14:30", "2026-07-01T12:30:00Z");
        check("2026-07-01 14:30:05", "2026-07-01T12:30:05Z");
        check("2026-07-01T14:30:00Z", "2026-07-01T14:30:00Z");
        check("2026-07-01T14:30:00.5-03:00", "2026-07-01T17:30:00.5Z");
    }

    #[test]
    fn days_have_names() {
        check("now", "2026-11-22T14:30:00Z");
        check("today", "2026-11-21T23:00:00Z");
        check("Yesterday", "2026-11-20T23:00:00Z");
        check("tomorrow", "2026-11-22T23:00:00Z");
    }

    #[test]
    fn a_length_of_time_is_ago_and_days_are_calendar_days() {
        check("90m", "2026-11-22T13:00:00Z");
        check("36h", "2026-11-21T02:30:00Z");
        check("2w", "2026-11-08T14:30:00Z");
        // Summer time ended between: the same time on the clock.
        check("30d", "2026-10-23T13:30:00Z");
        check("0s", "2026-11-22T14:30:00Z");
    }

    #[test]
    fn a_skipped_time_is_the_one_after_the_gap() {
        check("2026-03-29T02:30", "2026-03-29T01:30:00Z");
    }

    #[test]
    fn what_is_no_time_is_told_so() {
        for text in ["", "d", "7x", "2026-13-01", "2026-02-30", "soon", "-7d", "7", "99999999999999999999d", "9999999d"]
        {
            assert!(parse(text, &TimeZone::UTC, Timestamp::UNIX_EPOCH).is_err(), "{text}");
        }
        assert!(zone(Some("Mars/Olympus")).is_err());
        assert_eq!(zone_name(&zone(Some("Asia/Tokyo")).unwrap()), "Asia/Tokyo");
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(length("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(length("2d"), Ok(Duration::from_secs(172_800)));
        for text in ["", "s", "5", "5x", "-5s", "99999999999999999999d", "18446744073709551615d"] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nanos_on_the_wire_are_never_negative() {
        let at = Timestamp::new(-1, -500_000_000).unwrap();
        assert_eq!(wire(at), prost_types::Timestamp { seconds: -2, nanos: 500_000_000 });
    }
}
