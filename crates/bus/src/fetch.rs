//! Files that a channel did not give yet: references that are handed out again, later each time, and readers who ask
//! for one at once.

use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::message::PublishMessage;
use futures::StreamExt;
use prost::Message as _;
use proto::v1;

use crate::handout::Handout;
use crate::{Bus, Error, stream};

/// References that were handed out or wait for another try; what comes after them waits on the stream.
const PENDING: i64 = 10_000;
/// The durable consumer, the same in every process.
const CONSUMER: &str = "media-again";
/// Where readers ask, and who answers: one of the processes.
const ASK: &str = "ask.media";
const ANSWERERS: &str = "media";

/// A reader who waits until a file was tried once more. Dropped unanswered, the reader waits for nothing.
pub struct Asked {
    /// Which file.
    pub queued: v1::QueuedFetch,
    bus: Bus,
    reply: Option<async_nats::Subject>,
}

impl Asked {
    /// It was tried: what came of it stands with the files.
    pub async fn done(self) {
        let Some(reply) = self.reply else { return };
        if let Err(error) = self.bus.0.client.publish(reply, bytes::Bytes::new()).await {
            tracing::debug!(%error, "a reader was not told");
        }
    }
}

/// The readers who ask.
pub struct Askers {
    bus: Bus,
    asked: Subscriber,
}

impl Askers {
    /// The next one; `None` when the bus is closed.
    pub async fn next(&mut self) -> Option<Asked> {
        let message = self.asked.next().await?;
        let queued = v1::QueuedFetch::decode(message.payload).unwrap_or_default();
        Some(Asked { queued, bus: self.bus.clone(), reply: message.reply })
    }
}

impl Bus {
    /// Queues a file to be fetched again, once.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn queue_fetch(&self, workspace: &str, queued: &v1::QueuedFetch) -> Result<(), Error> {
        let subject = format!("fetch.{workspace}.{}", queued.revision);
        let message = PublishMessage::build().payload(queued.encode_to_vec().into()).expected_last_subject_sequence(0);
        match self.publish_once("queueing a file", subject, message).await {
            Ok(_) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What waits to be fetched again.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn fetch_queue(&self) -> Result<Handout<v1::QueuedFetch>, Error> {
        self.handout(stream::FETCHES, CONSUMER, String::new(), PENDING).await
    }

    /// Readers who ask for a file at once; each is handed to one process.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn fetch_askers(&self) -> Result<Askers, Error> {
        let asked = self.0.client.queue_subscribe(ASK, ANSWERERS.to_owned()).await;
        Ok(Askers { bus: self.clone(), asked: asked.map_err(|error| Error::away("listening for readers", error))? })
    }

    /// Asks that a file be fetched at once, and waits until it was tried, for at most `most`. Whether it was.
    pub async fn ask_fetch(&self, queued: &v1::QueuedFetch, most: Duration) -> bool {
        let asked = self.0.client.request(ASK, queued.encode_to_vec().into());
        matches!(tokio::time::timeout(most, asked).await, Ok(Ok(_)))
    }
}
