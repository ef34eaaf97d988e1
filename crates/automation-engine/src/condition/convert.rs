//! Texts to times and back, and the parts of times.

use conversation::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::code::Clock;
use super::value::Value;

/// `2026-12-24T18:00:00Z`, with any offset.
///
/// # Errors
/// What would be right.
pub(crate) fn timestamp(text: &str) -> Result<Value<'static>, String> {
    let parsed: Result<Timestamp, _> = text.parse();
    let nanos = parsed.ok().and_then(|timestamp| i64::try_from(timestamp.as_nanosecond()).ok());
    nanos
        .map(|nanos| Value::Time(Time(nanos)))
        .ok_or_else(|| format!("{text:?} is no timestamp: write it like \"2026-12-24T18:00:00Z\""))
}

/// `24h`, `1h30m`, `-1.5s`: hours, minutes, seconds, ms, us, ns, as in CEL.
///
/// # Errors
/// What would be right.
pub(crate) fn duration(text: &str) -> Result<Value<'static>, String> {
    let wrong = || format!("{text:?} is no duration: write it like \"24h\" or \"1h30m\"");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut nanos = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |end| digits + end);
        nanos += number * nanos_of(&rest[digits..unit]).ok_or_else(wrong)?;
        rest = &rest[unit..];
    }
    // 2^63 nanoseconds: what fits is exact enough, and never wraps.
    if nanos >= 9_223_372_036_854_775_807.0 {
        return Err(format!("{text:?} is longer than 292 years"));
    }
    #[allow(clippy::cast_possible_truncation)] // Bounded just above.
    let nanos = nanos as i64;
    Ok(Value::Span(if negative { -nanos } else { nanos }))
}

fn nanos_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3_600e9,
        "m" => 60e9,
        "s" => 1e9,
        "ms" => 1e6,
        "us" | "µs" => 1e3,
        "ns" => 1.0,
        _ => return None,
    })
}

/// A zone by its IANA name, or by an offset such as `+01:00`.
///
/// # Errors
/// What would be right.
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    if name.is_empty() || name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    if let Ok(zone) = TimeZone::get(name) {
        return Ok(zone);
    }
    offset(name).ok_or_else(|| format!("{name:?} is no time zone: write an IANA name such as \"Europe/Berlin\""))
}

fn offset(text: &str) -> Option<TimeZone> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..=23).contains(&hours) || !(0..=59).contains(&minutes) {
        return None;
    }
    jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(TimeZone::fixed)
}

/// An instant as people in a zone tell it; `None` outside the years that can be told.
pub(crate) fn zoned(time: Time, zone: TimeZone) -> Option<Zoned> {
    Timestamp::from_nanosecond(i128::from(time.0)).ok().map(|timestamp| timestamp.to_zoned(zone))
}

/// As RFC 3339 in UTC.
pub(crate) fn time_text(time: Time) -> String {
    Timestamp::from_nanosecond(i128::from(time.0)).map(|timestamp| timestamp.to_string()).unwrap_or_default()
}

/// As CEL writes durations: seconds.
pub(crate) fn span_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    match rest {
        0 => format!("{sign}{seconds}s"),
        rest => format!("{sign}{seconds}.{}s", format!("{rest:09}").trim_end_matches('0')),
    }
}

/// A part of an instant, counted as CEL counts: months, days of the month (but for `getDate`) and of the year from 0,
/// days of the week from Sunday.
pub(crate) fn part(clock: Clock, zoned: &Zoned) -> i64 {
    match clock {
        Clock::FullYear => i64::from(zoned.year()),
        Clock::Month => i64::from(zoned.month()) - 1,
        Clock::DayOfMonth => i64::from(zoned.day()) - 1,
        Clock::Date => i64::from(zoned.day()),
        Clock::DayOfWeek => i64::from(zoned.weekday().to_sunday_zero_offset()),
        Clock::DayOfYear => i64::from(zoned.day_of_year()) - 1,
        Clock::Hours => i64::from(zoned.hour()),
        Clock::Minutes => i64::from(zoned.minute()),
        Clock::Seconds => i64::from(zoned.second()),
        Clock::Milliseconds => i64::from(zoned.millisecond()),
    }
}

/// A duration in whole units; of milliseconds only those of the second, as CEL has it.
pub(crate) fn part_of_span(clock: Clock, nanos: i64) -> i64 {
    match clock {
        Clock::Hours => nanos / 3_600_000_000_000,
        Clock::Minutes => nanos / 60_000_000_000,
        Clock::Seconds => nanos / 1_000_000_000,
        _ => nanos / 1_000_000 % 1000,
    }
}
