//! What agents, bot and rules say reaches the customer, once and in order, with its true state; and what happens reaches
//! the systems that subscribed to it.
//!
//! [`channel`] is the port to the channels' APIs: each channel is one folder there, and nothing else knows of it.
//! [`Delivery`] takes what was decided to them and tells the log what became of it. [`media`] fetches the files that
//! customers send. [`Hooks`] posts events to other systems.

pub mod channel;
mod courtesy;
mod hooks;
mod line;
mod lines;
pub mod media;
mod options;
mod outbox;
mod renew;

pub use hooks::{EVENT_TYPES, HookOptions, Hooks, Webhooks, webhook_service};
pub use options::Options;
pub use outbox::Delivery;
