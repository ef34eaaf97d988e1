//! Fills EVENTS with history.

use std::collections::VecDeque;
use std::future::IntoFuture as _;

use anyhow::ensure;
use async_nats::jetstream::message::PublishMessage;
use bus::{Bus, TraceParent};

use super::history::History;

/// Appends on their way at once; the bus lets twice as many.
const WINDOW: usize = 2_000;

/// EVENTS, filled as far as was asked for.
pub(crate) struct Log {
    bus: Bus,
    history: History,
    revision: u64,
}

impl Log {
    /// An empty EVENTS that will hold at most so many events.
    pub(crate) async fn begin(bus: &Bus, events: u64) -> anyhow::Result<Log> {
        ensure!(bus.events_info().await?.state.last_sequence == 0, "EVENTS is not empty");
        Ok(Log { bus: bus.clone(), history: History::new(bus, events).await?, revision: 0 })
    }

    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// The newest event.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Appends until there are so many events, or the year is over. `say` hears how many there are.
    pub(crate) async fn grow(&mut self, events: u64, say: impl Fn(u64)) -> anyhow::Result<()> {
        let trace = TraceParent::start();
        let mut acks = VecDeque::with_capacity(WINDOW);
        while self.revision < events {
            let Some(ready) = self.history.next()? else { break };
            let message = PublishMessage::build()
                .payload(ready.payload)
                .header("Threadmark-Event", ready.name)
                .header(TraceParent::HEADER, trace.as_str());
            self.revision += 1;
            acks.push_back((self.revision, self.bus.jetstream().send_publish(ready.subject, message).await?));
            if acks.len() == WINDOW {
                settle(acks.pop_front()).await?;
            }
            if self.revision.is_multiple_of(50_000) {
                say(self.revision);
            }
        }
        while !acks.is_empty() {
            settle(acks.pop_front()).await?;
        }
        Ok(())
    }
}

/// History knows the place of each event beforehand: it has to be that one.
async fn settle(ack: Option<(u64, async_nats::jetstream::context::PublishAckFuture)>) -> anyhow::Result<()> {
    let Some((revision, ack)) = ack else { return Ok(()) };
    let stood = ack.into_future().await?.sequence;
    ensure!(stood == revision, "event {revision} of the history became number {stood}");
    Ok(())
}
