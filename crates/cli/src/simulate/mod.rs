//! Customers who write through signed WhatsApp webhooks, and agents who answer them over gRPC.
//!
//! Each customer is a task with dice of its own, so that what a seed makes them say does not depend on timing. A
//! message waits until its body is answered 200, through every restart of the server, so that what was acknowledged is
//! known exactly.

mod arguments;
mod body;
mod customer;
mod desk;
mod directory;
mod error;
mod histogram;
mod invent;
mod options;
mod pace;
mod phrases;
mod post;
mod progress;
mod run;
mod script;
mod story;
mod tally;
#[cfg(test)]
mod tests;

pub(crate) use arguments::{Arguments, command};
pub use error::Error;
pub use options::{Limit, Manner, Options};
pub use run::{Simulator, run};
pub use tally::{Acknowledged, Summary};

/// The secret that the demo workspace's webhooks are signed with. It protects nothing.
pub const DEMO_SECRET: &str = "threadmark-demo";
/// The channel's id of the demo workspace's number.
pub const DEMO_NUMBER: &str = "106540352242922";
