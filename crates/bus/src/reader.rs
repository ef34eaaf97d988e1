//! Reading the log from a position of one's own: no acknowledgements, no gaps, no end.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use bytes::Bytes;
use conversation::Revision;
use futures::StreamExt;
use futures::stream::ReadyChunks;
use prost::Message as _;
use proto::v1;

use crate::{Bus, Error, TraceParent, stream};

/// Most events handed over at once.
const BATCH: usize = 1_000;
/// A consumer that nobody reads from is forgotten by the server after this time.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// The server says that it is there this often; two missed and we ask anew.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// With nothing to read for this long, we make sure that we are not the ones who are lost.
const SILENCE: Duration = Duration::from_secs(20);
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
}

impl Recorded {
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
    position: Revision,
    open: Option<Open>,
    pause: Duration,
}

/// A consumer on the server, and how far it has come.
struct Open {
    messages: ReadyChunks<pull::Stream>,
    delivered: u64,
}

impl Bus {
    /// Reads EVENTS from the first event after `position`.
    pub fn reader(&self, position: Revision) -> Reader {
        Reader { bus: self.clone(), position, open: None, pause: PAUSE }
    }
}

impl Reader {
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
                    self.open = None;
                    tokio::time::sleep(self.pause).await;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Vec<Recorded>, Error> {
        if self.open.is_none() {
            self.open = Some(self.ask().await?);
        }
        let Some(open) = &mut self.open else { return Ok(Vec::new()) };
        let Ok(chunk) = tokio::time::timeout(SILENCE, open.messages.next()).await else {
            self.open = None;
            return Ok(Vec::new());
        };
        let chunk = chunk.ok_or_else(|| Error::away("reading the log", "the consumer ended"))?;
        let mut batch = Vec::with_capacity(chunk.len());
        for message in chunk {
            let taken = message.map_err(|error| Error::away("reading the log", error));
            match taken.and_then(|message| take(message, open)) {
                Ok(recorded) => batch.push(recorded),
                // What came before the failure is good, and the failure shows again.
                Err(error) if batch.is_empty() => return Err(error),
                Err(_) => {
                    self.open = None;
                    break;
                }
            }
        }
        self.position = batch.last().map_or(self.position, |last: &Recorded| last.revision);
        Ok(batch)
    }

    async fn ask(&self) -> Result<Open, Error> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.position + 1 },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let asked = self.bus.0.jetstream.create_consumer_on_stream(config, stream::EVENTS).await;
        let consumer = asked.map_err(|error| Error::away("asking for the log", error))?;
        let messages = consumer.stream().max_messages_per_batch(BATCH).heartbeat(HEARTBEAT).messages().await;
        let messages = messages.map_err(|error| Error::away("asking for the log", error))?;
        Ok(Open { messages: messages.ready_chunks(BATCH), delivered: 0 })
    }
}

/// Checks that nothing was lost on the way: the consumer numbers what it hands out.
fn take(message: Message, open: &mut Open) -> Result<Recorded, Error> {
    let info = message.info().map_err(|error| Error::unreadable("a message of the log", error))?;
    let (revision, delivered) = (info.stream_sequence, info.consumer_sequence);
    if delivered != open.delivered + 1 {
        return Err(Error::away("reading the log", "a message was lost on the way"));
    }
    open.delivered = delivered;
    let trace = message.headers.as_ref().and_then(|headers| headers.get(TraceParent::HEADER));
    let trace = trace.and_then(|value| TraceParent::parse(value.as_str()));
    Ok(Recorded { revision, trace, payload: message.message.payload })
}
