//! What the histories of a test came across, so that one that no longer meets a rule is noticed.

use std::collections::BTreeMap;

use oracle::{Kind, Past, Reason, Step, standing};

use crate::mirror::Outcome;

#[derive(Clone, Debug, Default)]
pub(crate) struct Census(BTreeMap<&'static str, u64>);

impl Census {
    pub(crate) fn met(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn met_if(&mut self, met: bool, what: &'static str) {
        if met {
            self.met(what);
        }
    }

    pub(crate) fn add(&mut self, other: &Census) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// Fails with all that was met when one of these was met never.
    #[track_caller]
    pub(crate) fn assert_met(&self, all: &[&str]) {
        let never: Vec<_> = all.iter().filter(|what| !self.0.contains_key(**what)).collect();
        assert!(never.is_empty(), "never met {never:?}, but {self:?}");
    }

    pub(crate) fn outcome(&mut self, outcome: &Outcome) {
        self.met(match outcome {
            Outcome::Done { .. } => "done",
            Outcome::Repeat(_) => "repeat",
            Outcome::Nothing { primary: None, .. } => "nothing",
            Outcome::Nothing { primary: Some(_), .. } => "primary found",
            Outcome::Refused(Reason::ActorMayNot) => "actor may not",
            Outcome::Refused(Reason::TicketNotOpen(_)) => "ticket not open",
            Outcome::Refused(Reason::NothingOpen) => "nothing open",
            Outcome::Refused(Reason::TicketOpen(_)) => "ticket open",
            Outcome::Refused(Reason::TooManyOpen) => "too many open",
            Outcome::Refused(Reason::BotDoesNotHold) => "bot does not hold",
            Outcome::Refused(Reason::TooManyTags) => "too many tags",
            Outcome::Refused(Reason::CommandReused) => "command reused",
            Outcome::Refused(Reason::MovedOn(_)) => "moved on",
        });
    }

    /// What is special about a decision that is about to be recorded.
    pub(crate) fn decision(&mut self, past: &[Past], made: &Past, clock: i64) {
        let (before, steps) = (standing(past), &made.steps);
        let closes = steps.iter().filter(|step| matches!(step, Step::Closed { .. })).count();
        let says = steps.iter().any(|step| matches!(step, Step::Said(_)));
        let assigns = steps.iter().any(|step| matches!(step, Step::Assigned(_)));
        let opens = steps.iter().any(|step| matches!(step, Step::Opened { .. }));
        let by_bot = made.command.actor.kind == Kind::Bot;
        self.met_if(made.time > clock, "clock went back");
        self.met_if(past.iter().any(|past| past.command.id == made.command.id), "forgotten and decided anew");
        self.met_if(closes > 2, "primary closed with nested ones");
        self.met_if(closes > 0 && closes < before.open.len(), "nested closed alone");
        self.met_if(closes > 0 && steps.contains(&Step::Unassigned), "ownership ended");
        self.met_if(closes > 0 && steps.contains(&Step::Resumed), "pause ended");
        self.met_if(by_bot && says && opens, "handoff");
        self.met_if(by_bot && says && closes > 0, "farewell");
        self.met_if(made.command.actor.kind == Kind::Agent && says && assigns, "taken by writing");
        self.met_if(before.open.len() == 31 && opens, "32 open");
        self.met_if(made.command.expected_revision.is_some(), "expected revision");
    }
}
