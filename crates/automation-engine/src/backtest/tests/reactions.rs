use bus::Staff;
use conversation::Action as Deed;
use proto::v1::run::Outcome;

use super::log::{Log, close, open, say};
use super::{START, counts, of, run};

const REFUNDS: &str = r#"
rules:
  - name: refunds
    on: message.received
    when: message.text.matches("(?i)refund") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - send_message: { text: "Hello {{contact.display_name}}, a colleague is on it." }
"#;

#[test]
fn a_ticket_opens_on_a_keyword_once() {
    let mut log = Log::default();
    log.at(START - 9).customer("c1", "a refund before the period");
    log.at(START + 1).customer("c1", "hello").customer("c1", "I want a REFUND").customer("c1", "refund!");
    log.customer("c2", "where is my order?");
    let report = run(REFUNDS, &log, Staff::default());
    let rule = of(&report, "refunds");
    assert_eq!((rule.events, rule.matches, rule.tickets_opened, rule.messages_sent), (4, 1, 1, 1));
    assert_eq!((report.events, report.events_before, report.conversations_different), (4, 1, 1));
    assert_eq!(counts(&report.actual), (0, 0, 0));
    assert_eq!(counts(&report.simulated), (1, 0, 1));
    let example = &rule.examples[0];
    assert_eq!((example.outcome(), example.event_id.as_str(), example.event_revision), (Outcome::Done, "e3", 3));
    assert_eq!(example.actions[0].detail, "opened a ticket about \"refund\"");
    let falses: Vec<(&str, i64)> = rule.not_matched.iter().map(|part| (part.condition.as_str(), part.count)).collect();
    assert_eq!(falses, [("message.text.matches(\"(?i)refund\")", 2), ("conversation.open_ticket_count == 0", 1)]);
}

#[test]
fn a_fact_that_is_on_the_log_twice_is_heard_once() {
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "refund").again().agent("c1", "ann", vec![close_like()]);
    let yaml = "{name: echo, on: message.received, do: [{add_note: {text: heard}}]}";
    assert_eq!(of(&run(yaml, &log, Staff::default()), "echo").matches, 1);
}

fn close_like() -> Deed {
    Deed::AddTag("x".to_owned())
}

#[test]
fn out_of_hours_the_time_of_the_record_counts() {
    let yaml = r#"
name: closed
on: message.received
when: '!workspace.open && conversation.open_ticket_count == 0'
fires: once_per_conversation
do: [{send_message: {text: "We are here from 9 to 5."}}]
"#;
    let day = START - START % 86_400 + 86_400;
    let mut log = Log::default();
    log.at(day + 8 * 3600).customer("c1", "early").customer("c1", "still early");
    log.at(day + 10 * 3600).customer("c2", "in time");
    log.at(day + 18 * 3600).customer("c3", "late");
    let report = run(yaml, &log, Staff::default());
    let rule = of(&report, "closed");
    assert_eq!((rule.matches, rule.messages_sent, rule.skipped), (3, 2, 1));
    assert!(rule.examples.iter().any(|run| run.reason == "it fired before"), "{:?}", rule.examples);
}

#[test]
fn loops_stop_at_depth_and_say_so() {
    let yaml = r#"
rules:
  - {name: ping, on: tag.added, when: event.tag == "a", do: [{remove_tag: a}, {add_tag: b}]}
  - {name: pong, on: tag.added, when: event.tag == "b", do: [{remove_tag: b}, {add_tag: a}]}
"#;
    let mut log = Log::default();
    log.at(START + 1).agent("c1", "ann", vec![Deed::AddTag("a".to_owned())]);
    let report = run(yaml, &log, Staff::default());
    let (ping, pong) = (of(&report, "ping"), of(&report, "pong"));
    assert_eq!((ping.matches, ping.skipped, pong.matches, pong.skipped), (5, 1, 4, 0));
    assert!(ping.examples.iter().any(|run| run.reason.contains("chain of 8")), "{:?}", ping.examples);
}

#[test]
fn a_rule_that_answers_itself_is_held_by_its_rate() {
    let yaml = r#"
name: parrot
on: message.received
rate_limit: { times: 2, per: 1m }
do: [{send_message: {text: "{{message.text}}!"}}]
"#;
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "1").customer("c1", "2").customer("c1", "3");
    log.at(START + 62).customer("c1", "4");
    let rule = &run(yaml, &log, Staff::default()).rules[0];
    assert_eq!((rule.matches, rule.messages_sent, rule.skipped), (4, 3, 1));
}

#[test]
fn rules_run_other_rules_and_only_count_what_goes_outside() {
    let yaml = r#"
rules:
  - name: first
    on: message.received
    do:
      - call_webhook: { url: "https://example.com/hook" }
      - publish: { name: heard, data: { text: "{{message.text}}" } }
      - run: { rule: second }
      - run: { rule: second }
  - {name: second, on: manual, do: [{add_tag: seen}]}
"#;
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "hello");
    let report = run(yaml, &log, Staff::default());
    let (first, second) = (of(&report, "first"), of(&report, "second"));
    assert_eq!((first.webhooks_called, first.events_published, second.matches), (1, 1, 1));
    assert!(first.examples[0].actions[3].detail.contains("ran about this event before"), "{first:?}");
}

#[test]
fn a_refusal_ends_the_actions_and_is_counted() {
    let yaml = r#"
name: always
on: message.received
do: [{open_ticket: {topic: t}}, {send_message: {text: hi}}]
"#;
    let mut log = Log::default();
    log.at(START + 1).agent("c1", "ann", vec![open("theirs")]).customer("c1", "hello");
    let rule = &run(yaml, &log, Staff::default()).rules[0];
    assert_eq!((rule.matches, rule.refused, rule.tickets_opened, rule.messages_sent), (1, 1, 0, 0));
    assert_eq!(rule.examples[0].outcome(), Outcome::Refused);
}

#[test]
fn a_conversation_starts_with_the_first_message_ever() {
    let yaml = "{name: hello, on: conversation.started, do: [{add_tag: new}]}";
    let mut log = Log::default();
    log.at(START - 5).customer("old", "before");
    log.at(START + 5).customer("old", "again").customer("fresh", "first").customer("fresh", "second");
    let rule = &run(yaml, &log, Staff::default()).rules[0];
    assert_eq!((rule.events, rule.matches), (1, 1));
}

#[test]
fn conditions_on_the_past_are_answered_from_what_was_seen() {
    let yaml = r#"
rules:
  - name: after-agent
    on: message.received
    when: conversation.last_message.actor.kind == "agent" && conversation.last_message.actor.id == "ann"
    do: [{add_note: {text: x}}]
  - name: third
    on: message.received
    when: conversation.unread_count == 3
    do: [{add_note: {text: x}}]
  - name: regular
    on: message.received
    when: conversation.last_ticket.topic == "refund" && conversation.last_ticket.closed_by.id == "ann"
    do: [{add_note: {text: x}}]
  - name: long-talk
    on: ticket.closed
    when: ticket.message_count.inbound >= 1
    do: [{add_note: {text: x}}]
"#;
    let mut log = Log::default();
    log.at(START - 9).agent("c1", "ann", vec![open("refund"), close()]);
    log.agent("c2", "ann", vec![say("I called you")]);
    log.at(START + 1).customer("c1", "one").customer("c1", "two").customer("c1", "three");
    log.customer("c2", "yes?").customer("c2", "hello?");
    let yaml = &yaml.replace("ticket.message_count.inbound >= 1", "ticket.topic == \"\"");
    let report = run(yaml, &log, Staff::default());
    let matches: Vec<i64> = report.rules.iter().map(|rule| rule.matches).collect();
    assert_eq!(matches, [1, 1, 3, 0]);
}
