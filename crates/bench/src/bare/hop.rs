//! A consumer that publishes something for each message that comes, and whoever hears of it.

use std::time::Instant;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use bus::Bus;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;

use super::stream::{PREFIX, beside_events};
use crate::load::watcher::Seen;

/// About the size of an event with a sentence.
const PAYLOAD: Bytes = Bytes::from_static(&[7; 500]);
/// Messages worked on at once, and published without an answer yet: as many as ours lets be.
const AT_ONCE: usize = 2_000;

/// Whoever publishes first.
pub(crate) struct Hop {
    jetstream: async_nats::jetstream::Context,
}

impl Hop {
    /// All of it: what comes through is told by the sequence of the first message.
    pub(crate) async fn start(bus: &Bus, url: &str) -> anyhow::Result<(Hop, Seen)> {
        let stream = beside_events(bus).await?;
        let (incoming, outgoing) = (format!("{PREFIX}.hop.in"), format!("{PREFIX}.hop.out"));
        let config = pull::Config {
            ack_policy: AckPolicy::Explicit,
            filter_subject: incoming,
            max_ack_pending: AT_ONCE as i64,
            ..pull::Config::default()
        };
        let messages = stream.create_consumer(config).await?.messages().await?;
        let client = async_nats::connect(url).await?;
        let mut heard = client.subscribe(outgoing.clone()).await?;
        client.flush().await?;
        let (sender, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = heard.next().await {
                let (at, key) = (Instant::now(), String::from_utf8_lossy(&message.payload).into_owned());
                if sender.send(Ok((key, at))).is_err() {
                    return;
                }
            }
        });
        let jetstream = bus.jetstream().clone();
        let publish = jetstream.clone();
        tokio::spawn(messages.map_err(anyhow::Error::from).try_for_each_concurrent(AT_ONCE, move |message| {
            let (jetstream, subject) = (publish.clone(), outgoing.clone());
            async move {
                let info = message.info().map_err(|error| anyhow::anyhow!(error))?;
                let key = info.stream_sequence.to_string();
                jetstream.publish(subject, key.into()).await?.await?;
                message.ack_with(AckKind::Ack).await.map_err(|error| anyhow::anyhow!(error))
            }
        }));
        Ok((Hop { jetstream }, seen))
    }

    /// Publishes one. Its sequence, and when it started.
    pub(crate) async fn send(&self) -> anyhow::Result<(String, Instant)> {
        let started = Instant::now();
        let ack = self.jetstream.publish(format!("{PREFIX}.hop.in"), PAYLOAD).await?.await?;
        Ok((ack.sequence.to_string(), started))
    }

    /// Publishes so many as fast as can be, and returns once all are through.
    pub(crate) async fn send_all(&self, count: usize, seen: &mut Seen) -> anyhow::Result<()> {
        let sending = futures::stream::iter(0..count).map(|_| self.send()).buffer_unordered(AT_ONCE);
        let waiting = async {
            for _ in 0..count {
                anyhow::ensure!(seen.recv().await.is_some(), "nobody listens any more");
            }
            anyhow::Ok(())
        };
        tokio::try_join!(sending.try_for_each(async |_| Ok(())), waiting)?;
        Ok(())
    }
}
