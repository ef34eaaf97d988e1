//! Where the world comes in: channel webhooks over HTTP and commands over gRPC become events.

pub mod limits;
mod signature;
pub mod whatsapp;

pub use signature::{Secret, signed_by};
