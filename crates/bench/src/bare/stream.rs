//! A stream beside ours.

use async_nats::jetstream::stream::{Config, Stream};
use bus::Bus;

/// Its subjects begin with this.
pub(crate) const PREFIX: &str = "bare";

/// A stream with every setting of EVENTS, but its name and subjects.
pub(crate) async fn beside_events(bus: &Bus) -> anyhow::Result<Stream> {
    let events = bus.events_info().await?.config;
    let config = Config { name: "BARE".to_owned(), subjects: vec![format!("{PREFIX}.>")], ..events };
    Ok(bus.jetstream().get_or_create_stream(config).await?)
}
