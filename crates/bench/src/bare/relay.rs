//! A publisher and a consumer of one stream, with nothing between them.

use std::time::Instant;

use anyhow::anyhow;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::MessagesError;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use bus::Bus;
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::stream::{PREFIX, beside_events};
use crate::load::watcher::Seen;

/// About the size of an event with a sentence.
const PAYLOAD: Bytes = Bytes::from_static(&[7; 500]);

/// The publisher.
pub(crate) struct Relay {
    jetstream: async_nats::jetstream::Context,
}

impl Relay {
    /// Both of them: what comes through is told by its sequence.
    pub(crate) async fn start(bus: &Bus) -> anyhow::Result<(Relay, Seen)> {
        let stream = beside_events(bus).await?;
        let config = pull::Config { ack_policy: AckPolicy::None, ..pull::Config::default() };
        let mut messages = stream.create_consumer(config).await?.messages().await?;
        let (sender, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let at = Instant::now();
                if sender.send(sequence(message).map(|sequence| (sequence, at))).is_err() {
                    return;
                }
            }
        });
        Ok((Relay { jetstream: bus.jetstream().clone() }, seen))
    }

    /// Publishes one. Its sequence, and when it started.
    pub(crate) async fn send(&self) -> anyhow::Result<(String, Instant)> {
        let started = Instant::now();
        let ack = self.jetstream.publish(format!("{PREFIX}.relay"), PAYLOAD).await?.await?;
        Ok((ack.sequence.to_string(), started))
    }
}

fn sequence(message: Result<Message, MessagesError>) -> anyhow::Result<String> {
    let message = message?;
    let info = message.info().map_err(|error| anyhow!(error))?;
    Ok(info.stream_sequence.to_string())
}
