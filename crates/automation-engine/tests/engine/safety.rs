use proto::v1;
use proto::v1::run::Outcome;

use crate::world::{outcome, world};

#[tokio::test]
async fn two_rules_that_set_each_other_off_stop_at_depth_8_and_it_shows() {
    let mut world = world().await;
    world
        .apply(
            "rules:
  - { name: ping, on: message.received, do: [add_tag: ball] }
  - { name: back, on: tag.added, rate_limit: { times: 100, per: 1m }, do: [remove_tag: ball] }
  - { name: forth, on: tag.removed, rate_limit: { times: 100, per: 1m }, do: [add_tag: ball] }
  - { name: echoes-itself, on: message.sent, rate_limit: { times: 100, per: 1m }, do: [send_message: { text: again }] }
  - { name: says, on: message.received, do: [send_message: { text: hi }] }
",
        )
        .await;
    let (conversation, _) = world.receive("ana", "m1", "hello").await;
    let stopped = world.await_runs("forth", 1, |run| outcome(run) == Outcome::Skipped).await.remove(0);
    assert!(stopped.reason.contains("chain of 8"), "{}", stopped.reason);
    assert_eq!(stopped.depth, 8, "ping is at depth 0, and what it leads to one deeper each time");
    // The tag goes on at depths 1, 3, 5 and 7, and comes off at 2, 4, 6 and 8.
    assert!(world.runs_of("back").await.len() == 4 && world.runs_of("forth").await.len() == 4);
    let itself = world.await_runs("echoes-itself", 1, |run| outcome(run) == Outcome::Skipped).await.remove(0);
    assert_eq!(itself.depth, 8);
    let done = world.await_runs("echoes-itself", 7, |run| outcome(run) == Outcome::Done).await;
    assert_eq!(done.len(), 7);
    let all = done.iter().chain([&itself, &stopped]);
    assert_eq!(
        all.map(|run| run.correlation_id.clone()).collect::<std::collections::BTreeSet<_>>().len(),
        1,
        "one chain"
    );
    assert!(world.chat(&conversation).await.len() == 9, "the customer's, and 8 of rules");
    world.stop().await;
}

#[tokio::test]
async fn a_rule_that_fires_once_says_what_fired_before_and_a_refusal_does_not_count() {
    let mut world = world().await;
    world
        .apply(
            "rules:
  - { name: greets, on: message.received, fires: once_per_conversation, do: [send_message: { text: welcome }] }
  - { name: per-ticket, on: message.received, when: conversation.open_ticket_count > 0, fires: once_per_ticket, do: [add_note: once] }
  - { name: opens-once, on: message.received, fires: once_per_conversation, do: [open_ticket: { topic: x }] }
",
        )
        .await;
    let (conversation, _) = world.receive("ana", "m1", "one").await;
    let first = world.await_run("greets").await;
    world.await_run("opens-once").await;
    world.receive("ana", "m2", "two").await;
    let skipped = world.await_runs("greets", 1, |run| outcome(run) == Outcome::Skipped).await.remove(0);
    assert!(skipped.reason.contains(&first.id), "{}", skipped.reason);
    world.await_runs("per-ticket", 1, |run| outcome(run) == Outcome::Done).await;
    world.receive("ana", "m3", "three").await;
    world.await_runs("per-ticket", 1, |run| outcome(run) == Outcome::Skipped).await;
    world.close_all(&conversation).await;
    world.open_ticket(&conversation, "second").await;
    world.receive("ana", "m4", "four").await;
    world.await_runs("per-ticket", 2, |run| outcome(run) == Outcome::Done).await;
    let notes = world.chat(&conversation).await.iter().filter(|line| *line == "note: once").count();
    assert_eq!(notes, 2);

    // In another conversation a ticket is open: refused, it may fire later.
    let (other, _) = world.receive("bob", "b0", "zero").await;
    world.await_runs("opens-once", 1, |run| run.conversation_id == other && outcome(run) == Outcome::Done).await;
    world.stop().await;
}

#[tokio::test]
async fn a_rule_that_fires_too_often_in_a_conversation_is_skipped_there_alone() {
    let mut world = world().await;
    world.apply("rules: [{ name: answers, on: message.received, rate_limit: { times: 3, per: 1h }, do: [send_message: { text: hi }] }]").await;
    let (conversation, _) = world.receive("ana", "m0", "hello").await;
    for n in 1..5 {
        world.receive("ana", &format!("m{n}"), "hello").await;
    }
    world.receive("bob", "b1", "hello").await;
    let skipped = world.await_runs("answers", 2, |run| outcome(run) == Outcome::Skipped).await;
    assert!(skipped.iter().all(|run| run.conversation_id == conversation && run.reason.contains("3 times within 1h")));
    world.await_runs("answers", 4, |run| outcome(run) == Outcome::Done).await;
    world.stop().await;
}

#[tokio::test]
async fn rules_of_one_workspace_say_nothing_of_another() {
    let mut world = world().await;
    world.apply("rules: [{ name: tags, on: message.received, do: [add_tag: seen] }]").await;
    world.receive("ana", "m1", "hello").await;
    let run = world.await_run("tags").await;
    let other = v1::ListRunsRequest {
        workspace: "rival".to_owned(),
        event_revision: run.event_revision,
        include_not_matched: true,
        ..Default::default()
    };
    assert!(world.rules.list_runs(other).await.unwrap().into_inner().runs.is_empty());
    let unknown = v1::ListRunsRequest { workspace: "nobody".to_owned(), ..Default::default() };
    assert_eq!(world.rules.list_runs(unknown).await.unwrap_err().code(), tonic::Code::NotFound);
    world.stop().await;
}
