//! JetStream as Threadmark uses it: appending facts, deciding under the expected sequence, reading the log,
//! addresses, and the sealing of all that is personal.
//!
//! Architecture Invariant: this crate decides nothing about tickets. It runs `conversation::decide` and makes the
//! result real, or not.

mod address;
mod channel;
mod connect;
mod decide;
mod error;
mod fact;
mod filing;
mod key;
mod reader;
mod seal;
mod stream;
mod subject;
mod trace;
mod worker;

pub use address::{Added, Address, AddressKind, Resolved};
pub use connect::{Bus, Options};
pub use decide::{DecideError, Outcome, Proposal, Verdict, digest, now};
pub use error::{Error, ErrorKind};
pub use key::{Keyring, WorkspaceKeys};
pub use reader::{Reader, Recorded};
pub use seal::SealError;
pub use subject::{PARTITIONS, partition};
pub use trace::TraceParent;
pub use worker::{Handler, HandlerError, WorkerOptions};
