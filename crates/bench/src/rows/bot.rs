//! The bot: turns a second, how long a customer waits for its reply, and what an index of its knowledge costs.

use std::process::Stdio;
use std::time::Instant;

use anyhow::Context as _;
use tokio::process::Command;

use super::watch::travel;
use super::{Bench, round};
use crate::bare::hop::Hop;
use crate::load::bot::{Answering, WORKSPACE, index, passages};
use crate::load::rules::decided;
use crate::measure::{Pairs, ROUNDS, rate};
use crate::table::{Line, Table, Unit};

const SPEED: &str = "bot turns/s with retrieval: read, thought about, decided; beside a bare publish-consume-publish";
const REPLY: &str =
    "from a message to the bot's reply at 200/s, without a pause, beside a bare publish-consume-publish";
const INDEX: &str = "index of the bot's knowledge in a process of its own, from the bus until it answers";

/// Turns a second, and how long a reply takes.
pub(crate) async fn measure(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    let (server, bus) = bench.server().await?;
    let mut bot = Answering::start(&bus).await?;
    let mut decisions = decided(&server.url(), WORKSPACE).await?;
    let (hop, mut through) = Hop::start(&bus, &server.url()).await?;
    let count = bench.count(1_000, 300);
    let [mut speed, mut halves, mut tails] = [(); 3].map(|()| Pairs::default());
    for nth in 0..=ROUNDS {
        bench.say(&format!("bot: turns, round {nth} of {ROUNDS}"));
        let questions = bot.questions(count).await?;
        let started = Instant::now();
        bot.record(&questions).await?;
        let answered = async {
            for _ in 0..count {
                decisions.recv().await.context("whoever watched has ended")??;
            }
            anyhow::Ok(())
        };
        round(answered).await.context("turns")?;
        let ours = rate(count, started.elapsed());
        let started = Instant::now();
        round(hop.send_all(count, &mut through)).await.context("bare")?;
        let bare = rate(count, started.elapsed());
        bench.say(&format!("bot: replies, round {nth} of {ROUNDS}"));
        let mut questions = bot.questions(count).await?.into_iter();
        let send = async || {
            let mut question = questions.next().context("no question")?;
            let now = Some(proto::timestamp(bus::now()));
            (question.occur_time, question.record_time) = (now, now);
            let started = Instant::now();
            bot.record(std::slice::from_ref(&question)).await?;
            Ok((question.id, started))
        };
        let waited = round(travel(count, &mut decisions, send)).await.context("replies")?;
        let beside = round(travel(count, &mut through, async || hop.send().await)).await.context("bare")?;
        // Round 0 warms both up.
        if nth > 0 {
            speed.push(ours, bare);
            halves.push(waited.percentile(50), beside.percentile(50));
            tails.push(waited.percentile(99), beside.percentile(99));
        }
    }
    table.push(Line::beside(SPEED, "turns", Unit::PerSecond, &speed));
    table.push(Line::beside(REPLY, "p50", Unit::Milliseconds, &halves));
    table.push(Line::beside(REPLY, "p99", Unit::Milliseconds, &tails));
    bot.stop().await;
    Ok(())
}

/// What an index costs.
pub(crate) async fn knowledge(bench: &Bench, table: &mut Table) -> anyhow::Result<()> {
    for count in [10_000, 100_000] {
        let (server, bus) = bench.server().await?;
        bench.say(&format!("knowledge: importing {count} passages"));
        round(passages(&bus, count)).await?;
        bench.say(&format!("knowledge: an index of {count} passages"));
        let mut child = Command::new(std::env::current_exe()?);
        let child = child.arg("index").arg(server.url()).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = round(async { Ok(child.await?) }).await?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let figures: Result<Vec<f64>, _> = printed.split_whitespace().map(str::parse).collect();
        let figures = figures.ok().filter(|figures| figures.len() == 3);
        let figures = figures.with_context(|| format!("the index said {printed:?}"))?;
        let what = |what: &str| format!("{} k passages: {what}", count / 1_000);
        table.push(Line::alone(INDEX, what("built in"), Unit::Milliseconds, figures[0]));
        table.push(Line::alone(INDEX, what("resident"), Unit::Megabytes, figures[1]));
        table.push(Line::alone(INDEX, what("most resident"), Unit::Megabytes, figures[2]));
    }
    Ok(())
}

/// What the child does: prints milliseconds and megabytes.
pub(crate) async fn child(url: &str) -> anyhow::Result<()> {
    let (took, resident, most) = index(url).await?;
    println!("{} {resident} {most}", took.as_secs_f64() * 1e3);
    Ok(())
}
