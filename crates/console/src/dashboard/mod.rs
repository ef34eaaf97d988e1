//! Tickets of any period: how many, by whom, how long they took, and which.

mod asked;
mod export;
mod figures;
mod handlers;
mod plot;
mod presets;
mod tickets;

pub(crate) use export::{csv, jsonl};
pub(crate) use handlers::show;
pub(crate) use tickets::tickets;
