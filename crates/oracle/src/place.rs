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

/// An entry as the log has it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) actor: Actor,
    pub(crate) occur: Nanos,
    pub(crate) record: Nanos,
    pub(crate) late: bool,
    /// A message sent from the phone of the business.
    pub(crate) echo: bool,
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
    let mut items = Vec::new();
    for (at, event) in events.iter().enumerate() {
        for (index, shown) in (0..).zip(entries(event, &events[..at])) {
            items.push(Item {
                place: Place { revision: event.revision, index },
                actor: event.actor.clone(),
                occur: event.occur_time,
                record: event.record_time,
                late: is_late(event),
                echo: event.what == What::Echoed,
                shown,
            });
        }
    }
    items
}

fn entries(event: &Event, before: &[&Event]) -> Vec<Shown> {
    let id = event.id.clone();
    match &event.what {
        What::Received | What::BackFilled { inbound: true } => vec![Shown::Inbound(id)],
        What::Echoed | What::BackFilled { inbound: false } => vec![Shown::Outbound(id)],
        What::ContactChanged => vec![Shown::Other(id)],
        What::Changed { target, .. } if !is_known(target, before) => vec![Shown::Other(id)],
        What::Changed { .. } | What::Status { .. } => Vec::new(),
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

/// Whether a message was recorded, or named by a report, before.
fn is_known(target: &str, before: &[&Event]) -> bool {
    before.iter().any(|event| match &event.what {
        What::Received | What::Echoed | What::BackFilled { .. } => event.id == target,
        What::Status { reference, message } => reference == target && !message.is_empty(),
        _ => false,
    })
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
