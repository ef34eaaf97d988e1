//! What the error codes of the Send API ask for.

use crate::channel::Advice::{Retry, Reword, SlowNumber, StopChannel, Unreachable};
use crate::channel::graph::{GraphError, Meaning};

/// What a code asks for, and what a human can do; `None` for a code that is not known. Some codes are told apart by
/// their subcode alone.
pub(super) fn meaning(error: &GraphError) -> Option<Meaning> {
    let meaning = match (error.code, error.subcode) {
        (4 | 17 | 32 | 613 | 80_006, _) => (SlowNumber, "The page sends too fast: it goes on more slowly."),
        (1 | 2 | 1_200, _) => (Retry, "The channel has a fault: it is tried again."),
        (10, 2_018_065 | 2_018_278) => {
            (Reword, "More than 24 hours have passed since the customer last wrote: wait until they write again.")
        }
        (100, 2_018_001) | (551, _) | (200, 1_545_041) => {
            (Unreachable, "The customer can't be reached: the account is gone, or has blocked the page.")
        }
        (100, _) => (Reword, "The channel does not take this message as it is: the details say what is wrong with it."),
        (0 | 190, _) => {
            (StopChannel, "The token is not taken any more: nothing goes out until access_token is mended.")
        }
        (3 | 10 | 200..=299, _) => {
            (StopChannel, "The token lacks a permission: nothing goes out until access_token has pages_messaging.")
        }
        (368, _) => (StopChannel, "The page is blocked: nothing goes out until that is settled with Meta."),
        _ => return None,
    };
    Some(meaning)
}
