//! The bus on a real nats-server, with a dedupe window that forgets at once: nothing may lean on it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test has nothing better to do

mod addresses;
mod common;
mod deciding;
mod facts;
mod streams;
mod working;
