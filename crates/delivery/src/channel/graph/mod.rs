//! What the channels of Meta's Graph API share: calls that say what became of them, and errors that have a code.

mod call;
mod error;

pub(super) use call::{Caller, Reply, Timeouts, lost, unfit};
pub(super) use error::{GraphError, Meaning, refused};
