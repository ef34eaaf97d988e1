//! What is known of one conversation.

use std::collections::VecDeque;

use conversation::{Revision, Time};
use proto::v1::ShadowActual as Actual;

use super::super::ask::Line;
use crate::turn::gather::Stand;
use crate::turn::mark::Mark;

/// A conversation.
pub(super) struct Chat {
    /// Whose turn it is, as of the last decision.
    pub(super) stand: Option<Stand>,
    /// Whether a human did something since the first open ticket was opened.
    pub(super) human_acted: bool,
    /// What was said since anybody else stamped it, oldest first.
    pub(super) lines: VecDeque<Line>,
    pub(super) turn: Option<Pending>,
    /// Turns about which nothing was done yet, oldest first, with what was done by half.
    pub(super) waiting: VecDeque<(Revision, Option<Actual>)>,
    /// Counts up with each stamp of somebody else: what a candidate counted before is forgotten.
    pub(super) era: u32,
    pub(super) mark: Option<(u32, Mark)>,
}

/// A turn that may go on.
pub(super) struct Pending {
    pub(super) last: Revision,
    pub(super) id: String,
    pub(super) messages: usize,
    pub(super) time: Time,
}

impl Default for Chat {
    fn default() -> Chat {
        Chat {
            // Nothing was decided yet (W12).
            stand: Some(Stand::Holds),
            human_acted: false,
            lines: VecDeque::new(),
            turn: None,
            waiting: VecDeque::new(),
            era: 0,
            mark: None,
        }
    }
}
