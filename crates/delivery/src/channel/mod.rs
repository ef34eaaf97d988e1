//! The port to the APIs of channels. A channel sends, shows that the bot types, and keeps files; it knows nothing of the
//! bus, of conversations, or of what is tried again: it says what became of one call.

mod failure;
mod file;
mod graph;
pub mod messenger;
mod outgoing;
pub mod whatsapp;

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::v1;

pub use failure::{Advice, Failure};
pub use file::{Fetched, Upload};
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

    /// The same, told with the customer whose message it is: some channels know by that alone what was read.
    ///
    /// # Errors
    /// As [`Channel::seen`].
    fn seen_of<'a>(
        &'a self,
        to: &'a Recipient,
        channel_message_id: &'a str,
        typing: bool,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        let _ = to;
        self.seen(channel_message_id, typing)
    }

    /// Fetches a file that a customer sent, if it has at most so many bytes. A channel that keeps none says so.
    ///
    /// # Errors
    /// [`Failure`]; [`Advice::Reword`] where it can't be had, now or later.
    fn fetch<'a>(&'a self, media: &'a v1::Media, most: usize) -> BoxFuture<'a, Result<Fetched, Failure>> {
        let _ = (media, most);
        futures::future::ready(Err(file::keeps_none())).boxed()
    }

    /// Gives the channel a file, and answers its id there. Doing it twice costs time and nothing else. A channel that
    /// keeps none says so.
    ///
    /// # Errors
    /// [`Failure`]
    fn upload<'a>(&'a self, file: &'a Upload) -> BoxFuture<'a, Result<String, Failure>> {
        let _ = file;
        futures::future::ready(Err(file::keeps_none())).boxed()
    }
}
