//! Load at a steady rate: what is slow does not keep the next from being sent.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::measure::Latencies;

/// Starts `count` pieces of work at `rate` a second and returns how long each took.
pub(crate) async fn steadily<F>(rate: u32, count: usize, mut work: impl FnMut(usize) -> F) -> anyhow::Result<Latencies>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut tasks = JoinSet::new();
    for nth in 0..count {
        ticks.tick().await;
        let work = work(nth);
        let started = Instant::now();
        tasks.spawn(async move {
            work.await?;
            anyhow::Ok(started.elapsed())
        });
    }
    let mut latencies = Latencies::default();
    while let Some(done) = tasks.join_next().await {
        latencies.push(done??);
    }
    Ok(latencies)
}
