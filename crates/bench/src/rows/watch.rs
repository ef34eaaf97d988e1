//! From a webhook to whoever watches the timeline, beside the way through a bare stream.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use projection::Engine;
use service::Shutdown;
use tokio::time::MissedTickBehavior;

use super::{Bench, round, webhook};
use crate::bare::relay::Relay;
use crate::child::View;
use crate::load::http::Connection;
use crate::load::watcher::{Seen, watch_all};
use crate::load::webhook::{WORKSPACE, Webhooks};
use crate::measure::{Latencies, Pairs, ROUNDS};
use crate::table::{Line, Table, Unit};

const SECTION: &str = "webhook to WatchTimeline at 200/s, beside a bare publish to a bare consumer";
/// Chats, each watched by somebody.
const CHATS: u64 = 20;
/// Messages a second.
const RATE: u32 = 200;
/// What has not come through by then is lost.
const LATEST: Duration = Duration::from_secs(30);

pub(crate) async fn measure(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    for engine in [Engine::Sled, Engine::Fjall] {
        let (halves, tails) = measure_engine(bench, engine).await?;
        table.push(Line::beside(SECTION, format!("{engine}, p50"), Unit::Milliseconds, &halves));
        table.push(Line::beside(SECTION, format!("{engine}, p99"), Unit::Milliseconds, &tails));
    }
    Ok(())
}

async fn measure_engine(bench: &Bench, engine: Engine) -> anyhow::Result<(Pairs, Pairs)> {
    let (server, bus) = bench.server().await?;
    let shutdown = Shutdown::new();
    let address = webhook::serve(&bus, &shutdown).await?;
    let mut view = View::start(&server.url(), engine, WORKSPACE).await?;
    let mut webhooks = Webhooks::new(CHATS);
    let mut connection = Connection::open(address).await?;
    connection.send(&webhooks.of_customers(&(0..CHATS).collect::<Vec<_>>())).await?;
    view.catch_up(CHATS, |_| {}).await?;
    let mut watched = watch_all(view.channel(), WORKSPACE).await?;
    let (relay, mut relayed) = Relay::start(&bus).await?;

    let count = bench.count(1_000, 300);
    let (mut halves, mut tails) = (Pairs::default(), Pairs::default());
    for nth in 0..=ROUNDS {
        bench.say(&format!("watch: {engine}, round {nth} of {ROUNDS}"));
        let send = async || {
            let request = webhooks.requests(1, 1).remove(0);
            let started = Instant::now();
            connection.send(&request).await?;
            Ok((webhooks.last_id(), started))
        };
        let ours = round(travel(count, &mut watched, send)).await.context("ours")?;
        let bare = round(travel(count, &mut relayed, async || relay.send().await)).await.context("bare")?;
        // Round 0 warms both up.
        if nth > 0 {
            halves.push(ours.percentile(50), bare.percentile(50));
            tails.push(ours.percentile(99), bare.percentile(99));
        }
    }
    shutdown.begin();
    Ok((halves, tails))
}

/// How long each of `count` took from its start until it was seen. `send` says its key, and when it started.
pub(super) async fn travel(
    count: usize,
    seen: &mut Seen,
    mut send: impl AsyncFnMut() -> anyhow::Result<(String, Instant)>,
) -> anyhow::Result<Latencies> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut started = HashMap::with_capacity(count);
    for _ in 0..count {
        ticks.tick().await;
        let (key, at) = send().await?;
        started.insert(key, at);
    }
    let mut latencies = Latencies::default();
    while !started.is_empty() {
        let next = tokio::time::timeout(LATEST, seen.recv()).await;
        let next = next.with_context(|| format!("{} of {count} never came through", started.len()))?;
        let (key, at) = next.context("whoever watched has ended")??;
        // What was sent to warm up is not waited for.
        if let Some(started) = started.remove(&key) {
            latencies.push(at.duration_since(started));
        }
    }
    Ok(latencies)
}
