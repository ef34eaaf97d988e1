//! Turns on a real nats-server, beside ingest and the projection, with a dedupe window that forgets at once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do")]

mod answering;
mod brain;
mod handing_off;
mod injections;
mod joining;
mod model;
mod resuming;
mod shadowing;
mod taking_over;
mod world;
