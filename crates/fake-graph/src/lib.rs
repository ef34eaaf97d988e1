//! A Graph API for tests and for the demo: takes messages as the real one does, refuses what it refuses, reports what
//! became of them by signed webhooks, and breaks in every way that it is told to.
//!
//! It keeps no promise about speed and every one about counting: [`FakeGraph::sent`] is what was accepted, in order.

mod answer;
mod check;
mod courier;
mod error;
mod fate;
mod graph;
mod limits;
mod line;
mod media;
mod multipart;
mod routes;
mod script;
mod sent;
mod state;
mod webhook;

pub use error::GraphError;
pub use fate::{Fate, Report};
pub use graph::{Builder, FakeGraph};
pub use limits::Limits;
pub use media::FileCall;
pub use script::{Act, Which};
pub use sent::{Seen, Sent};
pub use webhook::signature;
