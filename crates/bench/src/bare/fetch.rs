//! Reads a stream with `fetch(500)` and does nothing with it.

use anyhow::{Context as _, ensure};
use async_nats::jetstream::consumer::{AckPolicy, pull};
use bus::Bus;
use futures::StreamExt as _;

/// Messages asked for at once.
const FETCH: usize = 500;

/// Reads the first `count` events of EVENTS.
pub(crate) async fn fetch(bus: &Bus, count: u64) -> anyhow::Result<()> {
    let config = pull::Config { ack_policy: AckPolicy::None, ..pull::Config::default() };
    let consumer = bus.jetstream().create_consumer_on_stream(config, "EVENTS").await?;
    let mut seen = 0;
    while seen < count {
        let mut batch = consumer.fetch().max_messages(FETCH).messages().await?;
        let before = seen;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| anyhow::anyhow!(error)).context("fetching")?;
            ensure!(!message.payload.is_empty(), "an empty event");
            seen += 1;
        }
        ensure!(seen > before, "the stream ended after {seen} of {count}");
    }
    Ok(())
}
