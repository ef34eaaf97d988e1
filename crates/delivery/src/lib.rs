//! What agents, the bot and rules say reaches the customer: once, in order, with its true state.
//!
//! [`channel`] is the port to the channels' APIs: each channel is one folder there, and nothing else knows of it.
//! [`Delivery`] takes what was decided to them and tells the log what became of it.

pub mod channel;
mod courtesy;
mod line;
mod lines;
mod options;
mod outbox;

pub use options::Options;
pub use outbox::Delivery;
