//! Calls to other systems: never to where only we can reach, and over in time.

mod address;
mod client;

pub use client::{NoTls, OutboundClient, OutboundError, OutboundRequest, hmac_sha256};
