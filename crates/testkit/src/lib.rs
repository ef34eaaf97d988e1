//! What the tests of every crate share: a private, real nats-server for each test, waiting for conditions instead of
//! times, and how many cases a long test runs.
//!
//! Everything here panics with a message that says what went wrong, because a test has nothing better to do about it.
//! The one exception is [`nats_server_binary`], which `xtask` asks before it installs a server.

mod binary;
mod chat_server;
mod cluster;
mod config;
mod count;
mod health;
mod nats_server;
mod process;
mod search;
mod start;
mod wait;

pub use binary::{BinaryError, NATS_SERVER_VERSION, installed_nats_server, nats_server_binary};
pub use chat_server::{Asked, ChatAnswer, ChatServer};
pub use cluster::Cluster;
pub use count::count;
pub use fake_graph::{Act, FakeGraph, Fate, FileCall, GraphError, Limits, Report, Seen, Sent, Which, signature};
pub use nats_server::{NatsServer, NatsServerBuilder};
pub use process::Process;
pub use search::holders;
pub use wait::eventually;
