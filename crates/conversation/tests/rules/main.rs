//! The rules of the window, one after the other: given these stamps, when this command, then these stamps.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of #[test] functions")]

mod actors;
mod bot;
mod chat;
mod clocks;
mod folding;
mod ownership;
mod periods;
mod places;
mod repeats;
mod windows;
