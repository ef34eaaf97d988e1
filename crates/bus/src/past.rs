//! Reading what the log holds of one workspace now, and no further.

use std::time::Duration;

use async_nats::datetime::DateTime;
use async_nats::jetstream::consumer::{DeliverPolicy, PullConsumer};
use conversation::{ConversationId, Revision, Time};

use crate::feed::{self, Feed};
use crate::{Bus, Error, Reader, Recorded, now, partition, stream};

/// Failures in a row after which reading fails.
const TRIES: u32 = 8;
/// First pause before asking anew; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(50);
/// A consumer that only counts is forgotten by the server after this time.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// What stands in EVENTS about a workspace, oldest first, each event once.
pub struct Past {
    bus: Bus,
    filters: Vec<String>,
    /// Where reading begins while nothing was read.
    start: DeliverPolicy,
    position: Revision,
    feed: Option<Feed>,
    expected: u64,
    left: u64,
    /// Everything up to here that is wanted is among what is left.
    known: Revision,
}

impl Bus {
    /// Reads EVENTS of a workspace, up to the last one that exists now. `until` is when the reader means to stop.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn past(&self, workspace: &str, until: Time) -> Result<Past, Error> {
        let past = self.open_past(of_workspace(workspace), DeliverPolicy::All).await?;
        let later = match offset(until).filter(|_| until <= now()) {
            Some(start_time) => self.count(DeliverPolicy::ByStartTime { start_time }, &past.filters).await?,
            None => 0,
        };
        Ok(Past { expected: past.left.saturating_sub(later), ..past })
    }

    /// Reads EVENTS of a workspace after a revision, up to the last one that exists now.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn past_after(&self, workspace: &str, after: Revision) -> Result<Past, Error> {
        let start = DeliverPolicy::ByStartSequence { start_sequence: after + 1 };
        Ok(Past { position: after, ..self.open_past(of_workspace(workspace), start).await? })
    }

    /// Reads decisions and facts of a workspace, or of one of its conversations, but not the customer's messages; up to
    /// the last one that exists now. It begins after a revision, and with what was appended since `from`, whichever is
    /// later.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn past_acts(
        &self,
        workspace: &str,
        conversation: Option<&ConversationId>,
        after: Revision,
        from: Option<Time>,
    ) -> Result<Past, Error> {
        let place = match conversation {
            Some(id) => format!("ev.{}.{workspace}.{id}", partition(workspace, id.as_str())),
            None => format!("ev.*.{workspace}.*"),
        };
        let filters = vec![format!("{place}.decision"), format!("{place}.fact")];
        let start = match from.and_then(offset) {
            // The other bound is the caller's to look at: a consumer begins at one of the two.
            Some(start_time) if after == 0 => DeliverPolicy::ByStartTime { start_time },
            _ => DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
        };
        let past = self.open_past(filters, start).await?;
        Ok(Past { position: after, ..past })
    }

    async fn open_past(&self, filters: Vec<String>, start: DeliverPolicy) -> Result<Past, Error> {
        let known = self.events_info().await?.state.last_sequence;
        let left = self.count(start, &filters).await?;
        Ok(Past { bus: self.clone(), filters, start, position: 0, feed: None, expected: left, left, known })
    }

    async fn count(&self, deliver_policy: DeliverPolicy, filters: &[String]) -> Result<u64, Error> {
        let config = feed::config(deliver_policy, filters, FORGOTTEN);
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

    /// Reads on behind what was there at the start, and waits for more. For whoever has read to the end.
    pub fn follow(self) -> Reader {
        let position = self.through();
        Reader::of(&self.bus, self.filters, position)
    }

    /// Everything up to this revision that was asked for was read. 0 while nothing was.
    pub fn through(&self) -> Revision {
        if self.left == 0 { self.position.max(self.known) } else { self.position }
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
                let from = match self.position {
                    0 => self.start,
                    position => DeliverPolicy::ByStartSequence { start_sequence: position + 1 },
                };
                self.feed.insert(Feed::open(&self.bus, stream::EVENTS, from, &self.filters).await?)
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

fn of_workspace(workspace: &str) -> Vec<String> {
    vec![format!("ev.*.{workspace}.>")]
}

fn offset(time: Time) -> Option<DateTime> {
    DateTime::from_unix_timestamp_nanos(i128::from(time.0)).ok()
}
