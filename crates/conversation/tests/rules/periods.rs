//! W11: which windows a period holds.

use conversation::{Basis, Period, Time};

/// The period [10, 20).
const PERIOD: Period = Period { start: Time(10), end: Time(20) };

#[track_caller]
fn check(open: i64, close: Option<i64>, expected: &[Basis]) {
    let all = [Basis::Opened, Basis::Closed, Basis::OpenDuring];
    let counted: Vec<Basis> =
        all.into_iter().filter(|basis| PERIOD.counts(*basis, Time(open), close.map(Time))).collect();
    assert_eq!(counted, expected);
}

#[test]
fn w11_opened_and_closed_count_by_those_times_start_included_end_not() {
    use Basis::{Closed, OpenDuring, Opened};
    check(10, Some(19), &[Opened, Closed, OpenDuring]);
    check(10, Some(20), &[Opened, OpenDuring]);
    check(19, None, &[Opened, OpenDuring]);
    check(20, None, &[]);
    check(9, Some(11), &[Closed, OpenDuring]);
}

#[test]
fn w11_open_during_counts_what_was_open_at_some_time_of_the_period() {
    use Basis::OpenDuring;
    check(5, None, &[OpenDuring]);
    check(5, Some(25), &[OpenDuring]);
    check(5, Some(20), &[OpenDuring]);
}

#[test]
fn w11_a_window_that_closes_as_the_period_starts_was_not_open_during_it() {
    check(5, Some(10), &[Basis::Closed]);
    check(5, Some(9), &[]);
}

#[test]
fn w11_a_window_of_no_length_counts_where_it_was_opened() {
    use Basis::{Closed, OpenDuring, Opened};
    check(10, Some(10), &[Opened, Closed, OpenDuring]);
    check(15, Some(15), &[Opened, Closed, OpenDuring]);
    check(20, Some(20), &[]);
}

#[test]
fn w11_an_empty_period_holds_what_is_open_around_it_alone() {
    let empty = Period { start: Time(15), end: Time(15) };
    assert!(!empty.counts(Basis::Opened, Time(15), None));
    assert!(empty.counts(Basis::OpenDuring, Time(14), None));
    assert!(!empty.counts(Basis::OpenDuring, Time(15), None));
}

#[test]
fn w11_days_side_by_side_count_every_opening_and_every_closing_once() {
    let cuts = [0, 7, 10, 20, 31];
    let windows = [(0, Some(0)), (3, Some(7)), (7, Some(31)), (9, None), (10, Some(20)), (30, Some(30))];
    for basis in [Basis::Opened, Basis::Closed] {
        for (open, close) in windows {
            let days = cuts.windows(2).map(|cut| Period { start: Time(cut[0]), end: Time(cut[1]) });
            let apart = days.filter(|day| day.counts(basis, Time(open), close.map(Time))).count();
            let whole = Period { start: Time(0), end: Time(31) };
            assert_eq!(apart, usize::from(whole.counts(basis, Time(open), close.map(Time))));
        }
    }
}
