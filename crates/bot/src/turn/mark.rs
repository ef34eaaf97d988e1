//! What the bot knows of its last turn: written into the record of a run, and, small, into the digest of the command
//! that it decided by, so that a turn which was decided but not recorded knows what it did.

use bus::digest;
use proto::v1;
use proto::v1::bot_turn::Deed;

/// Bits of a digest that carry a mark: 3 for the deed, 4 for each count.
const BITS: u64 = 11;
const MOST: u64 = 15;

/// What a turn did, and what is counted since the bot has held the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) deed: Deed,
    /// How often it asked back.
    pub(super) clarified: u32,
    /// How often the customer said that it did not help.
    pub(super) unhelpful: u32,
}

impl Mark {
    pub(super) fn of(turn: &v1::BotTurn) -> Mark {
        Mark { deed: turn.deed(), clarified: turn.clarified, unhelpful: turn.unhelpful }
    }

    /// The digest of a run's command, with this mark in its low bits.
    pub(super) fn digest(self, run_id: &str) -> u64 {
        let count = |count: u32| u64::from(count).min(MOST);
        let deed = u64::try_from(i32::from(self.deed)).unwrap_or(0) & 7;
        let mark = deed | (count(self.clarified) << 3) | (count(self.unhelpful) << 7);
        ((digest(&[b"turn", run_id.as_bytes()]) >> BITS) << BITS) | mark
    }

    /// The mark that a digest carries.
    pub(super) fn read(digest: u64) -> Mark {
        let count = |bits: u64| u32::try_from(bits & MOST).unwrap_or(0);
        let deed = i32::try_from(digest & 7).ok().and_then(|deed| Deed::try_from(deed).ok());
        Mark { deed: deed.unwrap_or_default(), clarified: count(digest >> 3), unhelpful: count(digest >> 7) }
    }
}

impl Default for Mark {
    fn default() -> Mark {
        Mark { deed: Deed::Unspecified, clarified: 0, unhelpful: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_carries_its_mark_and_tells_runs_apart() {
        for deed in [Deed::Replied, Deed::Clarified, Deed::HandedOff, Deed::Closed, Deed::Joined, Deed::Silent] {
            for (clarified, unhelpful) in [(0, 0), (1, 2), (15, 15)] {
                let mark = Mark { deed, clarified, unhelpful };
                assert_eq!(Mark::read(mark.digest("bot/e1")), mark);
            }
        }
        let mark = Mark { deed: Deed::Replied, clarified: 99, unhelpful: 0 };
        assert_eq!(Mark::read(mark.digest("bot/e1")).clarified, 15);
        assert_ne!(mark.digest("bot/e1"), mark.digest("bot/e2"));
    }
}
