//! What each rule did in the simulation.

use proto::v1;
use proto::v1::run::Outcome;

use super::count::{Counts, People, Total};

/// Runs shown of each rule.
pub(super) const EXAMPLES: usize = 10;
/// Of them, at most so many that did nothing, if others did something.
pub(super) const IDLE_EXAMPLES: usize = 4;

/// What one rule did.
#[derive(Debug, Default)]
pub(super) struct OfRule {
    pub(super) events: u64,
    pub(super) matches: u64,
    pub(super) skipped: u64,
    pub(super) refused: u64,
    pub(super) webhooks: u64,
    pub(super) published: u64,
    pub(super) counts: Counts,
    /// How often each part of its condition was false.
    pub(super) false_parts: Vec<u64>,
    /// First ones that did something, and first ones that did not.
    done: Vec<v1::Run>,
    idle: Vec<v1::Run>,
}

impl OfRule {
    pub(super) fn not_matched(&mut self, part: usize) {
        if self.false_parts.len() <= part {
            self.false_parts.resize(part + 1, 0);
        }
        if let Some(count) = self.false_parts.get_mut(part) {
            *count += 1;
        }
    }

    /// A run ended, or waits, or did not begin.
    pub(super) fn record(&mut self, run: v1::Run, again: bool) {
        self.skipped += u64::from(run.outcome() == Outcome::Skipped);
        self.refused += u64::from(run.outcome() == Outcome::Refused || run.outcome() == Outcome::Failed);
        if again && let Some(earlier) = self.done.iter_mut().find(|earlier| earlier.id == run.id) {
            *earlier = run;
            return;
        }
        let examples =
            if matches!(run.outcome(), Outcome::Done | Outcome::Waiting) { &mut self.done } else { &mut self.idle };
        if examples.len() < EXAMPLES && !again {
            examples.push(run);
        }
    }

    /// As what shards of the same simulation found adds up.
    pub(super) fn sum(self, people: &People) -> RuleSum {
        RuleSum {
            assigned: Total::of(&self.counts, people),
            events: self.events,
            matches: self.matches,
            skipped: self.skipped,
            refused: self.refused,
            webhooks: self.webhooks,
            published: self.published,
            false_parts: self.false_parts,
            done: self.done,
            idle: self.idle,
        }
    }
}

/// What one rule did, with names.
#[derive(Debug, Default)]
pub(crate) struct RuleSum {
    pub(super) assigned: Total,
    pub(super) events: u64,
    pub(super) matches: u64,
    pub(super) skipped: u64,
    pub(super) refused: u64,
    pub(super) webhooks: u64,
    pub(super) published: u64,
    pub(super) false_parts: Vec<u64>,
    pub(super) done: Vec<v1::Run>,
    pub(super) idle: Vec<v1::Run>,
}

impl RuleSum {
    pub(super) fn merge(&mut self, other: RuleSum) {
        self.assigned.merge(other.assigned);
        self.events += other.events;
        self.matches += other.matches;
        self.skipped += other.skipped;
        self.refused += other.refused;
        self.webhooks += other.webhooks;
        self.published += other.published;
        if self.false_parts.len() < other.false_parts.len() {
            self.false_parts.resize(other.false_parts.len(), 0);
        }
        for (sum, count) in self.false_parts.iter_mut().zip(other.false_parts) {
            *sum += count;
        }
        self.done.extend(other.done);
        self.idle.extend(other.idle);
    }

    /// At most ten runs, by time: those that did something, and a few that did not.
    pub(super) fn examples(&mut self) -> Vec<v1::Run> {
        let by_time = |run: &v1::Run| {
            (run.time.map(|time| (time.seconds, time.nanos)), run.conversation_id.clone(), run.id.clone())
        };
        self.done.sort_by_key(by_time);
        self.idle.sort_by_key(by_time);
        let idle = self.idle.len().min(IDLE_EXAMPLES.max(EXAMPLES.saturating_sub(self.done.len())));
        let mut all: Vec<v1::Run> = self.done.drain(..).take(EXAMPLES - idle.min(EXAMPLES)).collect();
        all.extend(self.idle.drain(..).take(EXAMPLES - all.len()).take(idle));
        all.sort_by_key(by_time);
        all
    }
}
