//! What agents, the bot and rules say reaches the customer: once, in order, with its true state.
//!
//! [`channel`] is the port to the channels' APIs: each channel is one folder there, and nothing else knows of it.

pub mod channel;
pub mod media;
