//! W7: what is late, and which instants a window holds.

use std::time::Duration;

use conversation::{LIVE_WITHIN, Time, holds, is_late};

const RECORDED: Time = Time(1_700_000_000_000_000_000);

fn happened(before: Duration) -> Time {
    Time(RECORDED.0 - i64::try_from(before.as_nanos()).unwrap())
}

#[test]
fn w7_recorded_within_5_minutes_of_happening_is_live() {
    assert_eq!(LIVE_WITHIN, Duration::from_secs(300));
    for before in [Duration::ZERO, Duration::from_secs(299), LIVE_WITHIN] {
        assert!(!is_late(happened(before), RECORDED, false), "{before:?}");
    }
}

#[test]
fn w7_recorded_later_than_that_is_late() {
    for before in [LIVE_WITHIN + Duration::from_nanos(1), Duration::from_secs(86_400)] {
        assert!(is_late(happened(before), RECORDED, false), "{before:?}");
    }
    assert!(is_late(Time::MIN, Time::MAX, false));
}

#[test]
fn w7_back_filled_is_late_however_soon_it_was_recorded() {
    for before in [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(86_400)] {
        assert!(is_late(happened(before), RECORDED, true), "{before:?}");
    }
}

#[test]
fn w7_a_future_occur_time_counts_as_live() {
    for backfilled in [false, true] {
        assert!(!is_late(Time(RECORDED.0 + 1), RECORDED, backfilled));
        assert!(!is_late(Time::MAX, Time::MIN, backfilled));
    }
}

#[test]
fn w7_a_window_holds_its_opening_and_not_its_closing() {
    let (open, close) = (Time(10), Some(Time(20)));
    let held: Vec<i64> = [9, 10, 19, 20].into_iter().filter(|at| holds(open, close, Time(*at))).collect();
    assert_eq!(held, [10, 19]);
    assert!(holds(open, None, Time::MAX));
    assert!(!holds(open, None, Time(9)));
    assert!(!holds(open, Some(open), open));
}
