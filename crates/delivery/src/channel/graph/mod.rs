//! What the channels of Meta's Graph API share: calls that say what became of them, and errors that have a code.

mod address;
mod call;
mod error;

pub(super) use address::address;
pub(super) use call::{Caller, Reply, Timeouts, lost, retry_after, unfit};
pub(super) use error::{GraphError, Meaning, refused};
