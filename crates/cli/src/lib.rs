//! The `threadmark` command: everything in one process, and what people type.
//!
//! The library exists so that tests can run the simulator; `main.rs` is [`run`].

mod args;
mod client;
mod commands;
mod draw;
mod failure;
mod find;
mod json;
mod operator;
mod output;
mod run;
mod session;
pub mod simulate;
mod token;
mod up;
mod when;
mod who;

pub use run::run;
