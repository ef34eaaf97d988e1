//! Records as clients see them.

use bytes::Bytes;
use proto::v1;
use proto::v1::run::Outcome;

use crate::engine::CompiledSet;

/// A run without what is sealed in it.
pub(super) fn run(mut run: v1::Run) -> v1::Run {
    run.actions.iter_mut().for_each(|action| action.sealed = Bytes::new());
    run
}

/// What the rules that did not match had to say, as one run each. `set`: the rules of that time, if they are known.
pub(super) fn not_matched(record: &v1::NotMatched, set: Option<&CompiledSet>) -> Vec<v1::Run> {
    let one = |not: &v1::NotMatchedRule| {
        let place = usize::try_from(not.rule).unwrap_or(usize::MAX);
        let versioned = set.and_then(|set| set.at(place));
        let part = usize::try_from(not.condition).unwrap_or(usize::MAX);
        let condition = versioned.and_then(|versioned| versioned.rule.when.as_ref()?.part(part));
        let unknown = || format!("part {} of its condition was false", not.condition + 1);
        let (rule, version, trigger) = match versioned {
            Some(versioned) => (versioned.rule.name.clone(), versioned.version, versioned.trigger.clone()),
            None => (format!("rule {} of set {}", not.rule, record.rule_set), 0, String::new()),
        };
        v1::Run {
            id: format!("{rule}@{version}/{}", record.event_id),
            rule,
            rule_version: version,
            trigger,
            event_id: record.event_id.clone(),
            event_revision: record.event_revision,
            conversation_id: record.conversation_id.clone(),
            outcome: Outcome::NotMatched.into(),
            reason: condition.map_or_else(unknown, |condition| format!("false: {condition}")),
            time: record.time,
            ..v1::Run::default()
        }
    };
    record.rules.iter().map(one).collect()
}
