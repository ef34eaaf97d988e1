//! The whole system at work, on a real nats-server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, outside of #[test] functions")]

mod adapter;
mod automation;
mod between;
mod bot;
mod compare;
mod containers;
mod deployment;
mod erasing;
mod faults;
mod log;
mod model;
mod programs;
mod rights;
mod secured;
mod signed;
mod traces;
mod up;
mod wire;
