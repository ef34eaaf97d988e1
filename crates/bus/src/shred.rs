//! Removing messages so that nothing of them is left on the disk of the server.

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::stream::DeleteMessageErrorKind;

use crate::feed::Feed;
use crate::{Bus, Error};

/// No message has that sequence: 10037, and 10043 for one beyond the last.
const GONE: [ErrorCode; 2] = [ErrorCode::NO_MESSAGE_FOUND, ErrorCode(10_043)];
/// How the server says, among other failures of a deletion, that the stream was made without the right to delete, and
/// that there is no such message.
const NOT_PERMITTED: &str = "not permitted";
const NOT_FOUND: [&str; 2] = ["no message found", "deleted message"];

/// Removes a message and overwrites it where it lies: a deletion of a single message is, for this server, what
/// overwrites; a purge only forgets. Whether it was there.
///
/// # Errors
/// [`Error::Away`]; [`Error::Refused`] by a stream that was made without the right to delete.
pub(crate) async fn shred(bus: &Bus, stream: &str, sequence: u64) -> Result<bool, Error> {
    let doing = "overwriting a message";
    let handle = bus.0.jetstream.get_stream_no_info(stream).await.map_err(|error| Error::away(doing, error))?;
    match handle.delete_message(sequence).await {
        Ok(done) => Ok(done),
        Err(error) => match error.kind() {
            DeleteMessageErrorKind::JetStream(why) => {
                let words = why.to_string();
                if GONE.contains(&why.error_code()) || NOT_FOUND.iter().any(|gone| words.contains(gone)) {
                    Ok(false)
                } else if words.contains(NOT_PERMITTED) || why.code() < 500 {
                    Err(Error::Refused { doing, source: Box::new(error) })
                } else {
                    Err(Error::away(doing, error))
                }
            }
            _ => Err(Error::away(doing, error)),
        },
    }
}

/// What a stream holds now, one message after the other, with bounded memory.
pub(crate) struct Sweep {
    feed: Feed,
    pending: u64,
    batch: std::vec::IntoIter<jetstream::Message>,
}

impl Sweep {
    pub(crate) async fn open(bus: &Bus, stream: &str, filter: String) -> Result<Sweep, Error> {
        let feed = Feed::open(bus, stream, DeliverPolicy::All, &[filter]).await?;
        let pending = feed.pending_at_start();
        Ok(Sweep { feed, pending, batch: Vec::new().into_iter() })
    }

    /// The next message and its sequence; `None` after the last that was there at the start.
    pub(crate) async fn next(&mut self) -> Result<Option<(u64, jetstream::Message)>, Error> {
        loop {
            if let Some(message) = self.batch.next() {
                let info = message.info().map_err(|error| Error::unreadable("a message", error))?;
                let sequence = info.stream_sequence;
                self.pending = info.pending;
                return Ok(Some((sequence, message)));
            }
            if self.pending == 0 {
                return Ok(None);
            }
            match self.feed.next().await? {
                Some(batch) => self.batch = batch.into_iter(),
                // What was there at the start may have gone since.
                None => {
                    self.feed.check_whole().await?;
                    return Ok(None);
                }
            }
        }
    }

    /// Lets the server forget it.
    pub(crate) async fn close(self, bus: &Bus) {
        self.feed.close(bus).await;
    }
}
