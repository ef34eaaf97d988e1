//! The console: one continuous chat with its tickets drawn beside it, the inbox that it stands in, and a dashboard for
//! any period. Pages are made here, on the server; what happens meanwhile comes by server-sent events. It knows of
//! conversations only what the other services answer over gRPC.

mod assets;
mod bot;
mod chat;
mod dashboard;
mod failure;
mod guard;
mod inbox;
mod lang;
mod me;
mod options;
mod page;
mod rules;
mod server;
mod services;
mod session;
mod sign_in;
mod words;

pub use options::Options;
pub use server::{Console, ConsoleError};
