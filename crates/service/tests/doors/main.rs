//! Doors in front of every method of the contract, over a real server and a real bus.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do")]

mod tokens;
mod walk;
mod world;
