//! What clients ask: `TicketService` over the view. Reads only; every answer is made from one picture of the store.

mod budget;
mod calendar;
mod changes;
mod conversation_counts;
mod conversations;
mod counts;
mod grouping;
mod mistakes;
mod read;
mod reads;
mod search;
mod service;
mod show_conversation;
mod show_entry;
mod show_ticket;
mod standing;
mod stats;
mod ticket_end;
mod ticket_filter;
mod ticket_walk;
mod tickets;
mod timeline;
mod unseal;
mod watch;
mod watch_tickets;
mod watch_timeline;

#[cfg(test)]
mod tests;

pub(crate) use counts::open_tickets;
pub(crate) use mistakes::Mistakes;
pub use service::{Queries, QueryOptions};
pub use unseal::{Key, Keys};
pub(crate) use watch::Answers;

/// The clock on the wall, for heartbeats.
fn now() -> prost_types::Timestamp {
    std::time::SystemTime::now().into()
}
