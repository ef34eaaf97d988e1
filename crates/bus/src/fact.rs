//! Appending facts: many on their way at once, each tried again until the server has it or patience ends.

use std::borrow::Borrow;
use std::pin::pin;
use std::time::Duration;

use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use conversation::Revision;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use prost::Message;
use proto::v1;
use tokio::time::Instant;

use crate::connect::PATIENCE;
use crate::error::publish_error;
use crate::{Bus, Error, ErrorKind, TraceParent, subject};

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
            .header(EVENT_HEADER, self.name)
            .header(TraceParent::HEADER, self.trace.as_str())
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
        let envelopes = events.into_iter().map(|event| envelope(event.borrow(), trace)).collect();
        self.append_all(envelopes).await
    }

    pub(crate) async fn append_all(&self, envelopes: Vec<Result<Envelope, Error>>) -> Vec<Result<Revision, Error>> {
        let deadline = Instant::now() + PATIENCE;
        let mut done = Vec::with_capacity(envelopes.len());
        let mut sent = FuturesOrdered::new();
        for envelope in envelopes {
            let mut sending = pin!(async {
                let envelope = envelope?;
                let ack = self.send(&envelope).await;
                Ok((envelope, ack))
            });
            // So many may be on their way at once, of all who append together. Whoever waits for a turn has to take in
            // what was acknowledged meanwhile: what nobody takes in counts as on its way for ever.
            let on_its_way = loop {
                tokio::select! {
                    biased;
                    on_its_way = &mut sending => break on_its_way,
                    Some(settled) = sent.next(), if !sent.is_empty() => done.push(settled),
                }
            };
            sent.push_back(async move {
                let (envelope, ack) = on_its_way?;
                self.settle(&envelope, ack, deadline).await
            });
        }
        while let Some(settled) = sent.next().await {
            done.push(settled);
        }
        done
    }

    async fn send(&self, envelope: &Envelope) -> Result<PublishAckFuture, Error> {
        let sent = self.0.jetstream.send_publish(envelope.subject.clone(), envelope.message()).await;
        sent.map_err(|error| publish_error("appending", error))
    }

    /// Waits for the acknowledgement, and sends again while that may help.
    async fn settle(
        &self,
        envelope: &Envelope,
        mut ack: Result<PublishAckFuture, Error>,
        deadline: Instant,
    ) -> Result<Revision, Error> {
        loop {
            let error = match ack {
                Ok(ack) => match ack.await {
                    Ok(ack) => return Ok(ack.sequence),
                    Err(error) => publish_error("appending", error),
                },
                Err(error) => error,
            };
            if error.kind() == ErrorKind::Refused || Instant::now() + PAUSE >= deadline {
                return Err(error);
            }
            tokio::time::sleep(PAUSE).await;
            ack = self.send(envelope).await;
        }
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
