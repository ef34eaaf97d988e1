//! A consumer that acknowledges nothing and knows when something was lost on the way.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::message::Message;
use futures::StreamExt;
use futures::stream::ReadyChunks;

use crate::{Bus, Error, stream};

/// Most messages handed over at once.
const BATCH: usize = 1_000;
/// A consumer that nobody reads from is forgotten by the server after this time.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// The server says that it is there this often; two missed and we ask anew.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// With nothing to read for this long, we make sure that we are not the ones who are lost.
const SILENCE: Duration = Duration::from_secs(20);

/// Messages of a stream, in order, without gaps, until the first failure.
pub(crate) struct Feed {
    consumer: PullConsumer,
    messages: ReadyChunks<pull::Stream>,
    /// How many the server has numbered for us.
    delivered: u64,
    /// A failure that came after good messages.
    failed: Option<Error>,
}

impl Feed {
    /// What the stream holds on subjects that one of `filters` takes; without any, all of it.
    pub(crate) async fn open(
        bus: &Bus,
        stream: &str,
        deliver_policy: DeliverPolicy,
        filters: &[String],
    ) -> Result<Feed, Error> {
        let config = config(deliver_policy, filters, FORGOTTEN);
        let asked = bus.0.jetstream.create_consumer_on_stream(config, stream).await;
        let consumer: PullConsumer = asked.map_err(|error| Error::away("asking for a stream", error))?;
        let messages = consumer.stream().max_messages_per_batch(BATCH).heartbeat(HEARTBEAT).messages().await;
        let messages = messages.map_err(|error| Error::away("asking for a stream", error))?;
        Ok(Feed { consumer, messages: messages.ready_chunks(BATCH), delivered: 0, failed: None })
    }

    /// How many messages there were when it was opened.
    pub(crate) fn pending_at_start(&self) -> u64 {
        self.consumer.cached_info().num_pending
    }

    /// Lets the server forget it at once rather than a minute later, where consumers may be deleted at all.
    pub(crate) async fn close(self, bus: &Bus) {
        let info = self.consumer.cached_info();
        if stream::has_workers(&info.stream_name) {
            return;
        }
        let (name, stream) = (info.name.clone(), info.stream_name.clone());
        drop(self.messages);
        if let Err(error) = bus.0.jetstream.delete_consumer_from_stream(name, stream).await {
            tracing::debug!(%error, "a consumer that is no longer read was not deleted: the server will");
        }
    }

    /// The next messages, at least one; `None` when none came for 20 s. After an error there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Message>>, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Ok(chunk) = tokio::time::timeout(SILENCE, self.messages.next()).await else { return Ok(None) };
        let chunk = chunk.ok_or_else(|| Error::away("reading a stream", "the consumer ended"))?;
        let mut batch = Vec::with_capacity(chunk.len());
        for message in chunk {
            let taken = message.map_err(|error| Error::away("reading a stream", error));
            match taken.and_then(|message| self.number(message)) {
                Ok(message) => batch.push(message),
                // What came before the failure is good.
                Err(error) if batch.is_empty() => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(Some(batch))
    }

    /// After a silence: that the server has nothing for us either.
    ///
    /// # Errors
    /// When it has, or no longer knows us.
    pub(crate) async fn check_whole(&self) -> Result<(), Error> {
        let info = self.consumer.get_info().await.map_err(|error| Error::away("asking for a stream", error))?;
        let whole = info.num_pending == 0 && info.delivered.consumer_sequence == self.delivered;
        if whole { Ok(()) } else { Err(Error::away("reading a stream", "messages were lost on the way")) }
    }

    /// Checks that nothing was lost on the way: the consumer numbers what it hands out.
    fn number(&mut self, message: Message) -> Result<Message, Error> {
        let delivered = message.info().map_err(|error| Error::unreadable("a message", error))?.consumer_sequence;
        if delivered != self.delivered + 1 {
            return Err(Error::away("reading a stream", "a message was lost on the way"));
        }
        self.delivered = delivered;
        Ok(message)
    }
}

/// A consumer of the subjects that one of `filters` takes, that the server forgets when nobody has read for a while.
pub(crate) fn config(deliver_policy: DeliverPolicy, filters: &[String], forgotten: Duration) -> pull::Config {
    // One alone stands in the subject of the request, by which the server may tell who may read what.
    let (one, several) = match filters {
        [one] => (one.clone(), Vec::new()),
        several => (String::new(), several.to_vec()),
    };
    pull::Config {
        // Named, so that the request says which stream and subjects it is about.
        name: Some(nuid::next().to_string()),
        deliver_policy,
        ack_policy: AckPolicy::None,
        filter_subject: one,
        filter_subjects: several,
        inactive_threshold: forgotten,
        memory_storage: true,
        num_replicas: 1,
        ..pull::Config::default()
    }
}
