//! Rules that set each other off, or themselves, come to an end that can be read.

use proto::v1;
use proto::v1::run::Outcome;

use super::log::decisions;
use super::town::{Town, WORKSPACE};
use crate::deployment::DEADLINE;
use crate::log::Collected;

/// Links of a chain, as the design says.
const LINKS: u32 = 8;
const RULES: &str = r#"
rules:
  - name: left
    on: tag.added
    when: event.tag == "left"
    do: [remove_tag: left, add_tag: right]
  - name: right
    on: tag.added
    when: event.tag == "right"
    do: [remove_tag: right, add_tag: left]
  - name: echo
    on: message.sent
    do: [send_message: "Did you get our last message?"]
  - name: external-echo
    on: { external.tick: { conversation: "{{event.data.conversation}}" } }
    do:
      - add_note: tick
      - publish: { name: tick, data: { conversation: "{{conversation.id}}" } }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rules_that_set_each_other_off_stop_at_depth_8_and_say_so() {
    let town = Town::start(2, "").await;
    let desk = &town.desk;
    desk.staff("billing", &[("ann", 0)]).await;
    desk.apply(0, RULES).await;
    let (tags, _) = desk.receive("tags", "m1", "hello").await;
    let (echo, _) = desk.receive("echo", "m2", "hello").await;
    let (outside, _) = desk.receive("outside", "m3", "hello").await;
    desk.add_tag(&tags, "left", "begin").await;
    desk.send(&echo, "ann", "begin", "hello").await;
    let tick = format!("{{\"conversation\": \"{outside}\"}}");
    town.bus.jetstream().publish(format!("ext.{WORKSPACE}.tick"), tick.into()).await.unwrap().await.unwrap();

    for (conversation, rules) in [(&tags, ["left", "right"]), (&echo, ["echo"; 2]), (&outside, ["external-echo"; 2])] {
        chain(&town, conversation, rules).await;
    }
    let mut collected = Collected::new(&town.bus);
    collected.up_to_date().await;
    let events = collected.of_workspace(WORKSPACE);
    for conversation in [&tags, &echo, &outside] {
        let of = decisions(&events).filter(|(event, _)| event.conversation == *conversation);
        let depths: Vec<u32> = of.map(|(event, _)| event.depth).filter(|depth| *depth > 0).collect();
        assert_eq!(depths, (1..=LINKS).collect::<Vec<_>>(), "{conversation}");
    }
}

/// Eight runs that did something, then one that says why it did not.
async fn chain(town: &Town, conversation: &str, rules: [&str; 2]) {
    let request = v1::ListRunsRequest { conversation_id: conversation.to_owned(), ..v1::ListRunsRequest::default() };
    let runs = testkit::eventually("the end of a chain", DEADLINE, async || {
        let mut runs = town.desk.runs(request.clone()).await;
        runs.sort_by_key(|run| run.depth);
        (runs.len() > LINKS as usize).then_some(runs)
    })
    .await;
    let told: Vec<(u32, &str, Outcome)> =
        runs.iter().map(|run| (run.depth, run.rule.as_str(), run.outcome())).collect();
    let expected = (0..=LINKS)
        .zip(rules.into_iter().cycle())
        .map(|(depth, rule)| (depth, rule, if depth < LINKS { Outcome::Done } else { Outcome::Skipped }));
    assert_eq!(told, expected.collect::<Vec<_>>());
    let last = runs.last().unwrap();
    assert_eq!(last.reason, "chain of 8: rules set each other off");
    let one = &runs[0].correlation_id;
    assert!(!one.is_empty() && runs.iter().all(|run| run.correlation_id == *one), "one chain: {runs:#?}");
}
