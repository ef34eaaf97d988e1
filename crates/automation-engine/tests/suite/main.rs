//! The engine on a real nats-server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a test has nothing better to do

mod assigning;
mod sharing;
mod staff;
