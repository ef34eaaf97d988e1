//! Counting: what a candidate would have done beside what was done.

use std::collections::{BTreeMap, HashMap};

use bus::digest;
use conversation::Revision;
use proto::v1;
use proto::v1::ShadowActual as Actual;
use proto::v1::bot_turn::Deed as Did;

use super::ask::Verdict;

/// Intents that a report lists.
const MAX_INTENTS: usize = 200;

/// What is known of turns, and the sums of those of which both sides are.
pub(super) struct Tally {
    max_examples: usize,
    halves: HashMap<Revision, Half>,
    cells: BTreeMap<(i32, i32), i64>,
    intents: HashMap<String, (i64, i64)>,
    /// Disagreements by a hash of their place, lowest first: which stay does not depend on the order they come in.
    examples: BTreeMap<u64, v1::ShadowExample>,
    pub(super) turns: u64,
    left_out: u64,
}

/// One side of a turn.
enum Half {
    /// What would have been done; `None` where that can't be known.
    Would(Option<Box<Verdict>>),
    Was(Actual),
}

impl Tally {
    pub(super) fn new(max_examples: usize) -> Tally {
        Tally {
            max_examples,
            halves: HashMap::new(),
            cells: BTreeMap::new(),
            intents: HashMap::new(),
            examples: BTreeMap::new(),
            turns: 0,
            left_out: 0,
        }
    }

    /// What a candidate would have done about the turn of a revision.
    pub(super) fn would(&mut self, revision: Revision, verdict: Option<Verdict>) {
        match self.halves.remove(&revision) {
            Some(Half::Was(actual)) => self.count(revision, verdict, actual),
            _ => drop(self.halves.insert(revision, Half::Would(verdict.map(Box::new)))),
        }
    }

    /// What was done about the turn of a revision.
    pub(super) fn was(&mut self, revision: Revision, actual: Actual) {
        match self.halves.remove(&revision) {
            Some(Half::Would(verdict)) => self.count(revision, verdict.map(|verdict| *verdict), actual),
            _ => drop(self.halves.insert(revision, Half::Was(actual))),
        }
    }

    fn count(&mut self, revision: Revision, verdict: Option<Verdict>, actual: Actual) {
        let Some(verdict) = verdict else {
            self.left_out += 1;
            return;
        };
        self.turns += 1;
        *self.cells.entry((verdict.deed.into(), actual.into())).or_default() += 1;
        let (turns, handoffs) = self.intents.entry(verdict.intent.clone()).or_default();
        *turns += 1;
        *handoffs += i64::from(verdict.deed == Did::HandedOff);
        if is_compared(actual) && !agrees(verdict.deed, actual) && self.max_examples > 0 {
            let place = digest(&[verdict.conversation.as_bytes(), &revision.to_be_bytes()]);
            self.examples.insert(place, example(revision, verdict, actual));
            if self.examples.len() > self.max_examples {
                self.examples.pop_last();
            }
        }
    }

    /// The sums.
    pub(super) fn report(self) -> v1::ShadowReport {
        let mut report = v1::ShadowReport {
            turns: wire(self.turns),
            left_out: wire(self.left_out),
            examples: self.examples.into_values().collect(),
            ..v1::ShadowReport::default()
        };
        for ((deed, actual), count) in self.cells {
            let did = Did::try_from(deed).unwrap_or_default();
            let was = Actual::try_from(actual).unwrap_or_default();
            let agrees = agrees(did, was);
            report.compared += if is_compared(was) { count } else { 0 };
            report.agreed += if agrees { count } else { 0 };
            report.cells.push(v1::ShadowCell { deed, actual, count, agrees });
        }
        let intent = |(intent, (turns, handoffs))| v1::ShadowIntent { intent, turns, handoffs };
        report.intents = self.intents.into_iter().map(intent).collect();
        report.intents.sort_by(|a, b| b.turns.cmp(&a.turns).then_with(|| a.intent.cmp(&b.intent)));
        if report.intents.len() > MAX_INTENTS {
            report.notes.push(format!("{} intents are not listed", report.intents.len() - MAX_INTENTS));
            report.intents.truncate(MAX_INTENTS);
        }
        report
    }
}

/// Rules speak of their own: whether a bot should have said something besides, nobody can tell.
fn is_compared(actual: Actual) -> bool {
    actual != Actual::RuleActed
}

/// Whether a candidate would have done what was done. That a human answered means that one was needed: to hand off
/// comes to the same.
fn agrees(did: Did, actual: Actual) -> bool {
    match did {
        Did::Replied | Did::Clarified => actual == Actual::BotReplied,
        Did::HandedOff => matches!(actual, Actual::BotHandedOff | Actual::HumanAnswered | Actual::HumanActed),
        Did::Closed => actual == Actual::BotClosed,
        Did::Silent => actual == Actual::Nobody,
        Did::Unspecified | Did::Joined => false,
    }
}

fn example(revision: Revision, verdict: Verdict, actual: Actual) -> v1::ShadowExample {
    let Verdict { deed, intent, score, conversation, time, text, words } = verdict;
    v1::ShadowExample {
        conversation_id: conversation.as_ref().to_owned(),
        revision: wire(revision),
        time: Some(proto::timestamp(time)),
        deed: deed.into(),
        actual: actual.into(),
        text,
        words,
        intent,
        score,
    }
}

fn wire(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
