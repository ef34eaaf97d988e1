//! Rules on a real nats-server, beside ingest and the projection, with a dedupe window that forgets at once.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test has nothing better to do

mod applying;
mod backtest;
mod calls;
mod cookbook;
mod deciding;
mod outside;
mod safety;
mod timers;
mod world;
