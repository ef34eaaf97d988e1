//! Rules that react to what happens in conversations: triggers, conditions and actions become decisions.
//!
//! The language is pure: [`rule`] turns YAML into checked rules, [`condition`] decides whether one applies to a
//! [`condition::Context`], and [`template`] fills the texts that it says. [`assign`] chooses who gets a conversation, and
//! [`Engine`] runs it all: on events, on timers, and on what other systems say.
//!
//! Architecture Invariant: whatever is refused is refused when a rule is applied. A checked rule can be evaluated
//! against any context; what is missing there makes its condition false, with a reason.

pub mod assign;
mod backtest;
pub mod condition;
mod engine;
mod grpc;
mod options;
mod outbound;
pub mod rule;
pub mod template;
mod timer;

pub use engine::{Engine, EngineError};
pub use grpc::{Automations, automation_service};
pub use options::Options;
