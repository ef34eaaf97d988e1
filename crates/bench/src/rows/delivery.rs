//! Sends a second through the whole delivery, and posts a second to who subscribed, beside a bare HTTP client.

use super::{Bench, round};
use crate::load::hooks::Posting;
use crate::load::sends::Sending;
use crate::measure::{Pairs, ROUNDS};
use crate::table::{Line, Table, Target, Unit};

const SENDS: &str = "sends/s to an API that answers after 50 ms, delivery.per_second raised to its most, beside a bare \
                     HTTP client with the same calls, one at once for each recipient";
const UPGRADED: &str = "the same at delivery.per_second = 1000, the most that the channel allows a number";
const POSTS: &str =
    "webhook posts/s, signed, from the log, beside bare posts of the same bytes, 16 at once for each endpoint";
/// The most that can be configured: no limit.
const MOST: u32 = 100_000;
/// Of a number that the channel has upgraded.
const UPGRADED_RATE: u32 = 1_000;
/// A send may take one and a half times as long as a bare call.
const OVERHEAD: f64 = 0.67;

/// Sends a second.
pub(crate) async fn sends(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    for (recipients, count) in [(1, (80, 30)), (10, (800, 300)), (1_000, (8_000, 3_000))] {
        let what = if recipients == 1 { "1 recipient".to_owned() } else { format!("{recipients} recipients") };
        let pairs = compared(bench, &what, recipients, bench.count(count.0, count.1), MOST).await?;
        table.push(Line::beside(SENDS, what, Unit::PerSecond, &pairs).target(Target::RatioFrom(OVERHEAD)));
    }
    let pairs = compared(bench, "1,000/s", 1_000, bench.count(8_000, 3_000), UPGRADED_RATE).await?;
    let line = Line::alone(UPGRADED, "1000 recipients", Unit::PerSecond, pairs.ours());
    table.push(line.target(Target::From(f64::from(UPGRADED_RATE) * OVERHEAD)));
    Ok(())
}

async fn compared(bench: &Bench, what: &str, recipients: usize, count: usize, most: u32) -> anyhow::Result<Pairs> {
    let (_server, bus) = bench.server().await?;
    let mut sending = Sending::start(&bus, recipients, most).await?;
    let mut pairs = Pairs::default();
    for nth in 0..=ROUNDS {
        bench.say(&format!("delivery: {what}, round {nth} of {ROUNDS}"));
        round(sending.say(count)).await?;
        let ours = round(sending.deliver(count)).await?;
        let bare = round(sending.calls(count).make(recipients)).await?;
        // Round 0 warms both up.
        if nth > 0 {
            pairs.push(ours, bare);
        }
    }
    Ok(pairs)
}

/// Posts a second.
pub(crate) async fn posts(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    for (endpoints, count) in [(1, (4_000, 1_000)), (10, (1_000, 200))] {
        let what = if endpoints == 1 { "1 endpoint".to_owned() } else { format!("{endpoints} endpoints") };
        let (_server, bus) = bench.server().await?;
        let mut posting = Posting::start(&bus, endpoints).await?;
        let count = bench.count(count.0, count.1);
        let mut pairs = Pairs::default();
        for nth in 0..=ROUNDS {
            bench.say(&format!("webhooks: {what}, round {nth} of {ROUNDS}"));
            let ours = round(posting.post(count)).await?;
            let bare = round(posting.bare()).await?;
            if nth > 0 {
                pairs.push(ours, bare);
            }
        }
        posting.stop().await;
        table.push(Line::beside(POSTS, what, Unit::PerSecond, &pairs));
    }
    Ok(())
}
