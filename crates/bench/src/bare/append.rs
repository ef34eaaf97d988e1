//! Reads the last message of a subject and appends the next under the expected sequence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use bus::Bus;
use bytes::Bytes;

use super::stream::{PREFIX, beside_events};

/// Appends to a stream beside EVENTS.
#[derive(Clone)]
pub(crate) struct Appender {
    jetstream: async_nats::jetstream::Context,
    stream: Arc<Stream>,
}

impl Appender {
    pub(crate) async fn new(bus: &Bus) -> anyhow::Result<Appender> {
        Ok(Appender { jetstream: bus.jetstream().clone(), stream: Arc::new(beside_events(bus).await?) })
    }

    /// The `n`th append has `sizes[n]` bytes and goes to the subject of `keys[n]`; `writers` take them in turn.
    pub(crate) async fn append_all(
        &self,
        keys: Arc<Vec<usize>>,
        sizes: Arc<Vec<usize>>,
        writers: usize,
    ) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..writers {
            let (this, keys, sizes, next) = (self.clone(), keys.clone(), sizes.clone(), next.clone());
            tasks.spawn(async move {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(key), Some(size)) = (keys.get(nth), sizes.get(nth)) else { return anyhow::Ok(()) };
                    this.append(*key, *size).await?;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn append(&self, key: usize, size: usize) -> anyhow::Result<()> {
        let subject = format!("{PREFIX}.decision.{key}");
        let payload = Bytes::from(vec![7; size]);
        loop {
            let last = match self.stream.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => message.sequence,
                Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => 0,
                Err(error) => return Err(error.into()),
            };
            let message = PublishMessage::build().payload(payload.clone()).expected_last_subject_sequence(last);
            let sent = self.jetstream.send_publish(subject.clone(), message).await?;
            match sent.await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
