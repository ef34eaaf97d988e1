//! Whether a call that failed without a reason says something of its message, or of the number. Pure.

use crate::channel::Failure;

/// What is known of one message while it is worked on.
#[derive(Debug, Default)]
pub(super) struct Blame {
    /// How many messages the number had got through when this one failed last.
    taken: Option<u64>,
    /// Times that this one failed while others got through.
    times: u32,
}

impl Blame {
    /// It failed, and the number has got so many messages through. Whether this one is to blame: others went out since
    /// it failed before.
    pub(super) fn failed(&mut self, taken: u64) -> bool {
        let blamed = self.taken.replace(taken).is_some_and(|before| before < taken);
        self.times += u32::from(blamed);
        blamed
    }

    /// Times that it was.
    pub(super) fn times(&self) -> u32 {
        self.times
    }

    /// What is told of a message that is given up for that.
    pub(super) fn of(&self, failure: Failure) -> Failure {
        let details = format!(
            "{} This message failed {} times while others of the number went out: say it in another way, or ask the \
             channel what is wrong with it.",
            failure.details, self.times
        );
        Failure { details, ..failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_to_blame_when_others_get_through() {
        let mut blame = Blame::default();
        assert!(!blame.failed(7), "nothing is known yet");
        assert!(!blame.failed(7), "nobody gets through");
        assert!(blame.failed(8) && blame.failed(12) && !blame.failed(12));
        assert_eq!(blame.times(), 2);
    }
}
