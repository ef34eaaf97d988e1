//! Webhooks through a real nats-server, to real receivers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod receiver;
mod webhooks;
