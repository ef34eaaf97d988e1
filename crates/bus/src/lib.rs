//! JetStream as Threadmark uses it: appending facts, deciding under the expected sequence, reading the log,
//! addresses, and the sealing of all that is personal.
//!
//! Architecture Invariant: this crate decides nothing about tickets. It runs `conversation::decide` and makes the
//! result real, or not.

mod address;
mod channel;
mod connect;
mod dead;
mod decide;
mod directory;
mod erase;
mod error;
mod export;
mod fact;
mod feed;
mod fetch;
mod file;
mod filing;
mod handout;
mod hook;
mod key;
mod keyrings;
mod kv;
mod load;
mod outbox;
mod past;
mod reader;
mod rights;
mod run;
mod seal;
mod shred;
mod source;
mod span;
mod stream;
mod subject;
mod survey;
mod timer;
mod trace;
mod user_key;
mod window;
mod worker;

pub use address::{Added, Address, AddressKind, Resolved};
pub use connect::{Bus, Options, TlsFiles};
pub use dead::Dead;
pub use decide::{DecideError, Outcome, Proposal, Verdict, digest, now};
pub use directory::{Changes, Directory, DirectoryChange, Roster, Staff, Unknown};
pub use erase::{EraseError, Removed};
pub use error::{Error, ErrorKind};
pub use fetch::{Asked, Askers};
pub use file::{Files, OpenFile, Owner};
pub use filing::Caused;
pub use handout::{Handed, Handout};
pub use hook::Endpoint;
pub use key::{Keyring, WorkspaceKeys};
pub use kv::{Bucket, BucketName, Change, Entry, Slot, Stored, Update, Watch, token, untoken};
pub use load::Loaded;
pub use outbox::Standing;
pub use past::Past;
pub use reader::{Reader, Recorded};
pub use rights::{Rights, User, users_conf};
pub use run::{Recording, RunFilter, RunPage, RunRecord};
pub use seal::{SealError, random};
pub use source::Source;
pub use span::{Span, SpanKind};
pub use subject::{PARTITIONS, partition};
pub use survey::{ConsumerState, StreamState, Survey, SurveyedStream};
pub use timer::TimerSlot;
pub use trace::TraceParent;
pub use user_key::Seed;
pub use window::closed_words;
pub use worker::{Handler, HandlerError, WorkerOptions, away};
