//! Several processes that pick at once, with one and with the server killed in the middle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use automation_engine::assign::Fallback;
use conversation::Assignee;
use proto::v1;
use proto::v1::presence::State;
use testkit::{NatsServer, eventually};

use crate::staff::{ACME, LONG, Process, decisions, queue, round_robin};

const AGENTS: [&str; 5] = ["ana", "ben", "cem", "dov", "eva"];

async fn processes(server: &NatsServer, capacity: u32) -> Vec<Arc<Process>> {
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(Arc::new(Process::start(server).await));
    }
    for agent in AGENTS {
        all[0].agent(agent, capacity).await;
        all[0].presence(agent, State::Online).await;
    }
    all[0].team("billing", &AGENTS).await;
    all[0].team("sales", &AGENTS[2..]).await;
    for process in &all {
        // The directory has to have reached each of them, or their first picks find no team.
        let spec = round_robin("sales", Fallback::Unassigned);
        let probe = conversation::ConversationId::parse("probe").unwrap();
        eventually("the directory", LONG, async || {
            let loaded = process.bus.load(ACME, &probe).await.ok()?;
            let picked = process.assigner.pick(&crate::staff::ask(&probe, &loaded, &spec)).await.ok()?;
            process.assigner.settle(&picked, automation_engine::assign::Settled::Refused).await.ok()?;
            picked.assignee()
        })
        .await;
    }
    all
}

/// Who holds what at each moment of the log, with a look at each decision.
async fn replay(process: &Process, mut look: impl FnMut(&BTreeMap<String, String>)) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for (_, event, decided) in decisions(&process.bus).await {
        let assignee = decided.after.unwrap().assignee.as_ref().and_then(proto::assignee_from);
        match assignee.as_ref().and_then(Assignee::agent) {
            Some(agent) => drop(held.insert(event.conversation, agent.to_owned())),
            None => drop(held.remove(&event.conversation)),
        }
        look(&held);
    }
    held
}

fn per_agent(held: &BTreeMap<String, String>) -> BTreeMap<&str, usize> {
    let mut counts: BTreeMap<&str, usize> = AGENTS.iter().map(|agent| (*agent, 0)).collect();
    held.values().for_each(|agent| *counts.get_mut(agent.as_str()).unwrap() += 1);
    counts
}

fn opened(decided: &v1::Decided) -> usize {
    let stamps = decided.entries.iter().filter_map(|entry| match &entry.entry {
        Some(v1::decided_entry::Entry::Stamp(stamp)) => stamp.kind.as_ref(),
        _ => None,
    });
    stamps.filter(|kind| matches!(kind, v1::stamp::Kind::Opened(_))).count()
}

/// Three processes run a rule for many conversations at once. Nats-server is killed in the middle, and one process,
/// whose conversations another runs from the start, as after a redelivery.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_are_fair_though_a_process_and_the_server_are_killed() {
    let mut server = NatsServer::start().await;
    let mut processes = processes(&server, 0).await;
    let count = testkit::count("sharing-conversations", 300, 2_000);
    let spec = round_robin("billing", Fallback::Unassigned);
    let mut runs: Vec<tokio::task::JoinSet<()>> = (0..3).map(|_| tokio::task::JoinSet::new()).collect();
    for n in 0..count {
        let (process, spec) = (processes[n % 3].clone(), spec.clone());
        runs[n % 3].spawn(async move { drop(process.run(&format!("c{n}"), &spec).await) });
    }
    let some = async || Some(processes[0].bus.events_info().await.ok()?.state.messages).filter(|n| *n > 30);
    eventually("some decisions", LONG, some).await;
    runs[2].abort_all();
    server.kill();
    server.restart().await;
    let third = processes.remove(2);
    let again = runs.remove(2);
    drop(again);
    if let Ok(third) = Arc::try_unwrap(third) {
        third.kill();
    }
    for n in (0..count).filter(|n| n % 3 == 2) {
        let (process, spec) = (processes[0].clone(), spec.clone());
        runs[0].spawn(async move { drop(process.run(&format!("c{n}"), &spec).await) });
    }
    for run in runs {
        run.join_all().await;
    }
    let log = decisions(&processes[0].bus).await;
    assert_eq!(log.iter().map(|(.., decided)| opened(decided)).sum::<usize>(), count, "no ticket was opened twice");
    let held = replay(&processes[0], |_| {}).await;
    assert_eq!(held.len(), count, "no assignment was lost");
    let counts = per_agent(&held);
    let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
    assert!(most - least <= 1, "{counts:?}");
    processes[0].loads(&counts.into_iter().collect::<Vec<_>>()).await;
}

/// Two teams share agents with room for few. Conversations wait, are given away as others close, and no agent ever
/// holds more than they may, at any moment of the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_capacity_is_overshot_by_teams_processes_and_the_queue_at_once() {
    const CAPACITY: usize = 3;
    let mut server = NatsServer::start().await;
    let processes = processes(&server, u32::try_from(CAPACITY).unwrap()).await;
    let count = testkit::count("sharing-queued", 120, 1_000);
    let mut runs = tokio::task::JoinSet::new();
    for n in 0..count {
        let process = processes[n % 3].clone();
        runs.spawn(async move {
            let team = if n % 2 == 0 { "billing" } else { "sales" };
            let name = format!("c{n}");
            process.run(&name, &round_robin(team, queue(team))).await;
            // Whoever gets it closes it.
            process.given(&name).await;
            process.close(&name).await;
        });
    }
    let some = async || Some(processes[0].bus.events_info().await.ok()?.state.messages).filter(|n| *n > 40);
    eventually("some decisions", LONG, some).await;
    server.kill();
    server.restart().await;
    runs.join_all().await;
    let mut most = 0;
    let held = replay(&processes[0], |held| {
        let counts = per_agent(held);
        most = most.max(*counts.values().max().unwrap());
        assert!(most <= CAPACITY, "{counts:?}");
    })
    .await;
    assert_eq!(most, CAPACITY, "all the room was used");
    assert!(held.is_empty());
    processes[0].loads(&[]).await;
    for team in ["billing", "sales"] {
        assert!(processes[0].assigner.queue(ACME, team).await.unwrap().is_empty());
    }
}

/// Many runs that ask at once in three processes cost few writes, and each gets its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_picks_shares_its_writes() {
    let server = NatsServer::start().await;
    let processes = processes(&server, 0).await;
    let count = testkit::count("sharing-burst", 1_200, 6_000);
    let writes = async || {
        let stream = processes[0].bus.jetstream().get_stream("KV_rotation").await.unwrap();
        stream.cached_info().state.last_sequence
    };
    let (spec, before, started) = (round_robin("billing", Fallback::Unassigned), writes().await, Instant::now());
    let mut picking = tokio::task::JoinSet::new();
    for n in 0..count {
        let (process, spec) = (processes[n % 3].clone(), spec.clone());
        picking.spawn(async move {
            let conversation = conversation::ConversationId::parse(&format!("c{n}")).unwrap();
            let loaded = process.bus.load(ACME, &conversation).await.unwrap();
            let picked = process.assigner.pick(&crate::staff::ask(&conversation, &loaded, &spec)).await.unwrap();
            (format!("c{n}"), picked.assignee().unwrap().agent().unwrap().to_owned())
        });
    }
    let picked: BTreeMap<String, String> = picking.join_all().await.into_iter().collect();
    let (took, written) = (started.elapsed(), writes().await - before);
    println!("{count} picks at once: {written} writes, {:.0} picks/s", count as f64 / took.as_secs_f64());
    let counts = per_agent(&picked);
    assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1, "{counts:?}");
    assert!(written < count as u64, "{written} writes");
}
