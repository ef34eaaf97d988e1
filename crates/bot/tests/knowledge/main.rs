//! Knowledge on a real nats-server: imported, in force at once, rebuilt from the bus, and asked.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do")]

mod answering;
mod importing;
mod world;
