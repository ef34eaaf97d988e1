//! Building the view from the log, beside reading the log and doing nothing.

use std::time::{Duration, Instant};

use anyhow::ensure;
use bus::Bus;
use projection::{Engine, Projection};
use service::{Shutdown, Supervisor};

use super::{Bench, round};
use crate::bare::fetch::fetch;
use crate::load::history::WORKSPACE;
use crate::measure::{Pairs, ROUNDS, rate};
use crate::table::{Line, Table, Target, Unit};
use crate::view::options;

const SECTION: &str = "rebuild events/s, beside a bare fetch(500) loop over the same stream";

/// How often a view is asked how far it has come: it costs nothing, and no round is this short.
const POLL: Duration = Duration::from_millis(1);

/// Builds views of the first `events` events.
pub(crate) async fn measure(bench: &Bench, bus: &Bus, events: u64, table: &mut Table) -> anyhow::Result<()> {
    let count = usize::try_from(events)?;
    let (mut sled, mut fjall) = (Pairs::default(), Pairs::default());
    round(fetch(bus, events)).await?;
    for nth in 1..=ROUNDS {
        let started = Instant::now();
        round(fetch(bus, events)).await?;
        let bare = rate(count, started.elapsed());
        for (engine, pairs) in [(Engine::Fjall, &mut fjall), (Engine::Sled, &mut sled)] {
            bench.say(&format!("rebuild: {engine}, round {nth} of {ROUNDS}"));
            pairs.push(rate(count, round(build(bus, engine, events)).await?), bare);
        }
    }
    table.push(Line::beside(SECTION, "fjall", Unit::PerSecond, &fjall).target(Target::RatioFrom(0.3)));
    table.push(Line::beside(SECTION, "sled", Unit::PerSecond, &sled));
    Ok(())
}

/// How long it takes to build a view of the first `events` events.
async fn build(bus: &Bus, engine: Engine, events: u64) -> anyhow::Result<Duration> {
    let dir = tempfile::Builder::new().prefix("threadmark-bench-").tempdir()?;
    let projection = Projection::open(bus.clone(), options(dir.path(), engine, WORKSPACE)?).await?;
    let supervisor = Supervisor::new(Shutdown::new());
    let started = Instant::now();
    projection.start(&supervisor);
    while projection.applied() < events {
        tokio::time::sleep(POLL).await;
    }
    let took = started.elapsed();
    supervisor.shutdown().begin();
    ensure!(supervisor.finish().await, "the view did not end");
    Ok(took)
}
