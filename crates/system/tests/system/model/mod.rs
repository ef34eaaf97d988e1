//! Random histories through real servers: commands of all actors over gRPC by clients that act at once, signed
//! webhooks told again and out of order, a nats-server that is killed now and then, and a server that knows a repeated
//! id for 100 ms only. Every decision, every answer and everything that TicketService says is laid beside the oracle.
//!
//! A failure prints a seed; `THREADMARK_SEED=<seed>` plays the same cases again, as far as clocks and the order of
//! clients allow.

mod answers;
mod case;
mod census;
mod check;
mod decided;
mod invent;
mod own_writes;
mod play;
mod send;
mod tell;
mod told;
mod watching;

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures::StreamExt;
use testkit::NatsServer;

pub(crate) use self::case::{Business, Case};
pub(crate) use self::census::Census;
pub(crate) use self::check::{check_cases, rejected_are};
pub(crate) use self::play::{Stage, begin, play};
use crate::between::Between;
use crate::compare::Workspace;
use crate::deployment::{Beside, Deployment, ENGINES, Settings};
use crate::log::{Collected, verify};

/// Cases that share a workspace.
const WORLD: usize = 50;
/// Cases that are played at once.
const AT_ONCE: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_histories_through_real_servers_are_what_the_rules_say() {
    let seed = seed();
    let count = testkit::count("system-cases", 500, 5_000);
    let worlds: Vec<Business> = (0..count.div_ceil(WORLD)).map(Business::nth).collect();
    let mut nats = NatsServer::start().await;
    let between = Between::start(&nats.url()).await;
    let url = between.url();
    let settings = |data: &Path, engine| worlds.iter().fold(Settings::new(&url, data, engine), Settings::business);
    let deployment = Deployment::start(|data| settings(data, ENGINES[0])).await;
    let beside = Beside::start(&deployment.bus, |data| settings(data, ENGINES[1])).await;
    let views = [deployment.clients(), beside.clients(&deployment)];
    let stage = Arc::new(Stage::new(deployment.endpoints.clone()));
    let mut collected = Collected::new(&deployment.bus);
    let mut census = Census::default();
    for (nth, world) in worlds.iter().enumerate() {
        let mut random = Rng::with_seed(seed + nth as u64);
        let first = seed * 1_000_000 + (nth * WORLD) as u64;
        let seeds = first..first + WORLD.min(count - nth * WORLD) as u64;
        let trouble = if nth.is_multiple_of(2) { Trouble::Killed(&mut nats) } else { Trouble::Lost(&between) };
        let answers_get_lost = matches!(trouble, Trouble::Lost(_));
        let cases = play_world(&stage, world, seeds, trouble, &mut random).await;
        let newest = collected.up_to_date().await;
        let events = collected.of_workspace(&world.workspace);
        let mut met = Census::default();
        check_cases(&deployment.bus, &cases, &views[0], &events, newest, &mut met).await;
        met.met_times(if answers_get_lost { "answer lost" } else { "killed" }, met.times("answered late"));
        census.add(&met);
        for clients in &views {
            let compared = Workspace { clients, name: &world.workspace, events: &events, newest };
            compared.check(&mut random).await.conversations.values().for_each(|told| census.conversation(told));
        }
    }
    rejected_are(&deployment.bus, &stage).await;
    for clients in &views {
        verify(clients).await;
    }
    beside.stop().await;
    deployment.stop().await;
    if count < 10 * WORLD {
        return; // Somebody repeats a failure, and need not meet everything.
    }
    census.assert_met(&["alone", "among others", "done", "repeat", "nothing", "primary found", "late within a window"]);
    census.assert_met(&["actor may not", "ticket not open", "nothing open", "bot does not hold"]);
    census.assert_met(&["command reused", "moved on", "too many open", "too many tags", "forgotten and decided anew"]);
    // Whether a kill meets a command on its way ("killed") is luck; where answers are lost on purpose, some always are.
    census.assert_met(&["told again", "answer lost"]);
}

/// What happens while a world is played.
enum Trouble<'a> {
    /// The nats-server is killed, and started again.
    Killed(&'a mut NatsServer),
    /// It works, but its answers are lost.
    Lost(&'a Between),
}

/// Plays many cases at once, and lets trouble come in the middle.
async fn play_world(
    stage: &Arc<Stage>,
    world: &Business,
    seeds: std::ops::Range<u64>,
    trouble: Trouble<'_>,
    random: &mut Rng,
) -> Vec<Arc<Case>> {
    stage.told.lock().unwrap().clear();
    let after = Duration::from_millis(random.u64(300..2_000));
    let playing = futures::stream::iter(seeds)
        .map(|seed| {
            let (stage, world) = (stage.clone(), world.clone());
            tokio::spawn(async move {
                let case = Arc::new(begin(&stage, &world, seed).await);
                play(&stage, &case).await;
                case
            })
        })
        .buffer_unordered(AT_ONCE)
        .map(Result::unwrap)
        .collect();
    let troubling = async {
        tokio::time::sleep(after).await;
        match trouble {
            Trouble::Killed(nats) => {
                nats.kill();
                nats.restart().await;
            }
            Trouble::Lost(between) => between.lose_answers(),
        }
    };
    let (cases, ()) = futures::future::join(playing, troubling).await;
    cases
}

/// A fresh one, or that of a failure.
pub(crate) fn seed() -> u64 {
    #![expect(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
    let seed = env::var("THREADMARK_SEED").map_or_else(|_| u64::from(fastrand::u32(..)), |seed| seed.parse().unwrap());
    eprintln!("THREADMARK_SEED={seed}");
    seed
}
