//! The automation engine as processes of its own, on a real nats-server: work that is shared, timers, chains of rules,
//! the cookbook, and rules that come and go while it runs.

mod applying;
mod capacity;
mod cookbook;
mod desk;
mod log;
mod loops;
mod sharing;
mod timers;
mod town;

pub(crate) use log::say;
