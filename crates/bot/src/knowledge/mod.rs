//! What each workspace knows: documents on the bus, and what they hold.

mod contents;
mod library;
mod markdown;
mod parse;
mod rows;
mod store;
mod text;

pub(crate) use contents::{Contents, MAX_PASSAGES, Row};
pub use library::Library;
pub(crate) use parse::parse;
pub(crate) use store::{Store, new_id};
