//! Random histories through real servers: commands of all actors over gRPC by clients that act at once, signed
//! webhooks told again and out of order, a nats-server that is killed now and then, and a server that knows a repeated
//! id for 100 ms only. Every decision, every answer and everything that TicketService says is laid beside the oracle.
//!
//! A failure prints a seed; `THREADMARK_SEED=<seed>` plays the same cases again, as far as clocks and the order of
//! clients allow.

mod answers;
mod case;
mod census;
mod decided;
mod invent;
mod own_writes;
mod play;
mod send;
mod tell;
mod told;

use std::collections::BTreeMap;
use std::env;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures::StreamExt;
use oracle::Settings;
use proto::v1;
use testkit::NatsServer;

use self::case::{Case, Place};
use self::census::Census;
use self::play::{Stage, play};
use crate::compare::Workspace;
use crate::deployment::{self, Beside, Clients, Deployment, ENGINES, SECRET, patiently};
use crate::log::Collected;

/// Cases that share a workspace.
const WORLD: usize = 50;
/// Cases that are played at once.
const AT_ONCE: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_histories_through_real_servers_are_what_the_rules_say() {
    let seed = env::var("THREADMARK_SEED").map_or_else(|_| u64::from(fastrand::u32(..)), |seed| seed.parse().unwrap());
    eprintln_seed(seed);
    let cases = testkit::count("system-cases", 500, 5_000);
    let worlds = cases.div_ceil(WORLD);
    let mut nats = NatsServer::start().await;
    let url = nats.url();
    let settings = |data: &std::path::Path, engine: &str| {
        (0..worlds).fold(deployment::Settings::new(&url, data, engine), |all, world| {
            all.workspace(&workspace(world), &choices(world)).channel(&workspace(world), &number(world), SECRET)
        })
    };
    let deployment = Deployment::start(|data| settings(data, ENGINES[0])).await;
    let beside = Beside::start(&deployment.bus, |data| settings(data, ENGINES[1])).await;
    let views = [deployment.clients(), Clients::new(&beside.grpc)];
    let stage = Arc::new(Stage { deployment, told: Mutex::default() });
    let mut collected = Collected::new(&stage.deployment.bus);
    let mut census = Census::default();
    for world in 0..worlds {
        let mut random = Rng::with_seed(seed + world as u64);
        let count = WORLD.min(cases - world * WORLD);
        let first = seed * 1_000_000 + (world * WORLD) as u64;
        let cases = play_world(&stage, &mut nats, world, first, count, &mut random).await;
        census.met_times("killed", usize::from(kills(world)));
        let newest = collected.up_to_date().await;
        let events = collected.of_workspace(&workspace(world));
        check_cases(&cases, &views[0], &events, newest, &mut census).await;
        for (clients, seed) in views.iter().zip([seed, seed + 1]) {
            let name = workspace(world);
            let compared = Workspace { clients, name: &name, events: &events, newest };
            let view = compared.check(&mut Rng::with_seed(seed)).await;
            let late = view.conversations.values().flat_map(|conversation| &conversation.timeline);
            census.met_times("late within a window", late.filter(|line| line.late && !line.tickets.is_empty()).count());
        }
    }
    for clients in &views {
        crate::log::verify(clients).await;
    }
    drop(views);
    beside.stop().await;
    Arc::into_inner(stage).expect("nobody else on the stage").deployment.stop().await;
    if cases < 10 * WORLD {
        return; // Somebody repeats a failure, and need not meet everything.
    }
    census.assert_met(&["alone", "among others", "done", "repeat", "nothing", "primary found", "late within a window"]);
    census.assert_met(&["actor may not", "ticket not open", "nothing open", "bot does not hold"]);
    census.assert_met(&["command reused", "moved on", "too many open", "too many tags", "forgotten and decided anew"]);
    census.assert_met(&["told again", "killed"]);
}

fn workspace(world: usize) -> String {
    format!("world-{world}")
}

fn number(world: usize) -> String {
    format!("{}", 100_200_300 + world)
}

/// What a workspace has chosen: each choice in turn.
fn choices(world: usize) -> Settings {
    let (assign_on_write, unassign_on_close) = [(true, true), (false, true), (true, false), (false, false)][world % 4];
    Settings { assign_on_write, unassign_on_close }
}

/// Whether the nats-server is killed while a world plays: the rest of a world runs undisturbed.
fn kills(world: usize) -> bool {
    world.is_multiple_of(2)
}

/// Plays many cases at once, and may kill the nats-server in the middle.
async fn play_world(
    stage: &Arc<Stage>,
    nats: &mut NatsServer,
    world: usize,
    first: u64,
    count: usize,
    random: &mut Rng,
) -> Vec<Arc<Case>> {
    stage.told.lock().unwrap().clear();
    let kill_after = Duration::from_millis(random.u64(300..2_000));
    let playing = futures::stream::iter(first..first + count as u64)
        .map(|seed| {
            let stage = stage.clone();
            tokio::spawn(async move {
                let case = Arc::new(begin(&stage, world, seed).await);
                play(&stage, &case).await;
                case
            })
        })
        .buffer_unordered(AT_ONCE)
        .map(Result::unwrap)
        .collect();
    let killing = async {
        if kills(world) {
            tokio::time::sleep(kill_after).await;
            nats.kill();
            nats.restart().await;
        }
    };
    let (cases, ()) = futures::future::join(playing, killing).await;
    cases
}

/// The contact's first message: half of them write where there is a webhook.
async fn begin(stage: &Stage, world: usize, seed: u64) -> Case {
    let whatsapp = seed.is_multiple_of(2);
    let place = Place {
        channel: if whatsapp { format!("whatsapp:{}", number(world)) } else { format!("web:{world}") },
        phone_number_id: whatsapp.then(|| number(world)),
        contact: format!("{:012}", seed % 1_000_000_000_000),
    };
    let mut case = Case::new(seed, &workspace(world), choices(world), place);
    let (item, request) = tell::message(&mut Rng::with_seed(seed), &case);
    let clients = stage.deployment.clients();
    let told = patiently("a first message to be received", || async {
        match clients.conversations.clone().receive_message(request.clone()).await {
            Ok(told) => Some(told.into_inner()),
            Err(status) if status.code() == tonic::Code::Unavailable => None,
            Err(status) => panic!("{status}"),
        }
    })
    .await;
    case.conversation = told.conversation_id;
    case.tell(u64::try_from(told.revision).unwrap());
    case.write(|journal| journal.items.push(item));
    case
}

/// Each case by itself: what was decided, what was answered, and that nothing is lost or doubled.
async fn check_cases(
    cases: &[Arc<Case>],
    clients: &Clients,
    events: &[(u64, v1::Event)],
    newest: u64,
    census: &mut Census,
) {
    let mut of_case: BTreeMap<&str, Vec<(u64, v1::Event)>> = BTreeMap::new();
    for (revision, event) in events {
        of_case.entry(&event.conversation).or_default().push((*revision, event.clone()));
    }
    assert_eq!(of_case.len(), cases.len(), "W1: each contact has one conversation");
    for case in cases {
        let events = &of_case[case.conversation.as_str()];
        let calls = case.read(|journal| journal.calls.clone());
        let mut met = Census::default();
        let checked = decided::check(case, &calls, events)
            .and_then(|past| answers::check(case, &calls, &past, &mut met).map(|()| past));
        let past =
            checked.unwrap_or_else(|difference| panic!("case {} of {}: {difference}", case.seed, case.workspace));
        let ids: std::collections::BTreeSet<&String> = past.iter().map(|past| &past.command.id).collect();
        met.met_times("forgotten and decided anew", past.len() - ids.len());
        met.met_times("told again", repeats(events));
        census.add(&met);
        told::check(case, clients, events, newest).await;
    }
}

/// How many events stand on the stream again.
fn repeats(events: &[(u64, v1::Event)]) -> usize {
    let ids: std::collections::BTreeSet<&String> = events.iter().map(|(_, event)| &event.id).collect();
    events.len() - ids.len()
}

/// Told also when the test passes, for whoever runs it with `--nocapture`.
fn eprintln_seed(seed: u64) {
    #![expect(clippy::print_stderr, reason = "the test harness shows it when the test fails")]
    eprintln!("THREADMARK_SEED={seed}");
}
