//! Publishes with acknowledgements.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use async_nats::jetstream::message::PublishMessage;
use bus::Bus;
use bytes::Bytes;
use futures::future::try_join_all;

use super::stream::{PREFIX, beside_events};

/// Publishes to a stream beside EVENTS what stands on EVENTS.
#[derive(Clone)]
pub(crate) struct Publisher {
    jetstream: async_nats::jetstream::Context,
    samples: Arc<Vec<Sample>>,
}

struct Sample {
    subject: String,
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
                taken.push(Sample { subject: subject(&recorded.event()?), payload: recorded.payload });
            }
        }
        Ok(Publisher { jetstream: bus.jetstream().clone(), samples: Arc::new(taken) })
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
            let message = PublishMessage::build().payload(sample.payload.clone());
            acks.push(self.jetstream.send_publish(sample.subject.clone(), message).await?.into_future());
        }
        try_join_all(acks).await?;
        Ok(())
    }
}

/// Where an event would stand if the stream beside were EVENTS.
fn subject(event: &proto::v1::Event) -> String {
    let kind = event.event.as_ref().map_or("fact", proto::subject_kind);
    let partition = bus::partition(&event.workspace, &event.conversation);
    format!("{PREFIX}.{partition}.{}.{}.{kind}", event.workspace, event.conversation)
}
