//! Who gets a conversation, and what waits for somebody to be free.

use std::time::{Duration, Instant};

use automation_engine::assign::{AssignOptions, Chosen, Fallback};
use conversation::{Action, Assignee, ConversationId};
use proto::v1::presence::State;
use testkit::{NatsServer, eventually};

use crate::staff::{ACME, LONG, Process, ask, decisions, queue, queued, round_robin};

async fn team(agents: &[(&str, u32)]) -> (NatsServer, Process) {
    team_with(agents, AssignOptions::default()).await
}

async fn team_with(agents: &[(&str, u32)], options: AssignOptions) -> (NatsServer, Process) {
    let server = NatsServer::start().await;
    let process = Process::with(&server, options).await;
    for (id, capacity) in agents {
        process.agent(id, *capacity).await;
        process.presence(id, State::Online).await;
    }
    process.team("billing", &agents.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await;
    (server, process)
}

/// The directory reaches those who pick a moment after it was written.
async fn known(process: &Process, agents: usize) {
    let spec = round_robin("billing", Fallback::Unassigned);
    let conversation = ConversationId::parse("probe").unwrap();
    eventually("the directory", LONG, async || {
        let loaded = process.bus.load(ACME, &conversation).await.ok()?;
        let picked = process.assigner.pick(&ask(&conversation, &loaded, &spec)).await.ok()?;
        process.assigner.settle(&picked, automation_engine::assign::Settled::Refused).await.ok()?;
        let told = matches!(picked.chosen, Chosen::Agent(_)) as usize;
        (told == agents.min(1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_human_gives_and_takes_counts_as_well() {
    let (_server, process) = team(&[("ana", 1)]).await;
    known(&process, 1).await;
    process.human("byhand", Action::Assign(Assignee::Agent("ana".to_owned()))).await;
    process.loads(&[("ana", 1)]).await;
    let spec = round_robin("billing", Fallback::Unassigned);
    let picked = process.run("c1", &spec).await.unwrap();
    assert_eq!(picked.chosen, Chosen::Nobody, "{}", picked.why);
    assert!(picked.why.contains("ana holds 1 of 1"), "{}", picked.why);
    process.human("byhand", Action::Unassign).await;
    process.loads(&[]).await;
    let picked = process.run("c2", &spec).await.unwrap();
    assert_eq!(picked.assignee().unwrap().agent(), Some("ana"));
    process.loads(&[("ana", 1)]).await;
}

#[tokio::test]
async fn what_waits_goes_to_whoever_is_free_the_oldest_first() {
    let (_server, process) = team(&[("ana", 2), ("ben", 2)]).await;
    for agent in ["ana", "ben"] {
        process.presence(agent, State::Away).await;
    }
    known(&process, 0).await;
    let spec = round_robin("billing", queue("billing"));
    let names: Vec<String> = (0..8).map(|n| format!("c{n}")).collect();
    for name in &names {
        assert!(queued(&process.run(name, &spec).await.unwrap()), "nobody is there");
        assert_eq!(process.holder(name).await, Some(Assignee::Team("billing".to_owned())));
    }
    // Somebody comes.
    let came = Instant::now();
    process.presence("ana", State::Online).await;
    assert_eq!((process.given("c0").await, process.given("c1").await), ("ana".to_owned(), "ana".to_owned()));
    println!("drained {:?} after ana came", came.elapsed());
    process.loads(&[("ana", 2)]).await;
    // Somebody closes.
    let closed = Instant::now();
    process.close("c0").await;
    assert_eq!(process.given("c2").await, "ana");
    println!("drained {:?} after one was closed", closed.elapsed());
    // Somebody is given away by hand.
    process.human("c1", Action::Assign(Assignee::Agent("human".to_owned()))).await;
    assert_eq!(process.given("c3").await, "ana");
    // Somebody's capacity is raised.
    process.agent("ana", 3).await;
    assert_eq!(process.given("c4").await, "ana");
    // A human takes one that waits: it is left alone.
    process.human("c5", Action::Assign(Assignee::Agent("human".to_owned()))).await;
    process.presence("ben", State::Online).await;
    assert_eq!((process.given("c6").await, process.given("c7").await), ("ben".to_owned(), "ben".to_owned()));
    assert_eq!(process.holder("c5").await, Some(Assignee::Agent("human".to_owned())));
    assert!(process.assigner.queue(ACME, "billing").await.unwrap().is_empty());
    assigned_by_the_rule(&process).await;
}

/// What had to wait was assigned by the rule, as a link of the same chain, once.
async fn assigned_by_the_rule(process: &Process) {
    let log = decisions(&process.bus).await;
    let drained = log.iter().filter(|(_, event, _)| event.correlation_id == "chain of c0");
    let drained: Vec<_> = drained.collect();
    assert_eq!(drained.len(), 1);
    let (_, event, decided) = drained[0];
    let actor = event.actor.clone().unwrap();
    assert_eq!((actor.kind(), actor.id.as_str()), (proto::v1::actor::Kind::Automation, "to-the-team"));
    assert_eq!((event.causation_id.as_str(), event.depth), ("event of c0", 3));
    assert_eq!(decided.entries.len(), 1, "one stamp");
}

#[tokio::test]
async fn another_process_gives_away_what_waits_when_the_first_is_gone() {
    let (server, first) = team(&[("ana", 1)]).await;
    known(&first, 1).await;
    let second = Process::start(&server).await;
    let spec = round_robin("billing", queue("billing"));
    assert!(!queued(&first.run("c0", &spec).await.unwrap()));
    assert!(queued(&second.run("c1", &spec).await.unwrap()));
    assert!(queued(&second.run("c2", &spec).await.unwrap()));
    first.kill();
    second.close("c0").await;
    assert_eq!(second.given("c1").await, "ana");
    let third = Process::start(&server).await;
    second.stop().await;
    third.close("c1").await;
    assert_eq!(third.given("c2").await, "ana");
}

#[tokio::test]
async fn a_pick_that_nobody_settles_ends() {
    let options = AssignOptions {
        undecided: Duration::from_secs(1),
        look: Duration::from_millis(200),
        compare: Duration::from_secs(600),
    };
    let (_server, process) = team_with(&[("ana", 1)], options).await;
    known(&process, 1).await;
    let (lost, spec) = (ConversationId::parse("lost").unwrap(), round_robin("billing", queue("billing")));
    let loaded = process.bus.load(ACME, &lost).await.unwrap();
    let picked = process.assigner.pick(&ask(&lost, &loaded, &spec)).await.unwrap();
    assert_eq!(picked.assignee().unwrap().agent(), Some("ana"));
    let waits = process.run("c1", &spec).await.unwrap();
    // Unless the pick has ended already.
    if queued(&waits) {
        assert_eq!(process.given("c1").await, "ana");
    }
    process.loads(&[("ana", 1)]).await;
    assert_eq!(process.holder("lost").await, None);
}

#[tokio::test]
async fn what_waits_for_a_team_that_is_deleted_waits_no_longer() {
    let look = AssignOptions { look: Duration::from_millis(200), ..AssignOptions::default() };
    let (_server, process) = team_with(&[("ana", 1)], look).await;
    known(&process, 1).await;
    let spec = round_robin("billing", queue("billing"));
    process.run("c1", &spec).await;
    assert!(queued(&process.run("c2", &spec).await.unwrap()));
    process.bus.roster().delete_team(ACME, "billing").await.unwrap();
    let empty = async || process.assigner.queue(ACME, "billing").await.ok().filter(Vec::is_empty);
    eventually("the queue to end", LONG, empty).await;
    assert_eq!(process.holder("c2").await, Some(Assignee::Team("billing".to_owned())), "what is assigned stays");
}

#[tokio::test]
async fn a_long_queue_is_given_away_at_once() {
    let (_server, process) = team(&[("ana", 0)]).await;
    process.presence("ana", State::Away).await;
    known(&process, 0).await;
    let spec = round_robin("billing", queue("billing"));
    let count = testkit::count("queue-length", 200, 2_000);
    for n in 0..count {
        assert!(queued(&process.run(&format!("c{n}"), &spec).await.unwrap()));
    }
    let came = Instant::now();
    process.presence("ana", State::Online).await;
    let empty = async || process.assigner.queue(ACME, "billing").await.ok().filter(Vec::is_empty);
    eventually("the queue to be drained", LONG, empty).await;
    println!("{count} that waited were given away in {:?}", came.elapsed());
    process.loads(&[("ana", count)]).await;
    for n in 0..count {
        assert_eq!(process.given(&format!("c{n}")).await, "ana");
    }
}
