//! The WhatsApp Cloud API's webhooks, read: bytes in, items out.
//!
//! Architecture Invariant: this module is pure. It knows no bus, no clock and no configuration, so that any bytes
//! can be thrown at it.

mod chat;
mod content;
mod json;
mod parse;
mod people;
mod status;
mod wire;

pub use crate::item::{BodyError, Chat, Effect, Item, Other, Person, Reject, Source, Status, Update};
pub use crate::limits::MAX_ITEMS;
pub use parse::parse;
pub(crate) use status::status as status_of;
