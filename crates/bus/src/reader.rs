//! Reading the log from a position of one's own: no acknowledgements, no gaps, no end.

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::message::{Acker, Message, StreamMessage};
use async_nats::{HeaderMap, Subject};
use bytes::Bytes;
use conversation::{Revision, Time};
use prost::Message as _;
use proto::v1;

use crate::feed::Feed;
use crate::{Bus, Error, TraceParent, stream};

/// First and longest pause before asking anew.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An event in its place.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where it stands.
    pub revision: Revision,
    /// The event, encoded.
    pub payload: Bytes,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
    /// The subject it stands on.
    pub subject: Subject,
    /// Whether it was handed out before, to this process or another, or is tried again.
    pub redelivered: bool,
    /// When it was appended, by the clock of the server.
    pub appended: Time,
    /// What stands beside it; see [`Recorded::header`].
    headers: Option<HeaderMap>,
}

impl Recorded {
    /// What a consumer handed out, and what acknowledges it; an error when it comes from no stream.
    pub(crate) fn of(message: Message) -> Result<(Recorded, Acker), async_nats::Error> {
        let info = message.info()?;
        let (revision, redelivered) = (info.stream_sequence, info.delivered > 1);
        let appended = Time(i64::try_from(info.published.unix_timestamp_nanos()).unwrap_or(i64::MAX));
        let (message, acker) = message.split();
        let trace = message.headers.as_ref().and_then(|headers| headers.get(TraceParent::HEADER));
        let trace = trace.and_then(|value| TraceParent::parse(value.as_str()));
        let async_nats::Message { subject, payload, headers, .. } = message;
        Ok((Recorded { revision, payload, trace, subject, redelivered, appended, headers }, acker))
    }

    /// What was asked for by its place.
    pub(crate) fn stored(message: StreamMessage) -> Recorded {
        let StreamMessage { subject, sequence, headers, payload, time } = message;
        Recorded {
            revision: sequence,
            payload,
            trace: headers.get(TraceParent::HEADER).and_then(|value| TraceParent::parse(value.as_str())),
            subject,
            redelivered: false,
            appended: Time(i64::try_from(time.unix_timestamp_nanos()).unwrap_or(i64::MAX)),
            headers: Some(headers),
        }
    }

    /// What was taken off its stream and kept elsewhere.
    pub(crate) fn kept(revision: Revision, subject: &str, payload: Bytes, appended: Time) -> Recorded {
        Recorded {
            revision,
            payload,
            trace: None,
            subject: subject.to_owned().into(),
            redelivered: true,
            appended,
            headers: None,
        }
    }

    /// The value of a header, by its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref()?.get(name).map(|value| value.as_str())
    }

    /// The event.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when it is none.
    pub fn event(&self) -> Result<v1::Event, Error> {
        v1::Event::decode(self.payload.clone())
            .map_err(|error| Error::unreadable(format!("the event at revision {}", self.revision), error))
    }
}

/// Reads every event after a position, in order, each once, and waits for more.
pub struct Reader {
    bus: Bus,
    filters: Vec<String>,
    position: Revision,
    feed: Option<Feed>,
    pause: Duration,
}

impl Bus {
    /// Reads EVENTS from the first event after `position`.
    pub fn reader(&self, position: Revision) -> Reader {
        Reader::of(self, Vec::new(), position)
    }
}

impl Reader {
    /// Reads what stands on subjects that one of `filters` takes; without any, everything.
    pub(crate) fn of(bus: &Bus, filters: Vec<String>, position: Revision) -> Reader {
        Reader { bus: bus.clone(), filters, position, feed: None, pause: PAUSE }
    }

    /// The next events, at least one, as many as are there. Waits for as long as it takes: whatever happens to
    /// the server or the connection, reading goes on from where it stood.
    pub async fn next(&mut self) -> Vec<Recorded> {
        loop {
            match self.try_next().await {
                Ok(batch) if !batch.is_empty() => {
                    self.pause = PAUSE;
                    return batch;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(position = self.position, %error, "reading the log again from here");
                    self.feed = None;
                    tokio::time::sleep(self.pause).await;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Vec<Recorded>, Error> {
        let feed = match &mut self.feed {
            Some(feed) => feed,
            None => {
                let after = DeliverPolicy::ByStartSequence { start_sequence: self.position + 1 };
                self.feed.insert(Feed::open(&self.bus, stream::EVENTS, after, &self.filters).await?)
            }
        };
        let Some(messages) = feed.next().await? else {
            self.feed = None;
            return Ok(Vec::new());
        };
        let recorded = |message| Recorded::of(message).map(|(recorded, _)| recorded);
        let batch: Result<Vec<Recorded>, _> = messages.into_iter().map(recorded).collect();
        let batch = batch.map_err(|error| Error::unreadable("a message of the log", error))?;
        self.position = batch.last().map_or(self.position, |last| last.revision);
        Ok(batch)
    }
}
