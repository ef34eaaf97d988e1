//! Counting what was decided.

use std::collections::{BTreeMap, HashMap};

use conversation::{Assignee, Decision, Entry, StampKind};
use proto::v1;

/// What was done, in one conversation or by one rule. Assignees are numbers of [`People`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) opened: u32,
    pub(super) closed: u32,
    /// Of automations.
    pub(super) messages: u32,
    pub(super) assigned: Vec<(u32, u32)>,
}

impl Counts {
    /// Counts an assignment.
    pub(super) fn assign(&mut self, assignee: u32) {
        match self.assigned.iter_mut().find(|(known, _)| *known == assignee) {
            Some((_, count)) => *count += 1,
            None => self.assigned.push((assignee, 1)),
        }
    }

    /// Counts a simulated decision. `by_rule`: its messages are those of an automation.
    pub(super) fn add(&mut self, decision: &Decision, by_rule: bool, people: &mut People) {
        for entry in &decision.entries {
            match entry {
                Entry::Message { .. } => self.messages += u32::from(by_rule),
                Entry::Note { .. } => {}
                Entry::Stamp(stamp) => match &stamp.kind {
                    StampKind::Opened { .. } => self.opened += 1,
                    StampKind::Closed { .. } => self.closed += 1,
                    StampKind::Assigned { assignee } => self.assign(people.number(assignee)),
                    StampKind::Unassigned => {}
                },
            }
        }
    }

    /// Counts a decision of the log.
    pub(super) fn add_recorded(&mut self, decided: &v1::Decided, by_rule: bool, people: &mut People) {
        use v1::decided_entry::Entry;
        use v1::stamp::Kind;
        for entry in decided.entries.iter().filter_map(|entry| entry.entry.as_ref()) {
            match entry {
                Entry::Message(_) => self.messages += u32::from(by_rule),
                Entry::Note(_) => {}
                Entry::Stamp(stamp) => match &stamp.kind {
                    Some(Kind::Opened(_)) => self.opened += 1,
                    Some(Kind::Closed(_)) => self.closed += 1,
                    Some(Kind::Assigned(assigned)) => {
                        let assignee = assigned.assignee.as_ref().and_then(proto::assignee_from);
                        assignee.iter().for_each(|assignee| self.assign(people.number(assignee)));
                    }
                    Some(Kind::Unassigned(_)) | None => {}
                },
            }
        }
    }

    /// How much two differ: 0 for not at all.
    pub(super) fn distance(&self, other: &Counts) -> u32 {
        let of = |counts: &Counts, who: u32| {
            counts.assigned.iter().find(|(known, _)| *known == who).map_or(0, |(_, count)| *count)
        };
        let assigned = self.assigned.iter().map(|(who, count)| count.abs_diff(of(other, *who)));
        let only_there = other.assigned.iter().filter(|(who, _)| of(self, *who) == 0).map(|(_, count)| *count);
        let rest = self.opened.abs_diff(other.opened)
            + self.closed.abs_diff(other.closed)
            + self.messages.abs_diff(other.messages);
        rest + assigned.chain(only_there).sum::<u32>()
    }
}

/// Assignees by number, so that counting each conversation stays small.
#[derive(Debug, Default)]
pub(super) struct People {
    numbers: HashMap<Assignee, u32>,
    all: Vec<Assignee>,
}

impl People {
    pub(super) fn number(&mut self, assignee: &Assignee) -> u32 {
        if let Some(number) = self.numbers.get(assignee) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.numbers.insert(assignee.clone(), number);
        self.all.push(assignee.clone());
        number
    }

    fn named(&self, number: u32) -> v1::Assignee {
        let found = usize::try_from(number).ok().and_then(|number| self.all.get(number));
        found.map(proto::assignee_to).unwrap_or_default()
    }
}

/// Counts with names: those of several shards add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) opened: i64,
    pub(super) closed: i64,
    pub(super) messages: i64,
    pub(super) assigned: BTreeMap<(String, String), i64>,
}

impl Total {
    pub(super) fn of(counts: &Counts, people: &People) -> Total {
        let mut total = Total::default();
        total.add(counts, people);
        total
    }

    pub(super) fn add(&mut self, counts: &Counts, people: &People) {
        self.opened += i64::from(counts.opened);
        self.closed += i64::from(counts.closed);
        self.messages += i64::from(counts.messages);
        for (number, count) in &counts.assigned {
            let v1::Assignee { agent_id, team_id } = people.named(*number);
            *self.assigned.entry((agent_id, team_id)).or_default() += i64::from(*count);
        }
    }

    pub(super) fn merge(&mut self, other: Total) {
        self.opened += other.opened;
        self.closed += other.closed;
        self.messages += other.messages;
        for (assignee, count) in other.assigned {
            *self.assigned.entry(assignee).or_default() += count;
        }
    }

    /// Whoever got most, first.
    pub(super) fn assigned(&self) -> Vec<v1::AssignedCount> {
        let count = |((agent_id, team_id), count): (&(String, String), &i64)| v1::AssignedCount {
            assignee: Some(v1::Assignee { agent_id: agent_id.clone(), team_id: team_id.clone() }),
            count: *count,
        };
        let mut all: Vec<v1::AssignedCount> = self.assigned.iter().map(count).collect();
        all.sort_by_key(|assigned| std::cmp::Reverse(assigned.count));
        all
    }

    pub(super) fn shown(&self) -> v1::BacktestCounts {
        v1::BacktestCounts {
            tickets_opened: self.opened,
            tickets_closed: self.closed,
            messages_sent: self.messages,
            assigned: self.assigned(),
        }
    }
}
