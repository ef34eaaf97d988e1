//! What the log comes to: ticket windows, timelines and counts, kept in an embedded store and served over gRPC.
//!
//! Architecture Invariant: the view can be thrown away. Whatever is in it follows from the log alone, byte for byte.

mod audit;
mod query;
mod run;
mod store;
mod view;

pub use query::{Key, Keys, Queries, QueryOptions};
pub use run::{Error, Options, Projection};
pub use store::{Engine, Error as StoreError, Options as StoreOptions};
