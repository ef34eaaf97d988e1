//! Webhooks through our HTTP, beside bare publishing of the same bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use bus::Bus;
use bytes::Bytes;
use futures::future::try_join_all;
use ingest::{HttpOptions, Intake};
use service::Shutdown;
use tokio::sync::Mutex;
use tokio::sync::mpsc;

use super::{Bench, round};
use crate::bare::publish::Publisher;
use crate::load::http::Connection;
use crate::load::pace::steadily;
use crate::load::webhook::{self, Webhooks};
use crate::measure::{Latencies, Pairs, ROUNDS, rate};
use crate::table::{Line, Table, Target, Unit};

const SPEED: &str =
    "webhook items/s of 1,000 customers, beside bare publishing of the same messages with acks, in the same windows";
const WAITING: &str = "answer to a webhook of 1 item at 500/s, beside bare publish and ack of the same message";
const CUSTOMERS: u64 = 1_000;
/// Events whose bytes the bare side repeats.
const SAMPLES: usize = 1_000;
/// Requests at once: few large ones, many small ones. Both stay below what ingest lets in at once.
const SMALL_AT_ONCE: usize = 48;
const LARGE_AT_ONCE: usize = 16;
/// Requests a second for latency: a fraction of what one core takes.
const RATE: u32 = 500;

/// Ingest on a free port.
pub(crate) async fn serve(bus: &Bus, shutdown: &Shutdown) -> anyhow::Result<SocketAddr> {
    let workspaces = [(webhook::WORKSPACE.to_owned(), Default::default())].into();
    let http = HttpOptions::default();
    let options =
        ingest::Options { channels: vec![webhook::channel()], workspaces, media_directory: None, http: http.clone() };
    let intake = Intake::new(bus.clone(), options);
    let webhooks = ingest::Webhooks::bind(SocketAddr::from(([127, 0, 0, 1], 0)), intake, http).await?;
    let address = webhooks.address()?;
    tokio::spawn(webhooks.serve(shutdown.clone()));
    Ok(address)
}

/// Items a second.
pub(crate) async fn speed(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let stage = Stage::set(bench).await?;
    let mut webhooks = stage.webhooks;
    let small = (1, bench.count(20_000, 5_000), SMALL_AT_ONCE);
    let large = (100, bench.count(600, 150), LARGE_AT_ONCE);
    for (items, count, at_once) in [small, large] {
        let mut pairs = Pairs::default();
        for nth in 0..=ROUNDS {
            bench.say(&format!("webhook: bodies of {items}, round {nth} of {ROUNDS}"));
            let requests = webhooks.requests(count, items);
            let connections = Connection::open_all(stage.address, at_once).await?;
            let started = Instant::now();
            round(send_all(connections, requests)).await?;
            let ours = rate(count * items, started.elapsed());
            let started = Instant::now();
            round(stage.bare.publish_all(count, items, at_once)).await?;
            // Round 0 warms both up.
            if nth > 0 {
                pairs.push(ours, rate(count * items, started.elapsed()));
            }
        }
        let line = Line::beside(SPEED, format!("bodies of {items}, {at_once} at once"), Unit::PerSecond, &pairs);
        table.push(if items == 100 { line.target(Target::RatioFrom(0.7)) } else { line });
    }
    stage.shutdown.begin();
    Ok(())
}

/// How long an answer takes.
pub(crate) async fn ack(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let stage = Stage::set(bench).await?;
    let mut webhooks = stage.webhooks;
    let count = bench.count(2_500, 800);
    let (mut halves, mut tails) = (Pairs::default(), Pairs::default());
    for nth in 0..=ROUNDS {
        bench.say(&format!("ack: round {nth} of {ROUNDS}"));
        let ours = round(answers(stage.address, webhooks.requests(count, 1))).await?;
        let bare = stage.bare.clone();
        let bare = round(steadily(RATE, count, |nth| {
            let bare = bare.clone();
            async move { bare.publish(nth, 1).await }
        }))
        .await?;
        if nth > 0 {
            halves.push(ours.percentile(50), bare.percentile(50));
            tails.push(ours.percentile(99), bare.percentile(99));
        }
    }
    table.push(Line::beside(WAITING, "p50", Unit::Milliseconds, &halves));
    table.push(Line::beside(WAITING, "p99", Unit::Milliseconds, &tails).target(Target::RatioTo(3.0)));
    stage.shutdown.begin();
    Ok(())
}

/// Ingest and the bare publisher, side by side; every customer is known already.
struct Stage {
    _server: testkit::NatsServer,
    shutdown: Shutdown,
    address: SocketAddr,
    bare: Publisher,
    webhooks: Webhooks,
}

impl Stage {
    async fn set(bench: &Bench) -> anyhow::Result<Stage> {
        let (server, bus) = bench.server().await?;
        let shutdown = Shutdown::new();
        let address = serve(&bus, &shutdown).await?;
        let mut webhooks = Webhooks::new(CUSTOMERS);
        let customers: Vec<u64> = (0..CUSTOMERS).collect();
        let first = customers.chunks(100).map(|customers| webhooks.of_customers(customers)).collect();
        round(send_all(Connection::open_all(address, 1).await?, first)).await?;
        let bare = Publisher::new(&bus, SAMPLES).await?;
        Ok(Stage { _server: server, shutdown, address, bare, webhooks })
    }
}

/// Sends every request, one after the other on each connection.
async fn send_all(connections: Vec<Connection>, requests: Vec<Bytes>) -> anyhow::Result<()> {
    let requests = Arc::new(std::sync::Mutex::new(requests.into_iter()));
    let send = connections.into_iter().map(|mut connection| {
        let requests = requests.clone();
        tokio::spawn(async move {
            loop {
                let request = requests.lock().ok().and_then(|mut requests| requests.next());
                let Some(request) = request else { return anyhow::Ok(()) };
                connection.send(&request).await?;
            }
        })
    });
    try_join_all(send).await?.into_iter().collect()
}

/// Sends requests at a steady rate on connections that stay open.
async fn answers(address: SocketAddr, requests: Vec<Bytes>) -> anyhow::Result<Latencies> {
    let count = requests.len();
    let (give_back, free) = mpsc::unbounded_channel();
    for connection in Connection::open_all(address, SMALL_AT_ONCE).await? {
        give_back.send(connection).ok().context("nobody takes connections")?;
    }
    let free = Arc::new(Mutex::new(free));
    steadily(RATE, count, |nth| {
        let (free, give_back, request) = (free.clone(), give_back.clone(), requests[nth].clone());
        async move {
            let mut connection = free.lock().await.recv().await.context("no connection is free")?;
            connection.send(&request).await?;
            // The last ones are given back to nobody.
            let _ = give_back.send(connection);
            Ok(())
        }
    })
    .await
}
