//! The rows that need a long log: it grows step by step, and what is measured at each length is measured there.

use anyhow::Context as _;
use bus::Bus;
use projection::Engine;
use testkit::NatsServer;

use super::{Bench, queries, rebuild};
use crate::arguments::Row;
use crate::child::View;
use crate::load::history::WORKSPACE;
use crate::load::log::Log;
use crate::table::{Line, Table, Target, Unit};

const MEMORY: &str = "the view in a process of its own: most memory resident so far, and disk";

/// How long the log is at each step.
struct Lengths {
    first: u64,
    rebuild: u64,
    second: u64,
    all: u64,
}

pub(crate) async fn measure(bench: &Bench, rows: &[Row], table: &mut Table) -> anyhow::Result<()> {
    let lengths = if bench.quick {
        Lengths { first: 10_000, rebuild: 40_000, second: 100_000, all: 500_000 }
    } else {
        Lengths { first: 100_000, rebuild: 300_000, second: 1_000_000, all: 5_000_000 }
    };
    let (memory, queries) = (rows.contains(&Row::Memory), rows.contains(&Row::Queries));
    let mut stage = Stage::set(bench, if memory || queries { lengths.all } else { lengths.rebuild }).await?;
    if memory {
        stage.start(Engine::Sled).await?;
    }
    if memory || queries {
        stage.start(Engine::Fjall).await?;
    }
    if memory {
        stage.grow(lengths.first).await?;
        stage.weigh(table).await?;
    }
    if rows.contains(&Row::Rebuild) {
        stage.grow(lengths.rebuild).await?;
        rebuild::measure(bench, &stage.bus, stage.log.revision(), table).await.context("rebuild")?;
    }
    if memory {
        stage.grow(lengths.second).await?;
        stage.weigh(table).await?;
        stage.views.retain(|(engine, _)| *engine == Engine::Fjall);
    }
    if memory || queries {
        stage.grow(lengths.all).await?;
    }
    if memory {
        stage.weigh(table).await?;
    }
    if queries {
        let (_, view) = stage.views.last().context("no view")?;
        queries::measure(bench, view.channel(), stage.log.history(), table).await.context("queries")?;
    }
    Ok(())
}

struct Stage<'a> {
    bench: &'a Bench,
    // The views before the server that they read from, because fields are dropped in this order.
    views: Vec<(Engine, View)>,
    log: Log,
    bus: Bus,
    server: NatsServer,
}

impl Stage<'_> {
    async fn set(bench: &Bench, events: u64) -> anyhow::Result<Stage<'_>> {
        bench.say("history: making the keys of its chats");
        let (server, bus) = bench.server().await?;
        let log = Log::begin(&bus, events).await?;
        Ok(Stage { bench, views: Vec::new(), log, bus, server })
    }

    async fn start(&mut self, engine: Engine) -> anyhow::Result<()> {
        self.views.push((engine, View::start(&self.server.url(), engine, WORKSPACE).await?));
        Ok(())
    }

    /// Lets the log grow and every view follow.
    async fn grow(&mut self, events: u64) -> anyhow::Result<()> {
        let bench = self.bench;
        self.log.grow(events, |done| bench.say(&format!("history: event {done} of {events}"))).await?;
        for (engine, view) in &mut self.views {
            let say = |done| bench.say(&format!("history: {engine} has applied {done} of {events}"));
            view.catch_up(self.log.revision(), say).await.with_context(|| engine.to_string())?;
        }
        Ok(())
    }

    async fn weigh(&self, table: &mut Table) -> anyhow::Result<()> {
        let events = self.log.revision();
        for (engine, view) in &self.views {
            let (resident, disk) = (view.peak_resident()?, view.disk().await?);
            let what = |what: &str| format!("{engine}, {}: {what}", short(events));
            let line = Line::alone(MEMORY, what("resident"), Unit::Megabytes, resident);
            // sled is for installations up to a million events.
            let most = if *engine == Engine::Sled { 500.0 } else { 400.0 };
            table.push(line.target(Target::To(most)));
            let per_million = disk / events as f64 * 1e6;
            table.push(Line::alone(MEMORY, what("disk per million"), Unit::Megabytes, per_million));
        }
        Ok(())
    }
}

/// A round number of events.
fn short(events: u64) -> String {
    if events >= 1_000_000 {
        format!("{} M events", events / 1_000_000)
    } else {
        format!("{} k events", events / 1_000)
    }
}
