//! A rule set ready to be run: compiled once, found by trigger.

use std::collections::HashMap;
use std::sync::Arc;

use proto::v1;

use crate::condition::Needs;
use crate::rule::{self, Known, Rule, Trigger};

/// A rule in one of its versions.
#[derive(Debug)]
pub(crate) struct Versioned {
    pub(crate) rule: Rule,
    pub(crate) version: i64,
    /// As it is written, "message.received": looked up for each event.
    pub(crate) trigger: String,
    pub(crate) condition_needs: Needs,
    pub(crate) text_needs: Needs,
    /// Whether it does anything that no decision shows: such a run is known by its record alone.
    pub(crate) acts_outside: bool,
}

impl Versioned {
    pub(crate) fn new(rule: Rule, version: i64) -> Versioned {
        Versioned {
            version,
            trigger: rule.on.name(),
            condition_needs: rule.condition_needs(),
            text_needs: rule.text_needs(),
            acts_outside: rule.steps.iter().any(|step| !step.action.decides()),
            rule,
        }
    }
}

/// Rules that are in force together.
#[derive(Debug, Default)]
pub(crate) struct CompiledSet {
    /// Which set; 0 for none.
    pub(crate) number: i64,
    /// Each in its place in the set; `None` where a rule can't be read, which is logged.
    rules: Vec<Option<Arc<Versioned>>>,
    by_trigger: HashMap<String, Bucket>,
    /// The enabled rules that wait for something not to happen: looked at for each event.
    waiting: Vec<Arc<Versioned>>,
}

/// The enabled rules of one trigger.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    /// Their places in the set, in order.
    pub(crate) places: Vec<usize>,
    /// What any of their conditions needs.
    pub(crate) needs: Needs,
}

impl CompiledSet {
    /// Puts rules in order by their places.
    pub(crate) fn new(number: i64, rules: Vec<Option<Arc<Versioned>>>) -> CompiledSet {
        let mut by_trigger: HashMap<String, Bucket> = HashMap::new();
        for (place, versioned) in rules.iter().enumerate() {
            let Some(versioned) = versioned.as_ref().filter(|versioned| versioned.rule.enabled) else { continue };
            let bucket = by_trigger.entry(versioned.trigger.clone()).or_default();
            bucket.places.push(place);
            bucket.needs = bucket.needs.and(versioned.condition_needs);
        }
        let waits = |versioned: &&Arc<Versioned>| versioned.rule.enabled && versioned.rule.on.waits().is_some();
        let waiting = rules.iter().flatten().filter(waits).cloned().collect();
        CompiledSet { number, rules, by_trigger, waiting }
    }

    /// Whether nothing reacts to anything.
    pub(crate) fn is_idle(&self) -> bool {
        self.by_trigger.is_empty()
    }

    /// The enabled rules of a trigger.
    pub(crate) fn of(&self, trigger: &str) -> Option<&Bucket> {
        self.by_trigger.get(trigger)
    }

    /// The rule in a place.
    pub(crate) fn at(&self, place: usize) -> Option<&Arc<Versioned>> {
        self.rules.get(place)?.as_ref()
    }

    /// An enabled rule by its name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Versioned>> {
        self.rules.iter().flatten().find(|versioned| versioned.rule.name == name && versioned.rule.enabled)
    }

    /// The enabled rules that wait for something not to happen.
    pub(crate) fn waiting(&self) -> &[Arc<Versioned>] {
        &self.waiting
    }

    /// The enabled rules that a test is true of.
    pub(crate) fn enabled<'a>(
        &'a self,
        test: impl Fn(&Trigger) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Arc<Versioned>> {
        self.rules.iter().flatten().filter(move |versioned| versioned.rule.enabled && test(&versioned.rule.on))
    }
}

/// Compiles a rule as it is kept. It was checked when it was applied; what it names may be gone since.
///
/// # Errors
/// What is wrong with it for this version of the program.
pub(crate) fn compile(kept: &v1::Rule) -> Result<Versioned, String> {
    let parsed = rule::parse(&kept.yaml, &Known::default());
    let rules = parsed.map_err(|mistakes| mistakes.first().map_or(String::new(), ToString::to_string))?;
    let rule = rules.into_iter().next().ok_or_else(|| "its text holds no rule".to_owned())?;
    Ok(Versioned::new(Rule { enabled: kept.enabled && rule.enabled, ..rule }, kept.version))
}
