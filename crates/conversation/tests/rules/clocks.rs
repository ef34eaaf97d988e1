//! W10: the times of stamps.

use conversation::{Entry, Time};

use crate::chat::{Chat, ann, assign, close_all, close_last, note, open, say};

fn stamp_times(entries: &[Entry]) -> Vec<Time> {
    let times = entries.iter().filter_map(|entry| match entry {
        Entry::Stamp(stamp) => Some(stamp.time),
        Entry::Message { .. } | Entry::Note { .. } => None,
    });
    times.collect()
}

#[test]
fn w10_stamps_bear_the_decisions_clock() {
    let mut chat = Chat::new();
    let decision = chat.at(70).when(ann(), [open(), assign("ann")]).then("opened 1 by ann | assigned ann");
    assert_eq!(stamp_times(&decision.entries), [Time::from_seconds(70); 2]);
    assert_eq!(decision.time, Time::from_seconds(70));
    assert_eq!(chat.state.open[0].open_time, Time::from_seconds(70));
}

#[test]
fn w10_a_clock_that_goes_back_does_not_take_stamps_with_it() {
    let mut chat = Chat::new();
    chat.at(100).given(ann(), [open()]);
    let decision = chat.at(40).when(ann(), [open(), close_all()]).decision();
    assert_eq!(stamp_times(&decision.entries), [Time::from_seconds(100); 3]);
    assert_eq!(decision.closed[0].ticket.open_time, Time::from_seconds(100));
}

#[test]
fn w10_the_clock_takes_over_again_when_it_has_caught_up() {
    let mut chat = Chat::new();
    chat.at(100).given(ann(), [open()]).at(40).given(ann(), [assign("ann")]);
    let decision = chat.at(101).when(ann(), [close_last()]).decision();
    assert_eq!(stamp_times(&decision.entries), [Time::from_seconds(101); 2]);
}

#[test]
fn w10_words_do_not_move_the_time_of_the_last_stamp() {
    let mut chat = Chat::new();
    chat.at(100).given(ann(), [open(), assign("ann")]).at(500).given(ann(), [say(), note()]);
    assert_eq!(chat.state.last_stamp_time, Some(Time::from_seconds(100)));
    let decision = chat.at(200).when(ann(), [close_last()]).decision();
    assert_eq!(decision.time, Time::from_seconds(200));
}

#[test]
fn times_at_the_ends_of_what_can_be_told_do_not_overflow() {
    let mut chat = Chat::new();
    for now in [Time::MIN, Time::MAX, Time(0), Time::MIN] {
        chat.now = now;
        chat.given(ann(), [open()]);
    }
    assert_eq!(chat.state.last_stamp_time, Some(Time::MAX));
    assert_eq!(Time::MAX.since(Time::MIN).as_nanos(), u128::from(u64::MAX));
    assert_eq!(Time::MIN.since(Time::MAX).as_nanos(), 0);
    assert_eq!(Time::MAX.plus(std::time::Duration::MAX), Time::MAX);
    assert_eq!(Time::from_seconds(i64::MAX), Time::MAX);
}
