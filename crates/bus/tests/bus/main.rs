//! The bus on a real nats-server, with a dedupe window that forgets at once: nothing may lean on it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test has nothing better to do

mod addresses;
mod buckets;
mod common;
mod dead;
mod deciding;
mod directory;
mod erasing;
mod facts;
mod files;
mod runs;
mod sharing;
mod streams;
mod timers;
mod waiting;
mod working;
