use bus::TraceParent;
use proto::v1;
use proto::v1::run::Outcome;
use testkit::eventually;

use crate::world::{DEADLINE, WORKSPACE, outcome, world};

#[tokio::test]
async fn an_event_of_another_system_reaches_the_conversation_that_the_rule_maps_it_to() {
    let mut world = world().await;
    world
        .apply(
            "rules:
  - name: shipped
    on: { external.order-shipped: { channel: 'web:1', contact: '{{event.data.customer}}' } }
    when: event.data.items > 1
    do:
      - send_message: { text: 'Order {{event.data.order}} is on its way.' }
      - publish: { name: told, data: { order: '{{event.data.order}}', customer: known } }
  - { name: hears, on: external.told, do: [publish: { name: told, data: { again: true } }] }
",
        )
        .await;
    let (conversation, _) = world.receive("ana", "m1", "hello").await;
    let trace = TraceParent::start();
    let json = |customer: &str, items: u32| format!(r#"{{"customer":"{customer}","order":"A-1","items":{items}}}"#);
    for (id, customer, items) in [("1", "ana", 2), ("1", "ana", 2), ("2", "nobody", 2), ("3", "ana", 1)] {
        world.bus.publish_external(WORKSPACE, "order-shipped", id, json(customer, items).into(), &trace).await.unwrap();
        // The same event again, outside the dedupe window.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    world.bus.publish_external(WORKSPACE, "order-shipped", "4", "no json".into(), &trace).await.unwrap();
    world.await_runs("shipped", 3, |_| true).await;
    let runs = world.runs_of("shipped").await;
    let of = |want: Outcome| runs.iter().filter(move |run| outcome(run) == want).collect::<Vec<_>>();
    assert_eq!(of(Outcome::Done).len(), 1, "{runs:#?}");
    assert_eq!(of(Outcome::Done)[0].conversation_id, conversation);
    assert_eq!(of(Outcome::Skipped)[0].reason, "no conversation fits what it is matched by");
    assert!(of(Outcome::NotMatched)[0].reason.contains("event.data.items > 1"));
    let chat = world.chat(&conversation).await;
    assert_eq!(chat, ["ana: hello", "shipped: Order A-1 is on its way."]);
    // What rules publish carries its depth: a loop through EXTERNAL ends as well.
    let stopped = world.await_runs("hears", 1, |run| outcome(run) == Outcome::Skipped).await.remove(0);
    assert_eq!((stopped.depth, stopped.reason.contains("chain of 8")), (8, true), "{stopped:#?}");
    eventually("what is no JSON to be given up", DEADLINE, async || {
        world.dead_letters().await.iter().any(|letter| letter.reason.contains("no JSON")).then_some(())
    })
    .await;
    world.stop().await;
}

#[tokio::test]
async fn agents_who_come_and_go_and_times_that_come_set_rules_off_once_in_all_engines() {
    let mut world = world().await;
    world.staff("billing", &[("ann", 0)]).await;
    world.presence("ann", v1::presence::State::Offline).await;
    let other = world.another_engine().await;
    world
        .apply(
            "rules:
  - { name: came, on: agent.online, do: [publish: { name: shift, data: { agent: '{{event.agent}}' } }] }
  - { name: went, on: agent.offline, do: [publish: { name: shift, data: { agent: '{{event.agent}}' } }] }
  - { name: each-minute, on: { schedule: { cron: '* * * * *', time_zone: Europe/Berlin } }, do: [publish: { name: tick, data: {} }] }
",
        )
        .await;
    world.presence("ann", v1::presence::State::Online).await;
    world.await_run("came").await;
    // A heartbeat is no news.
    world.presence("ann", v1::presence::State::Online).await;
    world.presence("ann", v1::presence::State::Offline).await;
    world.await_run("went").await;
    assert_eq!(world.runs_of("came").await.len(), 1);
    // A tick comes within a minute, and then it is there once.
    let deadline = std::time::Duration::from_secs(75);
    let armed = eventually("the schedule's timer", deadline, async || {
        let stream = world.bus.jetstream().get_stream("TIMERS").await.unwrap();
        (stream.cached_info().state.messages == 1).then_some(())
    });
    armed.await;
    let tick = tokio::time::timeout(deadline, async {
        loop {
            if let Some(run) = world.runs_of("each-minute").await.pop() {
                return run;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    let tick = tick.await.unwrap();
    assert_eq!(outcome(&tick), Outcome::Done);
    let due: i64 = tick.id.rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(due % 60_000, 0, "on the minute");
    other.shutdown().begin();
    assert!(other.finish().await);
    world.stop().await;
}
