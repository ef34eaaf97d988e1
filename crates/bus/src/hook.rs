//! What waits to be posted to other systems: one durable consumer for each endpoint, so that none waits for another.

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use prost::Message as _;
use proto::v1;

use crate::feed::Feed;
use crate::handout::Handout;
use crate::{Bus, Error, stream, token};

/// References of one endpoint that were handed out or wait for another try; what comes after them waits on the stream.
const PENDING: i64 = 2_000;

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
    pub async fn hook_queue(&self, endpoint: &Endpoint) -> Result<Handout<v1::QueuedWebhook>, Error> {
        self.handout(stream::HOOKS, &endpoint.consumer(), endpoint.filter(), PENDING).await
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
        let mut feed = Feed::open(self, stream::HOOKLOG, DeliverPolicy::All, &[endpoint.log()]).await?;
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
