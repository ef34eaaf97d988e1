//! How many tickets fall into a period (W11), and how long things took in them, without looking at each ticket.
//!
//! A series is one value of one dimension on one basis. Of every series two levels of rows are kept: a row per day
//! that packs its minutes, and a row per span of [`SPAN_DAYS`] that packs its days. What was opened or closed before
//! an instant is then a sum over a few spans, one row of days and one row of minutes; only inside a minute the tickets
//! themselves are looked at. Every question about a period is a difference of such sums.
//!
//! The assignee and the closer of a ticket change: its counts then move, at the ticket's own minutes.

mod pack;
mod read;
mod sketch;
mod sums;
mod tally;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use pack::Count;
pub(crate) use read::Counters;
pub(crate) use sketch::{Durations, Sketch};
pub(crate) use tally::{Counted, Tally};
pub(crate) use value::{Dimension, Series, TicketValues, value_digest};

use conversation::Time;

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Days of one row of the upper level of counts: any period of centuries is a few rows.
const SPAN_DAYS: i32 = 512;

/// The time that puts a ticket into a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    Opened,
    Closed,
}

impl Mark {
    fn byte(self) -> u8 {
        match self {
            Self::Opened => 1,
            Self::Closed => 2,
        }
    }
}

/// Days since the epoch, and minutes of that day: both rounded down.
fn day_and_minute(time: Time) -> (i32, u16) {
    // Nanoseconds in 64 bits reach 106,752 days either way.
    let day = time.0.div_euclid(DAY) as i32;
    let minute = (time.0.rem_euclid(DAY) / MINUTE) as u16;
    (day, minute)
}

/// The span of a day, and the day's place in it.
fn span_and_slot(day: i32) -> (i32, u16) {
    (day.div_euclid(SPAN_DAYS), day.rem_euclid(SPAN_DAYS) as u16)
}

/// Whether an instant is the first of its minute.
fn starts_minute(time: Time) -> bool {
    time.0.rem_euclid(MINUTE) == 0
}
