//! Rules in force, what they did and why, and drafts tried on what happened.

mod backtest;
mod handlers;
mod report;
mod runs;

pub(crate) use backtest::backtest;
pub(crate) use handlers::{apply, show};
