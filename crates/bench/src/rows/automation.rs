//! Rules: how many events a second, and how long until one has decided, beside a bare hop over a stream.

use std::time::Instant;

use anyhow::Context as _;
use bus::TraceParent;

use super::watch::travel;
use super::{Bench, round};
use crate::bare::hop::Hop;
use crate::load::rules::{Customers, Rules, decided, rules};
use crate::measure::{Pairs, ROUNDS, rate};
use crate::table::{Line, Table, Target, Unit};

const SPEED: &str =
    "events/s through rules of one trigger, none of which applies, beside a bare publish-consume-publish";
const MATCHING: &str = "events/s through 1,000 rules of which 5 decide something, beside 10 rules of which 5 do";
const REACTION: &str = "from a message to the decision of a rule at 200/s, beside a bare publish-consume-publish";
/// Rules in a workspace, and how many of them apply.
const SETS: [(&str, usize, usize); 5] =
    [("of-1", 1, 0), ("of-100", 100, 0), ("of-1000", 1_000, 0), ("five-of-10", 10, 5), ("five-of-1000", 1_000, 5)];
/// 1,000 rules of which 5 apply may cost three times as much as 10 of which 5 do.
const THIRD: f64 = 0.33;

/// Events a second.
pub(crate) async fn speed(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let (server, bus) = bench.server().await?;
    let engine = Rules::start(&bus, &server.url(), &SETS.map(|(workspace, ..)| workspace)).await?;
    let mut customers = Vec::new();
    for (workspace, count, matching) in SETS {
        engine.apply(workspace, &rules(count, matching)).await?;
        customers.push(engine.customers(workspace).await?);
    }
    let (hop, mut through) = Hop::start(&bus, &server.url()).await?;
    let [mut one, mut hundred, mut thousand, mut matching] = [(); 4].map(|()| Pairs::default());
    for nth in 0..=ROUNDS {
        bench.say(&format!("rules: bare, round {nth} of {ROUNDS}"));
        let count = bench.count(5_000, 1_000);
        let started = Instant::now();
        round(hop.send_all(count, &mut through)).await.context("bare")?;
        let bare = rate(count, started.elapsed());
        let mut rates = Vec::new();
        for (customers, (workspace, _, matching)) in customers.iter_mut().zip(SETS) {
            bench.say(&format!("rules: {workspace}, round {nth} of {ROUNDS}"));
            let count = if matching > 0 { count / 5 } else { count };
            let took = round(customers.write(count)).await.context(workspace)?;
            rates.push(rate(count, took));
        }
        // Round 0 warms both up.
        if let ([of_1, of_100, of_1000, five_of_10, five_of_1000], 1..) = (rates.as_slice(), nth) {
            one.push(*of_1, bare);
            hundred.push(*of_100, bare);
            thousand.push(*of_1000, bare);
            matching.push(*five_of_1000, *five_of_10);
        }
    }
    for (what, pairs) in [("1 rule", &one), ("100 rules", &hundred), ("1,000 rules", &thousand)] {
        table.push(Line::beside(SPEED, what, Unit::PerSecond, pairs));
    }
    let line = Line::beside(MATCHING, "at most 3 times the cost", Unit::PerSecond, &matching);
    table.push(line.target(Target::RatioFrom(THIRD)));
    engine.stop().await;
    Ok(())
}

/// How long until a rule has decided.
pub(crate) async fn reaction(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let (server, bus) = bench.server().await?;
    let (workspace, count, matching) = ("reaction", 1, 1);
    let engine = Rules::start(&bus, &server.url(), &[workspace]).await?;
    engine.apply(workspace, &rules(count, matching)).await?;
    let mut customers: Customers = engine.customers(workspace).await?;
    let mut decisions = decided(&server.url(), workspace).await?;
    let (hop, mut through) = Hop::start(&bus, &server.url()).await?;
    let count = bench.count(1_000, 300);
    let (mut halves, mut tails) = (Pairs::default(), Pairs::default());
    for nth in 0..=ROUNDS {
        bench.say(&format!("reaction: round {nth} of {ROUNDS}"));
        let send = async || {
            let event = customers.message();
            let started = Instant::now();
            for recorded in bus.publish_facts([&event], &TraceParent::start()).await {
                recorded?;
            }
            Ok((event.id, started))
        };
        let ours = round(travel(count, &mut decisions, send)).await.context("ours")?;
        let bare = round(travel(count, &mut through, async || hop.send().await)).await.context("bare")?;
        // Round 0 warms both up.
        if nth > 0 {
            halves.push(ours.percentile(50), bare.percentile(50));
            tails.push(ours.percentile(99), bare.percentile(99));
        }
    }
    table.push(Line::beside(REACTION, "p50", Unit::Milliseconds, &halves).target(Target::RatioTo(3.0)));
    table.push(Line::beside(REACTION, "p99", Unit::Milliseconds, &tails).target(Target::RatioTo(3.0)));
    engine.stop().await;
    Ok(())
}
