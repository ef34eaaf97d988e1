//! The rules of the window, and nothing else.
//!
//! A conversation never ends; a ticket is a window of time in it. [`decide`] says what a command does to the
//! [`State`] of a conversation, [`evolve`] what a decision leaves behind. Rule numbers (W1-W12) are the design's.
//!
//! Architecture Invariant: this crate is pure. No clock, no I/O, no async, no serialization: time comes in as an
//! argument, words come in sealed and are never looked at.

mod actor;
mod command;
mod decide;
mod decision;
mod evolve;
mod id;
mod period;
mod refusal;
mod reply_window;
mod state;
mod time;
mod window;

pub use actor::{Actor, ActorKind, Assignee};
pub use command::{Action, Command, CommandKey, IfOpen, Settings, Which};
pub use decide::decide;
pub use decision::{BotChange, ClosedTicket, Decision, Entry, Stamp, StampKind, Verdict};
pub use evolve::evolve;
pub use id::{ConversationId, MessageId, Revision, TicketId};
pub use period::{Basis, Period};
pub use refusal::Refusal;
pub use reply_window::ReplyWindow;
pub use state::{MAX_OPEN, MAX_RECENT, MAX_TAG_BYTES, MAX_TAGS, OpenTicket, Recent, State};
pub use time::Time;
pub use window::{LIVE_WITHIN, holds, is_late};
