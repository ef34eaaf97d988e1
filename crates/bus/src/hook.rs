//! What waits to be posted to other systems: one durable consumer for each endpoint, so that none waits for another.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{AckKind, Message, stream::Stream};
use futures::StreamExt;
use prost::Message as _;
use proto::v1;

use crate::feed::Feed;
use crate::{Bus, Error, stream, token};

/// A try that is not settled is handed out again after this: longer than one may take.
const ACK_WAIT: Duration = Duration::from_secs(60);
/// References of one endpoint that were handed out or wait for another try; what comes after them waits on the stream.
const PENDING: i64 = 2_000;
/// References asked for at once.
const BATCH: usize = 32;
const PULL: Duration = Duration::from_secs(5);

/// An endpoint of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whose it is.
    pub workspace: String,
    /// Its id: letters and digits.
    pub id: String,
}

impl Endpoint {
    fn filter(&self) -> String {
        format!("hook.{}.{}.>", self.workspace, self.id)
    }

    fn consumer(&self) -> String {
        format!("hook-{}", self.id)
    }

    fn log(&self) -> String {
        format!("hooklog.{}.{}", self.workspace, self.id)
    }
}

/// A reference that was handed out. Dropped unsettled, it is handed out again.
pub struct HookItem {
    /// What to post.
    pub queued: v1::QueuedWebhook,
    /// How often it was handed out, from 1.
    pub attempt: u64,
    message: Message,
}

impl HookItem {
    /// It needs no further try.
    pub async fn done(self) {
        self.settle(AckKind::Ack).await;
    }

    /// It is to be handed out again after `pause`.
    pub async fn later(self, pause: Duration) {
        self.settle(AckKind::Nak(Some(pause))).await;
    }

    async fn settle(self, kind: AckKind) {
        if let Err(error) = self.message.ack_with(kind).await {
            tracing::debug!(%error, "not settled: it will be handed out again");
        }
    }
}

/// What is handed out for an endpoint.
pub struct HookQueue(pull::Stream);

impl HookQueue {
    /// The next reference; `None` when the consumer is gone.
    ///
    /// # Errors
    /// [`Error::Away`]: open it again.
    pub async fn next(&mut self) -> Result<Option<HookItem>, Error> {
        while let Some(message) = self.0.next().await {
            let message = message.map_err(|error| Error::away("pulling", error))?;
            let attempt = message.info().map_or(1, |info| u64::try_from(info.delivered).unwrap_or(1));
            match v1::QueuedWebhook::decode(message.payload.clone()) {
                Ok(queued) => return Ok(Some(HookItem { queued, attempt, message })),
                Err(error) => {
                    tracing::error!(%error, "what waits to be posted can't be read: it is left out");
                    HookItem { queued: v1::QueuedWebhook::default(), attempt, message }.done().await;
                }
            }
        }
        Ok(None)
    }
}

impl Bus {
    /// Queues a reference for an endpoint, once for each `name`. Whether it is new.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn queue_hook(&self, endpoint: &Endpoint, name: &str, queued: &v1::QueuedWebhook) -> Result<bool, Error> {
        let subject = format!("hook.{}.{}.{}", endpoint.workspace, endpoint.id, token(name));
        let message = PublishMessage::build().payload(queued.encode_to_vec().into()).expected_last_subject_sequence(0);
        match self.publish_once("queueing a webhook", subject, message).await {
            Ok(_) => Ok(true),
            Err(Error::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What waits for an endpoint.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn hook_queue(&self, endpoint: &Endpoint) -> Result<HookQueue, Error> {
        let doing = "pulling what is to be posted";
        let config = pull::Config {
            durable_name: Some(endpoint.consumer()),
            filter_subject: endpoint.filter(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: PENDING,
            ..pull::Config::default()
        };
        let stream = self.hooks().await?;
        let made = stream.get_or_create_consumer(&endpoint.consumer(), config).await;
        let consumer: PullConsumer = made.map_err(|error| Error::away(doing, error))?;
        let pull = consumer.stream().max_messages_per_batch(BATCH).expires(PULL).heartbeat(PULL / 3).messages().await;
        Ok(HookQueue(pull.map_err(|error| Error::away(doing, error))?))
    }

    /// Forgets an endpoint, with all that waits for it.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn forget_hooks(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let stream = self.hooks().await?;
        if let Err(error) = stream.delete_consumer(&endpoint.consumer()).await {
            tracing::debug!(%error, "an endpoint had no consumer");
        }
        let purged = stream.purge().filter(endpoint.filter()).await;
        purged.map(drop).map_err(|error| Error::away("forgetting what was to be posted", error))
    }

    /// Writes down what came of a try.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn log_hook(&self, endpoint: &Endpoint, tried: &v1::WebhookDelivery) -> Result<(), Error> {
        let message = PublishMessage::build().payload(tried.encode_to_vec().into());
        self.publish_once("writing down a try", endpoint.log(), message).await.map(drop)
    }

    /// What came of the last tries, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn hook_log(&self, endpoint: &Endpoint, limit: usize) -> Result<Vec<v1::WebhookDelivery>, Error> {
        let mut feed = Feed::open(self, stream::HOOKLOG, DeliverPolicy::All, Some(endpoint.log())).await?;
        let mut left = feed.pending_at_start();
        let mut all = Vec::new();
        while left > 0 {
            let Some(messages) = feed.next().await? else { break };
            left = left.saturating_sub(messages.len() as u64);
            all.extend(messages.iter().filter_map(|message| v1::WebhookDelivery::decode(message.payload.clone()).ok()));
        }
        feed.close(self).await;
        all.reverse();
        all.truncate(limit);
        Ok(all)
    }

    async fn hooks(&self) -> Result<Stream, Error> {
        let found = self.jetstream().get_stream(stream::HOOKS).await;
        found.map_err(|error| Error::away("opening the stream of webhooks", error))
    }
}
