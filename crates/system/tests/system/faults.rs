//! Ingest, the projection and nats-server as processes of their own, killed with SIGKILL at random moments under steady
//! load, and started again. Then everything that was answered is there once, every decision and every answer is the
//! oracle's, the view is the oracle's, and a view built anew is the same byte for byte.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bus::{Bus, Options};
use fastrand::Rng;
use service::access::Bearer;
use tempfile::TempDir;
use testkit::NatsServer;

use crate::compare::Workspace;
use crate::deployment::{Endpoints, Settings};
use crate::log::{Collected, verify};
use crate::model::{Business, Case, Census, Stage, begin, check_cases, play, rejected_are, seed};
use crate::programs::{Program, free_port};

/// Conversations that are played at once.
const LOAD: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killing_anything_at_any_time_loses_and_doubles_nothing_with_sled() {
    kill_at_random("sled", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killing_anything_at_any_time_loses_and_doubles_nothing_with_fjall() {
    kill_at_random("fjall", 1).await;
}

/// Half of all kills each.
async fn kill_at_random(engine: &str, nth: u64) {
    let seed = seed().wrapping_add(nth);
    let kills = testkit::count("fault-kills", 6, 200).div_ceil(2);
    let mut random = Rng::with_seed(seed);
    let business = Business::nth(0);
    let mut town = Town::start(engine, &business).await;
    let stage = Arc::new(Stage::new(town.endpoints.clone()));
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(load(stage.clone(), business.clone(), seed * 1_000_000, stop.clone()));

    let mut victims = Vec::new();
    for _ in 0..kills {
        if victims.is_empty() {
            victims = vec![Victim::Nats, Victim::Ingest, Victim::Projection];
            random.shuffle(&mut victims);
        }
        tokio::time::sleep(Duration::from_millis(random.u64(200..2_500))).await;
        town.kill(victims.pop().unwrap(), Duration::from_millis(random.u64(0..800))).await;
    }
    stop.store(true, Ordering::SeqCst);
    let cases = town.keep_alive_until(load).await;
    check(&Options::new(town.nats.url()), &town.endpoints, &business, &stage, &cases, &mut random).await;
}

/// Plays one case after the other, several at a time, until it is told to stop and those that play have ended.
pub(crate) async fn load(stage: Arc<Stage>, business: Business, first: u64, stop: Arc<AtomicBool>) -> Vec<Arc<Case>> {
    let player = |nth: u64| {
        let (stage, business, stop) = (stage.clone(), business.clone(), stop.clone());
        tokio::spawn(async move {
            let mut cases = Vec::new();
            // Of each player's own numbers.
            for seed in (first + nth..).step_by(usize::try_from(LOAD).unwrap()) {
                let case = Arc::new(begin(&stage, &business, seed).await);
                play(&stage, &case).await;
                cases.push(case);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
            cases
        })
    };
    let played = futures::future::join_all((0..LOAD).map(player)).await;
    played.into_iter().flat_map(Result::unwrap).collect()
}

/// Everything, once all of it runs and nobody uses it any more.
pub(crate) async fn check(
    bus: &Options,
    endpoints: &Endpoints,
    business: &Business,
    stage: &Stage,
    cases: &[Arc<Case>],
    random: &mut Rng,
) {
    let bus = Bus::connect(bus).await.unwrap();
    let mut collected = Collected::new(&bus);
    let newest = collected.up_to_date().await;
    let events = collected.of_workspace(&business.workspace);
    assert_eq!(events.len(), collected.all().len());
    assert!(events.len() > 100, "{} events are no load", events.len());
    let clients = endpoints.clients();
    check_cases(&bus, cases, &clients, &events, newest, &mut Census::default()).await;
    rejected_are(&bus, stage).await;
    Workspace { clients: &clients, name: &business.workspace, events: &events, newest }.check(random).await;
    verify(&clients).await;
}

#[derive(Clone, Copy, Debug)]
enum Victim {
    Nats,
    Ingest,
    Projection,
}

/// All processes.
struct Town {
    ingest: Program,
    projection: Program,
    nats: NatsServer,
    endpoints: Endpoints,
    _dir: TempDir,
}

impl Town {
    async fn start(engine: &str, business: &Business) -> Town {
        let nats = NatsServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let (commands, queries, http) = (free_port(), free_port(), free_port());
        let program = |name: &str, grpc: u16| {
            let settings = Settings::new(&nats.url(), &dir.path().join(name), engine).business(business);
            let config = write(dir.path(), name, &settings.listening(grpc, http));
            Program::start(name, &["--config", &config], dir.path())
        };
        let (ingest, projection) = (program("ingest", commands), program("projection", queries));
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let endpoints =
            Endpoints { commands: url(commands), queries: url(queries), http: url(http), bearer: Bearer::none() };
        Town { ingest, projection, nats, endpoints, _dir: dir }
    }

    /// Kills one of them, and starts it again after a while.
    async fn kill(&mut self, victim: Victim, dead_for: Duration) {
        match victim {
            Victim::Nats => self.nats.kill(),
            Victim::Ingest => self.ingest.kill(),
            Victim::Projection => self.projection.kill(),
        }
        tokio::time::sleep(dead_for).await;
        match victim {
            Victim::Nats => self.nats.restart().await,
            Victim::Ingest => self.ingest.restart(),
            Victim::Projection => self.projection.restart(),
        }
        self.keep_alive();
    }

    fn keep_alive(&mut self) {
        self.ingest.keep_alive();
        self.projection.keep_alive();
    }

    /// Waits for what uses them.
    async fn keep_alive_until<T>(&mut self, mut work: tokio::task::JoinHandle<T>) -> T {
        loop {
            tokio::select! {
                done = &mut work => return done.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(100)) => self.keep_alive(),
            }
        }
    }
}

fn write(dir: &Path, name: &str, settings: &Settings) -> String {
    let file = dir.join(format!("{name}.toml"));
    std::fs::write(&file, settings.text()).unwrap();
    file.to_str().unwrap().to_owned()
}
