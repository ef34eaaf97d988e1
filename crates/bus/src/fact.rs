//! Appending facts: many on their way at once, each tried again until the server has it or patience ends.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::future::{IntoFuture as _, ready};
use std::pin::pin;
use std::time::Duration;

use async_nats::HeaderName;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use bytes::Bytes;
use conversation::Revision;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use meter::meter;
use prost::Message;
use proto::v1;
use tokio::time::{Instant, timeout_at};

use crate::connect::{PATIENCE, REQUEST};
use crate::error::publish_error;
use crate::{Bus, Error, ErrorKind, Span, TraceParent, stream, subject};

/// Header that names what is inside.
pub(crate) const EVENT_HEADER: &str = "Threadmark-Event";
/// Pause before a failed append is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A message ready to be appended under its own id.
pub(crate) struct Envelope {
    pub(crate) subject: String,
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) payload: Bytes,
    pub(crate) trace: TraceParent,
}

impl Envelope {
    fn message(&self) -> PublishMessage {
        PublishMessage::build()
            .payload(self.payload.clone())
            .message_id(&self.id)
            .header(HeaderName::from_static(EVENT_HEADER), self.name)
            .header(HeaderName::from_static(TraceParent::HEADER), self.trace.as_str())
    }
}

impl Bus {
    /// Appends facts in order, many on their way at once; the results stand in the same order. A repeat of an id
    /// that the server still knows has the revision of the first.
    ///
    /// An error leaves open whether the fact is on the stream: appending it again is safe, its id is the same.
    pub async fn publish_facts(
        &self,
        events: impl IntoIterator<Item = impl Borrow<v1::Event>>,
        trace: &TraceParent,
    ) -> Vec<Result<Revision, Error>> {
        let mut span = Span::append(stream::EVENTS, trace);
        let envelopes: Vec<_> = events.into_iter().map(|event| envelope(event.borrow(), span.trace())).collect();
        span.set("messaging.batch.message_count", i64::try_from(envelopes.len()).unwrap_or(i64::MAX));
        let done = self.append_all(envelopes).await;
        if done.iter().any(Result::is_err) {
            span.failed("append");
        }
        done
    }

    pub(crate) async fn append_all(&self, envelopes: Vec<Result<Envelope, Error>>) -> Vec<Result<Revision, Error>> {
        let deadline = Instant::now() + PATIENCE;
        let mut done: Vec<Option<Result<Revision, Error>>> = Vec::with_capacity(envelopes.len());
        let mut open = Vec::with_capacity(envelopes.len());
        for (at, envelope) in envelopes.into_iter().enumerate() {
            match envelope {
                Ok(envelope) => {
                    open.push((at, envelope));
                    done.push(None);
                }
                Err(error) => done.push(Some(Err(error))),
            }
        }
        let started = Instant::now();
        loop {
            let results = self.append_once(&open, deadline).await;
            for ((at, envelope), result) in open.iter().zip(results) {
                if result.is_ok() {
                    meter().events_appended.one([envelope.name]);
                }
                done[*at] = Some(result);
            }
            open.retain(|(at, _)| matches!(&done[*at], Some(Err(error)) if error.kind() != ErrorKind::Refused));
            if open.is_empty() || Instant::now() + PAUSE >= deadline {
                meter().append_seconds.took([], started.elapsed());
                return done.into_iter().flatten().collect();
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends all of them, one behind the other, and answers in the same order what became of each.
    async fn append_once(&self, open: &[(usize, Envelope)], deadline: Instant) -> Vec<Result<Revision, Error>> {
        let mut done = Vec::with_capacity(open.len());
        let mut sent = Sent { acks: VecDeque::with_capacity(open.len()), until: deadline };
        for (_, envelope) in open {
            let mut sending = pin!(self.0.jetstream.send_publish(envelope.subject.clone(), envelope.message()));
            // So many may be on their way at once, of all who append together. Whoever waits for a turn has to take in
            // what was acknowledged meanwhile: what nobody takes in counts as on its way for ever.
            let on_its_way = loop {
                tokio::select! {
                    biased;
                    on_its_way = &mut sending => break on_its_way,
                    Some(settled) = sent.next() => done.push(settled),
                }
            };
            sent.until = deadline.min(Instant::now() + REQUEST);
            sent.acks.push_back(match on_its_way {
                Ok(ack) => ack.into_future(),
                Err(error) => ready(Err(error)).boxed(),
            });
        }
        while let Some(settled) = sent.next().await {
            done.push(settled);
        }
        done
    }
}

/// What is on its way, in the order of sending. Acknowledgements come in this order, so that to wait for the first is
/// to wait for all: nobody has to be woken for each.
struct Sent {
    acks: VecDeque<BoxFuture<'static, Result<PublishAck, PublishError>>>,
    /// When those that have not come by then count as lost.
    until: Instant,
}

impl Sent {
    /// What became of the next; `None` when nothing is on its way. Whoever drops the future misses nothing.
    async fn next(&mut self) -> Option<Result<Revision, Error>> {
        let ack = timeout_at(self.until, self.acks.front_mut()?).await;
        self.acks.pop_front();
        let ack = ack.unwrap_or_else(|_| Err(PublishError::new(PublishErrorKind::TimedOut)));
        Some(ack.map(|ack| ack.sequence).map_err(|error| publish_error("appending", error)))
    }
}

fn envelope(event: &v1::Event, trace: &TraceParent) -> Result<Envelope, Error> {
    let kind = event.event.as_ref().ok_or_else(|| Error::unreadable("an event", "it holds nothing"))?;
    Ok(Envelope {
        subject: subject::of_event(event, kind),
        id: event.id.clone(),
        name: proto::event_name(kind),
        payload: event.encode_to_vec().into(),
        trace: trace.clone(),
    })
}
