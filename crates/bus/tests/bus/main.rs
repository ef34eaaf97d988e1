//! The bus on a real nats-server, with a dedupe window that forgets at once: nothing may lean on it.

mod addresses;
mod common;
mod deciding;
mod facts;
mod streams;
