//! Where the world comes in: channel webhooks over HTTP and commands over gRPC become events.
//!
//! Architecture Invariant: nothing is answered with success before it is on the stream or filed in REJECTED, and
//! nothing here remembers what it answered: whatever is sent again has the same ids.

mod grpc;
mod http;
mod intake;
mod item;
pub mod limits;
pub mod messenger;
mod options;
mod signature;
pub mod whatsapp;

pub use grpc::{
    Accesses, Contacts, Conversations, Directories, access_service, contact_service, conversation_service,
    directory_service,
};
pub use http::{HttpError, Webhooks};
pub use intake::{Intake, IntakeError, PHONE_ACTOR, Path, Taken};
pub use options::{HttpOptions, Options};
pub use signature::signed_by;
