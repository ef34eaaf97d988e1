//! The wire: generated types of `threadmark.v1`, and their conversions to and from the domain.
//!
//! Architecture Invariant: the domain knows nothing of this crate. What the log or a client says is converted here,
//! at the edge, and a conversion from the wire never panics, whatever it is given.

mod actor;
mod decision;
mod event;
mod state;
mod ticket;
mod time;

pub use actor::{actor_from, actor_to, assignee_from, assignee_to};
pub use decision::{decision_from, decision_to, entry_from};
pub use event::{event_name, subject_kind};
pub use state::{state_from, state_to};
pub use ticket::{closed_ticket, open_ticket};
pub use time::{MAX_TIME, duration, time, timestamp};

/// The generated messages, clients and servers.
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::large_enum_variant, unreachable_pub, missing_docs)]
pub mod v1 {
    tonic::include_proto!("threadmark.v1");
}

/// The descriptors of everything in `proto/`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/threadmark.bin"));
