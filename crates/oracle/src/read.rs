use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Conversation, Event, Log, Nanos, Stamp, View, What,
    measure::measure,
    place::{Place, items, place},
    windows::{owner, windows},
};

/// What a log amounts to by W1-W12.
pub fn read(log: &Log) -> View {
    read_as_of(log, Nanos::MAX)
}

/// What the log amounts to when stamps later than an instant are ignored. Tags and pauses are read in full.
pub fn read_as_of(log: &Log, instant: Nanos) -> View {
    let mut events: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in log.in_order_once() {
        events.entry(&event.conversation).or_default().push(event);
    }
    let conversations = events.into_iter().map(|(id, events)| (id.to_owned(), conversation(id, &events, instant)));
    View { conversations: conversations.collect() }
}

fn conversation(id: &str, events: &[&Event], as_of: Nanos) -> Conversation {
    let mut items = items(events);
    items.retain(|item| item.stamp().is_none_or(|stamp| stamp.time <= as_of));
    let stamps: Vec<(Place, &Stamp)> = items.iter().filter_map(|item| Some((item.place, item.stamp()?))).collect();
    let mut windows = windows(id, &stamps);
    let placed = place(&items, &windows, &stamps);
    for window in &mut windows {
        window.metrics = measure(window, &placed);
    }
    let mut timeline: Vec<_> = placed.into_iter().map(|(_, line)| line).collect();
    timeline.sort_by_key(|line| (line.time, line.revision, line.index));
    Conversation {
        id: id.to_owned(),
        assignee: owner(&stamps, Place::END).map(|span| span.assignee),
        tags: tags(events),
        bot_paused: paused(events),
        open: windows.iter().filter(|window| window.close_time.is_none()).map(|window| window.id.clone()).collect(),
        last_entry_time: timeline.iter().filter(|line| !line.late).map(|line| line.time).max(),
        windows,
        timeline,
        revision: events.last().map_or(0, |event| event.revision),
    }
}

fn tags(events: &[&Event]) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    for event in events {
        let What::Decided(decided) = &event.what else { continue };
        tags.retain(|tag| !decided.tags_removed.contains(tag));
        tags.extend(decided.tags_added.iter().cloned());
    }
    tags
}

fn paused(events: &[&Event]) -> bool {
    let mut changes = events.iter().filter_map(|event| match &event.what {
        What::Decided(decided) => decided.bot_paused,
        _ => None,
    });
    changes.next_back().unwrap_or(false)
}
