//! Reading what the log holds of one workspace now, and no further.

use std::time::Duration;

use async_nats::datetime::DateTime;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use conversation::{Revision, Time};

use crate::feed::Feed;
use crate::{Bus, Error, Recorded, now, stream};

/// Failures in a row after which reading fails.
const TRIES: u32 = 8;
/// First pause before asking anew; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(50);
/// A consumer that only counts is forgotten by the server after this time.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// What stands in EVENTS about a workspace, oldest first, each event once.
pub struct Past {
    bus: Bus,
    filter: String,
    position: Revision,
    feed: Option<Feed>,
    expected: u64,
    left: u64,
}

impl Bus {
    /// Reads EVENTS of a workspace, up to the last one that exists now. `until` is when the reader means to stop.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn past(&self, workspace: &str, until: Time) -> Result<Past, Error> {
        let filter = format!("ev.*.{workspace}.>");
        let all = self.count(DeliverPolicy::All, &filter).await?;
        let later = match offset(until).filter(|_| until <= now()) {
            Some(start_time) => self.count(DeliverPolicy::ByStartTime { start_time }, &filter).await?,
            None => 0,
        };
        let expected = all.saturating_sub(later);
        Ok(Past { bus: self.clone(), filter, position: 0, feed: None, expected, left: all })
    }

    /// Reads EVENTS of a workspace after a revision, up to the last one that exists now.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn past_after(&self, workspace: &str, after: Revision) -> Result<Past, Error> {
        let filter = format!("ev.*.{workspace}.>");
        let left = self.count(DeliverPolicy::ByStartSequence { start_sequence: after + 1 }, &filter).await?;
        Ok(Past { bus: self.clone(), filter, position: after, feed: None, expected: left, left })
    }

    async fn count(&self, deliver_policy: DeliverPolicy, filter: &str) -> Result<u64, Error> {
        let config = pull::Config {
            // Named, so that the request says which stream and subjects it is about.
            name: Some(nuid::next().to_string()),
            deliver_policy,
            ack_policy: AckPolicy::None,
            filter_subject: filter.to_owned(),
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let asked = self.0.jetstream.create_consumer_on_stream(config, stream::EVENTS).await;
        let consumer: PullConsumer = asked.map_err(|error| Error::away("counting events", error))?;
        Ok(consumer.cached_info().num_pending)
    }
}

impl Past {
    /// How many events were appended before `until`, by the clock of the server.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// The next events, at least one; `None` once all were read.
    ///
    /// # Errors
    /// The last failure, when reading failed some times in a row.
    pub async fn next(&mut self) -> Result<Option<Vec<Recorded>>, Error> {
        let mut tries = 0;
        while self.left > 0 {
            match self.try_next().await {
                Ok(batch) if !batch.is_empty() => return Ok(Some(batch)),
                Ok(_) => {}
                Err(error) if tries >= TRIES => return Err(error),
                Err(error) => {
                    tracing::warn!(position = self.position, %error, "reading the past again from here");
                    self.feed = None;
                    tokio::time::sleep(PAUSE * (1 << tries)).await;
                    tries += 1;
                }
            }
        }
        Ok(None)
    }

    async fn try_next(&mut self) -> Result<Vec<Recorded>, Error> {
        let feed = match &mut self.feed {
            Some(feed) => feed,
            None => {
                let after = DeliverPolicy::ByStartSequence { start_sequence: self.position + 1 };
                let filter = Some(self.filter.clone());
                self.feed.insert(Feed::open(&self.bus, stream::EVENTS, after, filter).await?)
            }
        };
        let Some(messages) = feed.next().await? else {
            // There is something, and it does not come.
            return Err(Error::away("reading the past", "no answer"));
        };
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
        let recorded =
            messages.into_iter().take(wanted).map(|message| Recorded::of(message).map(|(recorded, _)| recorded));
        let batch: Result<Vec<Recorded>, _> = recorded.collect();
        let batch = batch.map_err(|error| Error::unreadable("a message of the log", error))?;
        self.position = batch.last().map_or(self.position, |last| last.revision);
        self.left = self.left.saturating_sub(batch.len() as u64);
        Ok(batch)
    }
}

fn offset(time: Time) -> Option<DateTime> {
    DateTime::from_unix_timestamp_nanos(i128::from(time.0)).ok()
}
