//! References that are handed out again until they are settled, to any of the processes and in no order.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{AckKind, Message};
use futures::StreamExt;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connect::REQUEST;
use crate::{Bus, Error};

/// What was handed out is handed out again after this, unless it is told that work goes on: so long nobody works on what
/// a killed process had.
const ACK_WAIT: Duration = Duration::from_secs(6);
/// How often that is told.
const PROGRESS: Duration = Duration::from_secs(2);
/// More is asked for when this part of what may be under way is done: a quarter.
const REFILL: usize = 4;
/// How long one request waits for something to come.
const PULL: Duration = Duration::from_secs(5);

/// A reference that was handed out. Dropped unsettled, it is handed out again.
pub struct Handed<T> {
    /// What it refers to.
    pub queued: T,
    /// How often it was handed out, from 1.
    pub attempt: u64,
    message: Message,
}

impl<T> Handed<T> {
    /// It needs no further try.
    pub async fn done(self) {
        self.settle(AckKind::Ack).await;
    }

    /// It is to be handed out again after `pause`.
    pub async fn later(self, pause: Duration) {
        self.settle(AckKind::Nak(Some(pause))).await;
    }

    /// Waits for `work`, telling meanwhile that it goes on.
    pub async fn during<R>(&self, work: impl Future<Output = R>) -> R {
        let mut work = std::pin::pin!(work);
        loop {
            match timeout(PROGRESS, &mut work).await {
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

/// What waits under one durable consumer.
pub struct Handout<T> {
    consumer: PullConsumer,
    of: PhantomData<T>,
}

impl<T: prost::Message + Default> Handout<T> {
    /// Has `attempt` settle what waits, `at_once` at a time, for ever. Nothing is asked for before it can be worked on,
    /// so nothing comes twice for having waited here. Dropped, it ends all that is under way.
    ///
    /// # Errors
    /// [`Error::Away`]: open it again.
    pub async fn work<F>(&self, at_once: usize, attempt: impl Fn(Handed<T>) -> F) -> Result<Infallible, Error>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut attempts = JoinSet::new();
        loop {
            while at_once - attempts.len() < at_once.div_ceil(REFILL) {
                attempts.join_next().await;
            }
            while attempts.try_join_next().is_some() {}
            for item in self.next(at_once - attempts.len()).await? {
                attempts.spawn(attempt(item));
            }
        }
    }

    /// At most `most` of what waits; where nothing does, the first that comes within 5 s, or none.
    async fn next(&self, most: usize) -> Result<Vec<Handed<T>>, Error> {
        let at_hand = self.consumer.fetch().max_messages(most).messages();
        let handed = collect(timeout(REQUEST, at_hand).await).await?;
        if !handed.is_empty() {
            return Ok(handed);
        }
        let first = self.consumer.batch().max_messages(1).expires(PULL).messages();
        collect(timeout(REQUEST, first).await).await
    }
}

/// What one request brought.
async fn collect<T: prost::Message + Default, E>(
    asked: Result<Result<pull::Batch, E>, tokio::time::error::Elapsed>,
) -> Result<Vec<Handed<T>>, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let doing = "pulling";
    let mut batch = asked.map_err(|late| Error::away(doing, late))?.map_err(|error| Error::away(doing, error))?;
    let mut handed = Vec::new();
    // The request ends after `PULL`; a server that died says nothing.
    while let Some(message) = timeout(PULL + REQUEST, batch.next()).await.map_err(|late| Error::away(doing, late))? {
        let message = message.map_err(|error| Error::away(doing, error))?;
        let attempt = message.info().map_or(1, |info| u64::try_from(info.delivered).unwrap_or(1));
        match T::decode(message.payload.clone()) {
            Ok(queued) => handed.push(Handed { queued, attempt, message }),
            Err(error) => {
                tracing::error!(%error, subject = %message.subject, "a reference can't be read: it is left out");
                Handed { queued: T::default(), attempt, message }.done().await;
            }
        }
    }
    Ok(handed)
}

impl Bus {
    /// Opens the durable consumer `name` of `stream`, of which at most `pending` are handed out or wait for another try;
    /// what comes after them waits on the stream.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub(crate) async fn handout<T>(
        &self,
        stream: &str,
        name: &str,
        filter: String,
        pending: i64,
    ) -> Result<Handout<T>, Error> {
        let doing = "opening what is handed out";
        let config = pull::Config {
            durable_name: Some(name.to_owned()),
            filter_subject: filter,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: pending,
            ..pull::Config::default()
        };
        let stream = self.jetstream().get_stream(stream).await.map_err(|error| Error::away(doing, error))?;
        // Made, or brought to what this version needs.
        let made = stream.create_consumer(config).await;
        Ok(Handout { consumer: made.map_err(|error| Error::away(doing, error))?, of: PhantomData })
    }
}
