//! What ingest promises, tested from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, unreachable_pub)]

mod bodies;
mod commands;
mod fixtures;
mod mutated;
mod observed;
mod parsing;
mod webhooks;
mod world;
