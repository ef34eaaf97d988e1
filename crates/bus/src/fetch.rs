//! Files that a channel did not give yet: references that are handed out again, later each time, and readers who ask
//! for one at once.

use std::time::Duration;

use async_nats::Subscriber;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{AckKind, Message};
use futures::StreamExt;
use prost::Message as _;
use proto::v1;

use crate::{Bus, Error, stream};

/// What was handed out and is not settled is handed out again after this, unless it is told that work goes on.
const ACK_WAIT: Duration = Duration::from_secs(6);
/// How often that is told.
const PROGRESS: Duration = Duration::from_secs(2);
/// References that were handed out or wait for another try; what comes after them waits on the stream.
const PENDING: i64 = 10_000;
/// References asked for at once.
const BATCH: usize = 8;
const PULL: Duration = Duration::from_secs(5);
/// The durable consumer, the same in every process.
const CONSUMER: &str = "media-again";
/// Where readers ask, and who answers: one of the processes.
const ASK: &str = "ask.media";
const ANSWERERS: &str = "media";

/// A reference that was handed out. Dropped unsettled, it is handed out again.
pub struct FetchItem {
    /// Which file.
    pub queued: v1::QueuedFetch,
    /// How often it was handed out, from 1.
    pub attempt: u64,
    message: Message,
}

impl FetchItem {
    /// It needs no further try.
    pub async fn done(self) {
        self.settle(AckKind::Ack).await;
    }

    /// It is to be handed out again after `pause`.
    pub async fn later(self, pause: Duration) {
        self.settle(AckKind::Nak(Some(pause))).await;
    }

    /// Waits for `work`, telling meanwhile that it goes on.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(PROGRESS, &mut work).await {
                Ok(done) => return done,
                Err(_) => {
                    if let Err(error) = self.message.ack_with(AckKind::Progress).await {
                        tracing::debug!(%error, "progress not told");
                    }
                }
            }
        }
    }

    async fn settle(self, kind: AckKind) {
        if let Err(error) = self.message.ack_with(kind).await {
            tracing::debug!(%error, "not settled: it will be handed out again");
        }
    }
}

/// What is handed out.
pub struct FetchQueue(pull::Stream);

impl FetchQueue {
    /// The next reference; `None` when the consumer is gone.
    ///
    /// # Errors
    /// [`Error::Away`]: open it again.
    pub async fn next(&mut self) -> Result<Option<FetchItem>, Error> {
        let Some(message) = self.0.next().await else { return Ok(None) };
        let message = message.map_err(|error| Error::away("pulling", error))?;
        let attempt = message.info().map_or(1, |info| u64::try_from(info.delivered).unwrap_or(1));
        // One that can't be read stands for no event.
        let queued = v1::QueuedFetch::decode(message.payload.clone()).unwrap_or_default();
        Ok(Some(FetchItem { queued, attempt, message }))
    }
}

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
    pub async fn fetch_queue(&self) -> Result<FetchQueue, Error> {
        let doing = "pulling files to fetch";
        let config = pull::Config {
            durable_name: Some(CONSUMER.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: PENDING,
            ..pull::Config::default()
        };
        let stream = self.jetstream().get_stream(stream::FETCHES).await;
        let stream = stream.map_err(|error| Error::away(doing, error))?;
        let made = stream.get_or_create_consumer(CONSUMER, config).await;
        let consumer: PullConsumer = made.map_err(|error| Error::away(doing, error))?;
        let pull = consumer.stream().max_messages_per_batch(BATCH).expires(PULL).heartbeat(PULL / 3).messages().await;
        Ok(FetchQueue(pull.map_err(|error| Error::away(doing, error))?))
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
