//! What ingest promises, tested from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, unreachable_pub)]

mod asks;
mod bodies;
mod commands;
mod directory;
mod fixtures;
mod identity;
mod keeping;
mod media;
mod messenger;
mod mutated;
mod observed;
mod parsing;
mod people;
mod receiving;
mod refusing;
mod saying;
mod webhooks;
mod world;
