use crate::{
    Actor, Entry, Event, Line, Nanos, Shown, Stamp, What, Window,
    windows::{holds, is_open_at},
};

/// Recorded within this time of happening is live (W7), in nanoseconds.
const FIVE_MINUTES: i128 = 5 * 60 * 1_000_000_000;

/// A place in the log: sequence, then index within the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) revision: u64,
    pub(crate) index: u32,
}

impl Place {
    /// After everything.
    pub(crate) const END: Place = Place { revision: u64::MAX, index: u32::MAX };
}

/// How an entry came into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// From the phone of the business.
    Echo,
    /// From before the channel was connected.
    BackFill,
    Decision,
    Channel,
}

/// An entry as the log has it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) actor: Actor,
    pub(crate) occur: Nanos,
    pub(crate) record: Nanos,
    pub(crate) late: bool,
    pub(crate) source: Source,
    pub(crate) shown: Shown,
}

impl Item {
    pub(crate) fn stamp(&self) -> Option<&Stamp> {
        match &self.shown {
            Shown::Stamp(stamp) => Some(stamp),
            _ => None,
        }
    }
}

/// Every entry of a conversation, by its place in the log.
pub(crate) fn items(events: &[&Event]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        for (index, shown) in (0..).zip(entries(event, &items, &events[..at])) {
            items.push(Item {
                place: Place { revision: event.revision, index },
                actor: event.actor.clone(),
                occur: event.occur_time,
                record: event.record_time,
                late: is_late(event),
                source: source(&event.what),
                shown,
            });
        }
    }
    items
}

fn source(what: &What) -> Source {
    match what {
        What::Echoed => Source::Echo,
        What::BackFilled { .. } | What::Changed { backfilled: true, .. } => Source::BackFill,
        What::Decided(_) => Source::Decision,
        _ => Source::Channel,
    }
}

fn entries(event: &Event, before: &[Item], reports: &[&Event]) -> Vec<Shown> {
    let id = event.id.clone();
    let is_known = |id: &str| is_known(id, before, reports);
    match &event.what {
        // Told again under the id of a message that is there: by an echo of what we sent ourselves.
        What::Received | What::Echoed | What::BackFilled { .. } if is_known(&id) => Vec::new(),
        What::Received | What::BackFilled { inbound: true } => vec![Shown::Inbound(id)],
        What::Echoed | What::BackFilled { inbound: false } => vec![Shown::Outbound(id)],
        What::ContactChanged => vec![Shown::Other(id)],
        What::Changed { target, .. } if !is_known(target) => vec![Shown::Other(id)],
        What::Changed { .. } | What::Status { .. } | What::Silent => Vec::new(),
        What::Decided(decided) => decided.entries.iter().map(decided_entry).collect(),
    }
}

fn decided_entry(entry: &Entry) -> Shown {
    match entry {
        Entry::Stamp(stamp) => Shown::Stamp(stamp.clone()),
        Entry::Message(id) => Shown::Outbound(id.clone()),
        Entry::Note(id) => Shown::Note(id.clone()),
    }
}

/// Whether an entry has this id, or a report has given this name to one that is there.
fn is_known(id: &str, before: &[Item], reports: &[&Event]) -> bool {
    let has_id = |id: &str| before.iter().any(|item| item.shown.id() == Some(id));
    let names = |event: &&Event| match &event.what {
        What::Status { reference, message } => reference == id && has_id(message),
        _ => false,
    };
    has_id(id) || reports.iter().any(names)
}

/// W7: recorded more than 5 minutes after happening, or back-filled; but never when it is to happen in the future.
/// What is decided happens by being recorded.
fn is_late(event: &Event) -> bool {
    let behind = i128::from(event.record_time) - i128::from(event.occur_time);
    match &event.what {
        What::Decided(_) => false,
        _ if behind < 0 => false,
        What::BackFilled { .. } | What::Changed { backfilled: true, .. } => true,
        _ => behind > FIVE_MINUTES,
    }
}

/// The entries with their place times and windows, in the order of the log.
pub(crate) fn place<'a>(items: &'a [Item], windows: &[Window], stamps: &[(Place, &Stamp)]) -> Vec<(&'a Item, Line)> {
    let mut newest_live = Nanos::MIN;
    let mut placed = Vec::new();
    for item in items {
        if !item.late {
            newest_live = newest_live.max(item.record);
        }
        let lies_in = |window: &&Window| {
            if item.late { holds(window, item.occur) } else { is_open_at(window, item.place, stamps) }
        };
        let line = Line {
            revision: item.place.revision,
            index: item.place.index,
            time: if item.late { item.occur } else { newest_live },
            late: item.late,
            tickets: windows.iter().filter(lies_in).map(|window| window.id.clone()).collect(),
            shown: item.shown.clone(),
        };
        placed.push((item, line));
    }
    placed
}
