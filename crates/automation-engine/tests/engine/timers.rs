use std::collections::BTreeSet;

use proto::v1;
use proto::v1::run::Outcome;

use crate::world::{actions, outcome, world};

#[tokio::test]
async fn waiting_rules_fire_when_nothing_happens_and_are_void_for_a_stated_reason() {
    let mut world = world().await;
    world
        .apply(
            "rules:
  - { name: close-silent, on: { customer.idle: { for: 1s } }, when: conversation.open_ticket_count > 0, do: [close_ticket: last] }
  - { name: nobody-answers, on: { agent.idle: { for: 1s } }, do: [add_tag: waiting] }
  - { name: escalate, on: { ticket.unanswered: { for: 1s } }, do: [add_note: 'unanswered {{ticket.topic}}'] }
  - { name: too-long, on: { ticket.open_for: { for: 2s } }, do: [add_tag: long] }
",
        )
        .await;
    let (silent, _) = world.receive("silent", "s1", "hello").await;
    world.open_ticket(&silent, "refund").await;
    let (answered, _) = world.receive("answered", "a1", "hello").await;
    world.open_ticket(&answered, "x").await;
    world.send(&answered, "ann", "hi").await;
    world.receive("answered", "a2", "thanks").await;
    world.send(&answered, "ann", "bye").await;
    world.close_all(&answered).await;

    let of = |conversation: &str, want: Outcome| {
        let conversation = conversation.to_owned();
        move |run: &v1::Run| run.conversation_id == conversation && outcome(run) == want
    };
    let escalated = world.await_runs("escalate", 1, of(&silent, Outcome::Done)).await.remove(0);
    assert!(
        escalated.id.ends_with(|c: char| c.is_ascii_digit()) && escalated.id.matches('/').count() == 2,
        "{}",
        escalated.id
    );
    world.await_runs("nobody-answers", 1, of(&silent, Outcome::Done)).await;
    world.await_runs("too-long", 1, of(&silent, Outcome::Done)).await;
    assert!(world.chat(&silent).await.contains(&"note: unanswered refund".to_owned()));
    // Closed tickets and answered customers.
    for (rule, why) in [("escalate", "void: the ticket is closed"), ("too-long", "void: the ticket is closed")] {
        let void = world.await_runs(rule, 1, of(&answered, Outcome::Skipped)).await.remove(0);
        assert_eq!(void.reason, why, "{rule}");
    }
    // The first timer was replaced by the second message of the agent, and then no ticket was open.
    let not = world.await_runs("close-silent", 1, of(&answered, Outcome::NotMatched)).await.remove(0);
    assert!(not.reason.contains("open_ticket_count > 0"), "{}", not.reason);
    assert!(!world.runs_of("nobody-answers").await.iter().any(of(&answered, Outcome::Done)));
    // An agent writes, and the customer stays silent: closed, once.
    world.send(&silent, "ann", "anyone?").await;
    world.await_runs("close-silent", 1, of(&silent, Outcome::Done)).await;
    assert!(world.chat(&silent).await.contains(&"Ticket closed by close-silent".to_owned()));
    // The customer writes in between: void.
    world.send(&silent, "ann", "one more").await;
    world.receive("silent", "s2", "here I am").await;
    let void = world.await_runs("close-silent", 1, of(&silent, Outcome::Skipped)).await.remove(0);
    assert_eq!(void.reason, "void: the customer wrote");
    world.stop().await;
}

#[tokio::test]
async fn a_run_that_waits_goes_on_later_and_shows_it() {
    let mut world = world().await;
    world
        .apply("{ name: slow, on: message.received, do: [send_message: { text: 'wait, {{contact.display_name}}' }, wait: 1s, send_message: { text: 'now: {{message.text}}' }, add_tag: served] }")
        .await;
    let (conversation, _) = world.receive("ana", "m1", "help").await;
    let waiting = world.await_runs("slow", 1, |run| outcome(run) == Outcome::Waiting).await.remove(0);
    assert_eq!(actions(&waiting), ["send_message DONE", "wait WAITING"]);
    let done = world.await_runs("slow", 1, |run| outcome(run) == Outcome::Done).await.remove(0);
    assert_eq!(actions(&done), ["send_message DONE", "wait DONE", "send_message DONE", "add_tag DONE"]);
    assert_eq!(done.id, waiting.id);
    assert_eq!(world.runs_of("slow").await.len(), 1, "one run, in one record");
    assert_eq!(world.chat(&conversation).await, ["ana: help", "slow: wait, Customer ana", "slow: now: help"]);
    // Replaced while it waits: void.
    world.receive("ana", "m2", "again").await;
    world.await_runs("slow", 1, |run| outcome(run) == Outcome::Waiting).await;
    world.apply("{ name: slow, on: message.received, do: [add_tag: other] }").await;
    let void = world.await_runs("slow", 1, |run| outcome(run) == Outcome::Skipped).await.remove(0);
    assert!(void.reason.contains("version 1 of the rule is not in force"), "{}", void.reason);
    world.stop().await;
}

#[tokio::test]
async fn timers_fire_once_after_kill_9_of_nats_server() {
    let mut world = world().await;
    let other = world.another_engine().await;
    let count = testkit::count("engine-timers", 60, 10_000);
    world.apply("{ name: idle, on: { agent.idle: { for: 3s } }, do: [add_tag: idle] }").await;
    for n in 0..count {
        world.receive(&format!("c{n}"), &format!("m{n}"), "hello").await;
    }
    // What was received has to be armed before the timers can be waited for: nothing else tells.
    world.nats.kill();
    world.nats.restart().await;
    world.nats.kill();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    world.nats.restart().await;
    let runs = world.await_runs("idle", count, |_| true).await;
    assert_eq!(runs.len(), count);
    let conversations: BTreeSet<&str> = runs.iter().map(|run| run.conversation_id.as_str()).collect();
    assert_eq!(conversations.len(), count, "each once");
    assert!(runs.iter().all(|run| outcome(run) == Outcome::Done));
    other.shutdown().begin();
    assert!(other.finish().await);
    world.stop().await;
}
