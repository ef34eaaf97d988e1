//! Publishes with acknowledgements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::Context as _;
use async_nats::jetstream::message::PublishMessage;
use bus::{Bus, Recorded, TraceParent};
use bytes::Bytes;

use super::stream::{PREFIX, beside_events};

/// Publishes to a stream beside EVENTS what stands on EVENTS: the same bytes under the same headers, but each with a
/// message id of its own.
#[derive(Clone)]
pub(crate) struct Publisher {
    jetstream: async_nats::jetstream::Context,
    samples: Arc<Vec<Sample>>,
    published: Arc<AtomicU64>,
}

struct Sample {
    subject: String,
    name: &'static str,
    trace: String,
    payload: Bytes,
}

impl Publisher {
    /// Takes the first `samples` events for its own.
    pub(crate) async fn new(bus: &Bus, samples: usize) -> anyhow::Result<Publisher> {
        beside_events(bus).await?;
        let mut reader = bus.reader(0);
        let mut taken = Vec::with_capacity(samples);
        while taken.len() < samples {
            for recorded in reader.next().await {
                taken.push(sample(recorded)?);
            }
        }
        let published = Arc::new(AtomicU64::new(0));
        Ok(Publisher { jetstream: bus.jetstream().clone(), samples: Arc::new(taken), published })
    }

    /// `batches` times: publishes `size` messages, then waits for all their acknowledgements. So many batches `at_once`.
    pub(crate) async fn publish_all(&self, batches: usize, size: usize, at_once: usize) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (this, next) = (self.clone(), next.clone());
            tasks.spawn(async move {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= batches {
                        return anyhow::Ok(());
                    }
                    this.publish(nth * size, size).await?;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Publishes `size` messages from the `first`th on and waits for their acknowledgements.
    pub(crate) async fn publish(&self, first: usize, size: usize) -> anyhow::Result<()> {
        let mut acks = Vec::with_capacity(size);
        for nth in first..first + size {
            let sample = self.samples.get(nth % self.samples.len()).context("no samples")?;
            // As long as the ids of facts.
            let id = format!("{:032x}", self.published.fetch_add(1, Ordering::Relaxed));
            let message = PublishMessage::build()
                .payload(sample.payload.clone())
                .message_id(id)
                .header("Threadmark-Event", sample.name)
                .header(TraceParent::HEADER, sample.trace.as_str());
            acks.push(self.jetstream.send_publish(sample.subject.clone(), message).await?);
        }
        // They come in the order of sending: the first that is missing is the one to wait for, as ours does.
        for ack in acks {
            ack.await?;
        }
        Ok(())
    }
}

fn sample(recorded: Recorded) -> anyhow::Result<Sample> {
    let event = recorded.event()?;
    let kind = event.event.as_ref().context("an event that holds nothing")?;
    let partition = bus::partition(&event.workspace, &event.conversation);
    let place = format!("{}.{}.{}", event.workspace, event.conversation, proto::subject_kind(kind));
    Ok(Sample {
        subject: format!("{PREFIX}.{partition}.{place}"),
        name: proto::event_name(kind),
        trace: recorded.trace.context("an event without a trace")?.as_str().to_owned(),
        payload: recorded.payload,
    })
}
