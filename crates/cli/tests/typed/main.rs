//! The binary as people and programs meet it: what it prints, what it ends with, and that watching misses nothing. The
//! server is a stand-in that says what the tests need.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test has nothing better to do about it.

mod audit;
mod bot;
mod commands;
mod dead;
mod directory;
mod doctor;
mod metrics;
mod rules;
mod stand_in;
mod watch;
