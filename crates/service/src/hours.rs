//! When a business is open.

use std::collections::{BTreeMap, BTreeSet};

use conversation::Time;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Days as they are configured.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_OF_DAY: u16 = 24 * 60;

/// Spans such as "09:00-17:00" for each day of the week; a day that is left out is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BusinessHours(pub BTreeMap<String, Vec<String>>);

/// The clock of a workspace: its zone, when it is open, and its holidays.
#[derive(Clone, Debug)]
pub struct Hours {
    name: String,
    zone: TimeZone,
    /// Minutes of the day, from Monday; `None` is always.
    week: Option<[Vec<(u16, u16)>; 7]>,
    holidays: BTreeSet<Date>,
}

impl Default for Hours {
    /// Always open, in UTC.
    fn default() -> Hours {
        Hours { name: "UTC".to_owned(), zone: TimeZone::UTC, week: None, holidays: BTreeSet::new() }
    }
}

impl Hours {
    /// Reads what is configured: an IANA zone (empty for UTC), spans (`None`: always open) and dates.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn new(zone: &str, hours: Option<&BusinessHours>, holidays: &[String]) -> Result<Hours, String> {
        let name = if zone.is_empty() { "UTC" } else { zone };
        let zone = TimeZone::get(name)
            .map_err(|_| format!("time_zone {name:?} is unknown: it has to be an IANA name such as Europe/Berlin"))?;
        let week = hours.map(week).transpose()?;
        let dates = holidays.iter().map(|date| {
            date.parse().map_err(|_| format!("holidays has {date:?}: it has to be a date such as 2026-12-25"))
        });
        Ok(Hours { name: name.to_owned(), zone, week, holidays: dates.collect::<Result<_, String>>()? })
    }

    /// The IANA name of the zone.
    pub fn time_zone(&self) -> &str {
        &self.name
    }

    /// Whether an instant lies in business hours, and on no holiday. Spans hold their start, not their end.
    pub fn open_at(&self, time: Time) -> bool {
        let Some(local) = self.local(time) else { return false };
        if self.holidays.contains(&local.date()) {
            return false;
        }
        let Some(week) = &self.week else { return true };
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(0);
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        week.get(day).is_some_and(|spans| spans.iter().any(|(start, end)| (*start..*end).contains(&minute)))
    }

    /// Whether an instant lies on a holiday.
    pub fn holiday_at(&self, time: Time) -> bool {
        self.local(time).is_some_and(|local| self.holidays.contains(&local.date()))
    }

    /// What the clocks there show.
    fn local(&self, time: Time) -> Option<DateTime> {
        let timestamp = Timestamp::from_nanosecond(i128::from(time.0)).ok()?;
        Some(self.zone.to_datetime(timestamp))
    }
}

fn week(hours: &BusinessHours) -> Result<[Vec<(u16, u16)>; 7], String> {
    let mut week: [Vec<(u16, u16)>; 7] = Default::default();
    for (name, spans) in &hours.0 {
        let day = DAYS.iter().position(|day| day == name);
        let Some(day) = day.and_then(|day| week.get_mut(day)) else {
            return Err(format!("business_hours has {name:?}: days are {}", DAYS.join(", ")));
        };
        for text in spans {
            day.push(span(text).ok_or_else(|| {
                format!(
                    "business_hours.{name} has {text:?}: it has to be a span such as 09:00-17:00 within the day; one over \
                     midnight is two, 22:00-24:00 and 00:00-06:00 on the next day"
                )
            })?);
        }
    }
    Ok(week)
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (start, end) = text.split_once('-')?;
    let (start, end) = (minute(start)?, minute(end)?);
    (start < end).then_some((start, end))
}

/// `09:00`, and `24:00` for the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= MINUTES_OF_DAY).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(zone: &str, days: &[(&str, &[&str])], holidays: &[&str]) -> Result<Hours, String> {
        let days = days.iter().map(|(day, spans)| ((*day).to_owned(), spans.iter().map(|s| (*s).to_owned()).collect()));
        let holidays: Vec<String> = holidays.iter().map(|date| (*date).to_owned()).collect();
        Hours::new(zone, Some(&BusinessHours(days.collect())), &holidays)
    }

    fn at(text: &str) -> Time {
        let timestamp: Timestamp = text.parse().unwrap();
        Time(i64::try_from(timestamp.as_nanosecond()).unwrap())
    }

    #[test]
    fn open_hours_follow_the_clocks_of_the_zone() {
        let hours = hours(
            "Europe/Berlin",
            &[("mon", &["09:00-12:00", "13:00-17:00"]), ("fri", &["22:00-24:00"]), ("sat", &["00:00-06:00"])],
            &["2026-05-25"],
        )
        .unwrap();
        let cases = [
            ("2026-06-01T06:59:59Z", false),
            ("2026-06-01T07:00:00Z", true), // Monday, 09:00 in summer
            ("2026-01-05T07:30:00Z", false),
            ("2026-01-05T08:00:00Z", true), // Monday, 09:00 in winter
            ("2026-06-01T10:30:00Z", false),
            ("2026-06-01T14:59:59Z", true),
            ("2026-06-01T15:00:00Z", false),
            ("2026-06-05T21:59:00Z", true), // Friday, 23:59
            ("2026-06-05T23:30:00Z", true), // Saturday, 01:30
            ("2026-06-06T04:00:00Z", false),
            ("2026-06-02T08:00:00Z", false), // Tuesday
            ("2026-05-25T08:00:00Z", false), // a Monday, and a holiday
            ("2026-10-26T08:00:00Z", true),  // the Monday after the clocks went back
        ];
        for (time, open) in cases {
            assert_eq!(hours.open_at(at(time)), open, "{time}");
        }
        assert!(hours.holiday_at(at("2026-05-24T22:30:00Z")) && !hours.holiday_at(at("2026-05-25T22:30:00Z")));
    }

    #[test]
    fn without_hours_it_is_always_open_but_on_holidays() {
        let hours = Hours::new("", None, &["2026-12-25".to_owned()]).unwrap();
        assert_eq!(hours.time_zone(), "UTC");
        assert!(hours.open_at(at("2026-12-24T23:59:59Z")) && !hours.open_at(at("2026-12-25T00:00:00Z")));
        assert!(Hours::default().open_at(Time(0)));
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        type Days = &'static [(&'static str, &'static [&'static str])];
        let cases: &[(&str, Days, &[&str], &str)] = &[
            ("Berlin", &[], &[], "time_zone \"Berlin\" is unknown"),
            ("UTC", &[("monday", &[])], &[], "days are mon, tue"),
            ("UTC", &[("mon", &["9-17"])], &[], "business_hours.mon has \"9-17\""),
            ("UTC", &[("mon", &["17:00-09:00"])], &[], "one over midnight is two"),
            ("UTC", &[("mon", &["09:00-24:01"])], &[], "business_hours.mon"),
            ("UTC", &[("mon", &["09:60-10:00"])], &[], "business_hours.mon"),
            ("UTC", &[], &["25.12.2026"], "a date such as 2026-12-25"),
        ];
        for (zone, days, holidays, expect) in cases {
            let error = hours(zone, days, holidays).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }
}
