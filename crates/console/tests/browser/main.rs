//! The page in a real browser, on real services and a real nats-server. Without chromium and its driver these tests say
//! that they were skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do")]

mod acting;
mod browser;
mod chat;
mod dashboard;
mod doors;
mod files;
mod hostile;
mod inbox;
mod languages;
mod long;
mod many;
mod pictures;
mod reach;
mod rules;
mod together;
mod weight;
mod whatsapp;
mod world;
