//! What the histories came across, so that one that no longer meets a rule is noticed.

use std::collections::BTreeMap;

use oracle::{Answer, Reason};

#[derive(Clone, Debug, Default)]
pub(crate) struct Census(BTreeMap<&'static str, u64>);

impl Census {
    pub(crate) fn met(&mut self, what: &'static str) {
        self.met_times(what, 1);
    }

    pub(crate) fn met_times(&mut self, what: &'static str, times: usize) {
        if times > 0 {
            *self.0.entry(what).or_default() += times as u64;
        }
    }

    pub(crate) fn add(&mut self, other: &Census) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    pub(crate) fn times(&self, what: &str) -> usize {
        self.0.get(what).map_or(0, |times| usize::try_from(*times).unwrap())
    }

    /// Fails with all that was met when one of these was met never.
    #[track_caller]
    pub(crate) fn assert_met(&self, all: &[&str]) {
        let never: Vec<_> = all.iter().filter(|what| !self.0.contains_key(**what)).collect();
        assert!(never.is_empty(), "never met {never:?}, but {self:?}");
    }

    /// A conversation in the end.
    pub(crate) fn conversation(&mut self, told: &oracle::Conversation) {
        let late = told.timeline.iter().filter(|line| line.late && !line.tickets.is_empty());
        self.met_times("late within a window", late.count());
    }

    /// An answer, and how many decisions others made meanwhile.
    pub(crate) fn answer(&mut self, answer: &Answer, meanwhile: usize) {
        self.met(if meanwhile == 0 { "alone" } else { "among others" });
        self.met(match answer {
            Answer::Done { .. } => "done",
            Answer::Repeat(_) => "repeat",
            Answer::Nothing { primary: None, .. } => "nothing",
            Answer::Nothing { primary: Some(_), .. } => "primary found",
            Answer::Refused(Reason::ActorMayNot) => "actor may not",
            Answer::Refused(Reason::TicketNotOpen(_)) => "ticket not open",
            Answer::Refused(Reason::NothingOpen) => "nothing open",
            Answer::Refused(Reason::TicketOpen(_)) => "ticket open",
            Answer::Refused(Reason::TooManyOpen) => "too many open",
            Answer::Refused(Reason::BotDoesNotHold) => "bot does not hold",
            Answer::Refused(Reason::TooManyTags) => "too many tags",
            Answer::Refused(Reason::CommandReused) => "command reused",
            Answer::Refused(Reason::MovedOn(_)) => "moved on",
        });
    }
}
