//! Trying twenty rules on a recorded past, beside reading it and doing nothing.

use std::time::Instant;

use anyhow::ensure;

use super::{Bench, round};
use crate::bare::fetch::fetch;
use crate::load::history::{BEGIN, WORKSPACE, YEAR};
use crate::load::log::Log;
use crate::load::rules::{Rules, twenty};
use crate::measure::{Pairs, ROUNDS, rate};
use crate::table::{Line, Table, Target, Unit};

const SECTION: &str = "backtest events/s with 20 rules, beside a bare fetch(500) loop over the same stream";
/// What is asked of it, in events a second.
const LEAST: f64 = 100_000.0;

/// Stories that begin in the year end within so much after it, in nanoseconds.
const LAST: i64 = 3 * 24 * 3600 * 1_000_000_000;

/// Events a second.
pub(crate) async fn measure(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let (server, bus) = bench.server().await?;
    let events = bench.count(300_000, 60_000) as u64;
    let mut log = Log::begin(&bus, events).await?;
    log.grow(events, |done| bench.say(&format!("backtest: event {done} of {events}"))).await?;
    let engine = Rules::serve(&bus, &server.url(), &[WORKSPACE]).await?;
    let count = usize::try_from(log.revision())?;
    let mut pairs = Pairs::default();
    for nth in 0..=ROUNDS {
        bench.say(&format!("backtest: round {nth} of {ROUNDS}"));
        let started = Instant::now();
        round(fetch(&bus, log.revision())).await?;
        let bare = rate(count, started.elapsed());
        let started = Instant::now();
        let read = round(engine.backtest(WORKSPACE, &twenty(), BEGIN.0..BEGIN.0 + YEAR + LAST)).await?;
        ensure!(read == log.revision(), "{read} of {count} events were read");
        // Round 0 warms both up.
        if nth > 0 {
            pairs.push(rate(count, started.elapsed()), bare);
        }
    }
    table.push(Line::beside(SECTION, "20 rules", Unit::PerSecond, &pairs).target(Target::From(LEAST)));
    engine.stop().await;
    Ok(())
}
