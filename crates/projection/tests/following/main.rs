//! The projection beside a real nats-server: it follows, is stopped, killed, damaged and given another log.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests, outside of #[test] functions")]

mod audit;
mod killed;
mod replaced;
mod restarted;
mod traffic;
mod view;
