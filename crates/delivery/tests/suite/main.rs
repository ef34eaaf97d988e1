//! Messages and webhooks go out over real sockets, on a real nats-server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do about it")]

mod crashing;
mod failing;
mod insisting;
mod media;
mod media_again;
mod messenger;
mod receiver;
mod sending;
mod waiting;
mod webhooks;
mod whatsapp;
mod world;
