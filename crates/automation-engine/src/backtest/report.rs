//! From what the shards found to what people read.

use proto::v1;
use proto::v1::backtest_report::{FalseCondition, RuleReport};

use super::count::{Counts, People, Total};
use super::draft::Draft;
use super::tally::{OfRule, RuleSum};

/// Conversations that are listed with their difference.
const LISTED: usize = 100;

/// What one shard found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(super) events: u64,
    pub(super) events_before: u64,
    pub(super) left_out: u64,
    rules: Vec<RuleSum>,
    actual: Total,
    simulated: Total,
    /// Those that differ most: by how much, which, and the counts.
    differences: Vec<(u32, String, Total, Total)>,
    different: u64,
    pub(super) notes: Vec<String>,
}

impl Found {
    pub(super) fn new(rules: Vec<OfRule>, people: &People) -> Found {
        Found { rules: rules.into_iter().map(|rule| rule.sum(people)).collect(), ..Found::default() }
    }

    /// Counts a conversation, and whether it differs.
    pub(super) fn compare(&mut self, conversation: &str, actual: &Counts, simulated: &Counts, people: &People) {
        self.actual.add(actual, people);
        self.simulated.add(simulated, people);
        let distance = actual.distance(simulated);
        if distance == 0 {
            return;
        }
        self.different += 1;
        let (actual, simulated) = (Total::of(actual, people), Total::of(simulated, people));
        self.differences.push((distance, conversation.to_owned(), actual, simulated));
        if self.differences.len() >= 4 * LISTED {
            self.keep_largest();
        }
    }

    fn keep_largest(&mut self) {
        self.differences.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        self.differences.truncate(LISTED);
    }

    /// Adds what another shard of the same simulation found.
    pub(crate) fn merge(&mut self, other: Found) {
        self.events += other.events;
        self.events_before += other.events_before;
        self.left_out += other.left_out;
        self.actual.merge(other.actual);
        self.simulated.merge(other.simulated);
        self.different += other.different;
        self.differences.extend(other.differences);
        self.keep_largest();
        self.notes.extend(other.notes);
        if self.rules.is_empty() {
            self.rules = other.rules;
        } else {
            self.rules.iter_mut().zip(other.rules).for_each(|(rule, other)| rule.merge(other));
        }
    }

    /// The report.
    pub(crate) fn report(mut self, draft: &Draft) -> v1::BacktestReport {
        self.keep_largest();
        let mut notes = draft.notes();
        notes.append(&mut self.notes);
        let rules = draft.rules().zip(self.rules).map(|(of, sum)| rule_report(of, sum)).collect();
        let differences = self.differences.iter().map(|(_, id, actual, simulated)| v1::BacktestDifference {
            conversation_id: id.clone(),
            actual: Some(actual.shown()),
            simulated: Some(simulated.shown()),
        });
        v1::BacktestReport {
            events: wire(self.events),
            rules,
            actual: Some(self.actual.shown()),
            simulated: Some(self.simulated.shown()),
            differences: differences.collect(),
            conversations_different: wire(self.different),
            events_before: wire(self.events_before),
            left_out: wire(self.left_out),
            notes,
            took: None,
        }
    }
}

fn rule_report(of: &crate::engine::Versioned, mut sum: RuleSum) -> RuleReport {
    let examples = sum.examples();
    let parts = sum.false_parts.iter().enumerate().filter(|(_, count)| **count > 0);
    let condition = |part: usize| of.rule.when.as_ref().and_then(|when| when.part(part)).unwrap_or_default();
    let mut not_matched: Vec<FalseCondition> = parts
        .map(|(part, count)| FalseCondition { condition: condition(part).trim().to_owned(), count: wire(*count) })
        .collect();
    not_matched.sort_by_key(|part| std::cmp::Reverse(part.count));
    RuleReport {
        rule: of.rule.name.clone(),
        matches: wire(sum.matches),
        tickets_opened: sum.assigned.opened,
        tickets_closed: sum.assigned.closed,
        messages_sent: sum.assigned.messages,
        skipped: wire(sum.skipped),
        refused: wire(sum.refused),
        assigned: sum.assigned.assigned(),
        examples,
        events: wire(sum.events),
        not_matched,
        webhooks_called: wire(sum.webhooks),
        events_published: wire(sum.published),
    }
}

fn wire(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
