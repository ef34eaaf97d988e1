//! What rules did, read off the log itself.

use std::collections::BTreeMap;

use proto::v1;
use proto::v1::event::Event as Kind;

/// One stamp of the log.
#[derive(Clone, Debug)]
pub(super) struct Stamped {
    pub(super) conversation: String,
    pub(super) kind: v1::stamp::Kind,
    /// In Unix nanoseconds.
    pub(super) recorded: i64,
}

impl Stamped {
    /// Who has the conversation after it; `None` if it says nothing of that.
    pub(super) fn holder(&self) -> Option<v1::Assignee> {
        match &self.kind {
            v1::stamp::Kind::Assigned(assigned) => assigned.assignee.clone(),
            v1::stamp::Kind::Unassigned(_) => Some(v1::Assignee::default()),
            _ => None,
        }
    }
}

/// The decisions among events.
pub(super) fn decisions(events: &[(u64, v1::Event)]) -> impl Iterator<Item = (&v1::Event, &v1::Decided)> {
    events.iter().filter_map(|(_, event)| match &event.event {
        Some(Kind::Decided(decided)) => Some((event, decided)),
        _ => None,
    })
}

/// Every stamp, in order.
pub(super) fn stamps(events: &[(u64, v1::Event)]) -> Vec<Stamped> {
    let of = |(event, decided): (&v1::Event, &v1::Decided)| {
        let (conversation, recorded) = (event.conversation.clone(), recorded(event));
        let stamp = move |entry: &v1::DecidedEntry| match &entry.entry {
            Some(v1::decided_entry::Entry::Stamp(stamp)) => {
                Some(Stamped { conversation: conversation.clone(), kind: stamp.kind.clone()?, recorded })
            }
            _ => None,
        };
        decided.entries.iter().filter_map(stamp).collect::<Vec<_>>()
    };
    decisions(events).flat_map(of).collect()
}

/// When an event was recorded, in Unix nanoseconds.
pub(super) fn recorded(event: &v1::Event) -> i64 {
    event.record_time.as_ref().and_then(proto::time).unwrap().0
}

/// How many stamps of a kind each conversation has.
pub(super) fn count(stamps: &[Stamped], test: impl Fn(&v1::stamp::Kind) -> bool) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for stamp in stamps.iter().filter(|stamp| test(&stamp.kind)) {
        *counts.entry(stamp.conversation.clone()).or_insert(0) += 1;
    }
    counts
}

/// Prints a figure: `cargo test -- --nocapture` shows it.
pub(crate) fn say(figure: &str) {
    #![expect(clippy::print_stderr, reason = "a measured figure, for whoever reads the output of the test")]
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    eprintln!("{figure}; load average {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
}

/// The value that `percent` of all stay within.
pub(super) fn percentile(values: &mut [i64], percent: usize) -> i64 {
    values.sort_unstable();
    values[(values.len() * percent).div_ceil(100).max(1) - 1]
}
