//! The timeline kept while a history runs, by the domain's own functions, to hold against what the oracle makes of the
//! log afterwards.

use conversation::{ClosedTicket, Decision, OpenTicket, State, Time, evolve, holds, is_late};
use oracle::{Event, What};

#[derive(Default)]
pub(crate) struct Reference {
    /// Id, content and occur time of every fact.
    pub(crate) facts: Vec<(String, What, i64)>,
    pub(crate) closed: Vec<(ClosedTicket, Time)>,
    /// Ids of facts that are entries.
    shown: Vec<String>,
    lines: Vec<Line>,
    newest_live: Option<i64>,
}

struct Line {
    revision: u64,
    index: u32,
    time: i64,
    lies: Lies,
}

enum Lies {
    /// In these windows, that were open at its place in the log.
    In(Vec<String>),
    /// Where it happened.
    Late,
}

/// Revision, index, place time, late, windows.
pub(crate) type Placed = (u64, u32, i64, bool, Vec<String>);

impl Reference {
    pub(crate) fn happened(&mut self, event: &Event, state: &State) {
        let known = matches!(&event.what, What::Changed { target, .. } if self.shown.contains(target));
        self.facts.push((event.id.clone(), event.what.clone(), event.occur_time));
        if known {
            return;
        }
        self.shown.push(event.id.clone());
        let backfilled = matches!(event.what, What::BackFilled { .. } | What::Changed { backfilled: true, .. });
        let (revision, index) = (event.revision, 0);
        if is_late(Time(event.occur_time), Time(event.record_time), backfilled) {
            self.lines.push(Line { revision, index, time: event.occur_time, lies: Lies::Late });
        } else {
            self.live(revision, index, event.record_time, ids(state));
        }
    }

    /// What the entries fold to.
    pub(crate) fn decided(&mut self, revision: u64, recorded: i64, mut state: State, decision: &Decision) -> State {
        for (index, entry) in (0..).zip(&decision.entries) {
            let mut tickets = ids(&state);
            evolve(&mut state, entry);
            tickets.extend(ids(&state).into_iter().filter(|id| !tickets.contains(id)).collect::<Vec<_>>());
            self.live(revision, index, recorded, tickets);
        }
        self.closed.extend(decision.closed.iter().map(|closed| (closed.clone(), decision.time)));
        state
    }

    fn live(&mut self, revision: u64, index: u32, recorded: i64, tickets: Vec<String>) {
        let time = self.newest_live.map_or(recorded, |newest| newest.max(recorded));
        self.newest_live = Some(time);
        self.lines.push(Line { revision, index, time, lies: Lies::In(tickets) });
    }

    /// In the order of the timeline.
    pub(crate) fn timeline(&self, open: &[OpenTicket]) -> Vec<Placed> {
        let closed = self.closed.iter().map(|(closed, time)| (&closed.ticket, Some(*time)));
        let mut windows: Vec<(&OpenTicket, Option<Time>)> =
            closed.chain(open.iter().map(|open| (open, None))).collect();
        windows.sort_by_key(|(ticket, _)| ticket.id.parts());
        let mut placed: Vec<Placed> = Vec::new();
        for line in &self.lines {
            let (late, tickets) = match &line.lies {
                Lies::In(tickets) => (false, tickets.clone()),
                Lies::Late => (true, held(&windows, line.time)),
            };
            placed.push((line.revision, line.index, line.time, late, tickets));
        }
        placed.sort_by_key(|(revision, index, time, ..)| (*time, *revision, *index));
        placed
    }
}

fn held(windows: &[(&OpenTicket, Option<Time>)], instant: i64) -> Vec<String> {
    let holding = windows.iter().filter(|(ticket, close)| holds(ticket.open_time, *close, Time(instant)));
    holding.map(|(ticket, _)| ticket.id.to_string()).collect()
}

fn ids(state: &State) -> Vec<String> {
    state.open.iter().map(|ticket| ticket.id.to_string()).collect()
}
