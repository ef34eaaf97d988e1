//! The port to the APIs of channels. A channel sends, shows that the bot types, and keeps files; it knows nothing of the
//! bus, of conversations, or of what is tried again: it says what became of one call.

mod failure;
mod graph;
mod outgoing;
pub mod whatsapp;

use futures::future::BoxFuture;

pub use failure::{Advice, Failure};
pub use outgoing::{Accepted, Outgoing, Recipient};

/// One address of a business on a channel, with what it takes to send from it.
pub trait Channel: Send + Sync + 'static {
    /// Sends one message: one call, and what became of it.
    ///
    /// # Errors
    /// [`Failure`], which says whether the message may have gone out and what to do now.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, Failure>>;

    /// Tells the customer that a message was read, and that an answer is being written if `typing`.
    ///
    /// # Errors
    /// [`Failure`]. Nobody has to try again: it is a courtesy.
    fn seen<'a>(&'a self, channel_message_id: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>>;
}
