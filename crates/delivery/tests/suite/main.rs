//! Messages go out over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do about it")]

mod media;
mod messenger;
mod whatsapp;
