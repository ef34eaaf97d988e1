use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Longest time for one call, in milliseconds: its conversation waits meanwhile.
const MAX_CALL_MS: u64 = 300_000;
/// Most messages of one channel at once: each takes a few kilobytes.
const MAX_IN_FLIGHT: usize = 65_536;

/// How messages go out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Messages a second that one number may send.
    pub per_second: u32,
    /// One message in so many seconds to one recipient, once the burst is used up.
    pub pair_seconds: u64,
    /// Messages at once to one recipient.
    pub pair_burst: u32,
    /// How long connecting may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take from then on, in milliseconds.
    pub answer_timeout_ms: u64,
    /// First pause before a call that failed is made again, in milliseconds.
    pub pause_ms: u64,
    /// Calls after which a message is given up.
    pub tries: u32,
    /// How long to wait for a sign of a call whose answer was lost, in milliseconds.
    pub reconcile_ms: u64,
    /// What to do if none comes.
    pub when_unknown: WhenUnknown,
    /// Messages of one channel under way or waiting for their conversation at once.
    pub in_flight: usize,
    /// Whether customers see that their message was read, and that the bot types.
    pub receipts: bool,
}

/// What to do about a message that may have gone out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnknown {
    /// Send it again, once, and mark it.
    Resend,
    /// Count it as failed, so that a human looks.
    Ask,
}

impl Delivery {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let counts = [
            ("per_second", u64::from(self.per_second), 100_000),
            ("pair_seconds", self.pair_seconds, 3_600),
            ("pair_burst", u64::from(self.pair_burst), 100_000),
            ("connect_timeout_ms", self.connect_timeout_ms, MAX_CALL_MS),
            ("answer_timeout_ms", self.answer_timeout_ms, MAX_CALL_MS),
            ("pause_ms", self.pause_ms, 60_000),
            ("tries", u64::from(self.tries), 100),
            ("reconcile_ms", self.reconcile_ms, 3_600_000),
            ("in_flight", self.in_flight as u64, MAX_IN_FLIGHT as u64),
        ];
        for (key, value, most) in counts {
            if !(1..=most).contains(&value) {
                return Err(ConfigError::Wrong(format!("delivery.{key} is {value}: it has to be 1 to {most}")));
            }
        }
        Ok(())
    }
}
