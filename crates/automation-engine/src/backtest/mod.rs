//! Draft rules over the recorded events of a period: what they would have done, and how that differs from what happened.
//!
//! The world of a backtest is what customers, agents and the bot really did, without what automations did, and with the
//! draft in their place. What agents and the bot decided is decided again on the simulated conversation, by the same
//! rules of the window; time is the time of the record, and timers fire between events.
//!
//! Architecture Invariant: [`sim`] and all below it are pure, and decide with the same code as the engine does. Only
//! [`shell`] reads the log and keys; nothing here writes anywhere.

mod chat;
mod count;
mod desk;
mod draft;
mod lean;
mod metrics;
mod replay;
mod report;
mod shell;
mod sim;
mod steps;
mod tally;
#[cfg(test)]
mod tests;
mod timers;

pub(crate) use draft::{Draft, World};
pub(crate) use shell::{Permit, Progress, Slots, Trouble, run};
