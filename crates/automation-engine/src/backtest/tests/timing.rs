use bus::Staff;
use conversation::Action as Deed;
use proto::v1::run::Outcome;

use super::log::{Log, open, say};
use super::{END, START, counts, of, run};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

const AUTO_CLOSE: &str = r#"
name: auto-close
on: { customer.idle: { for: 24h } }
when: conversation.open_ticket_count > 0
do: [{close_ticket: all}]
"#;

#[test]
fn tickets_close_after_a_day_of_silence() {
    let mut log = Log::default();
    log.at(START + 1).agent("c1", "ann", vec![open("a"), say("how can I help?")]);
    log.agent("c2", "ann", vec![open("b"), say("how can I help?")]);
    log.agent("c3", "ann", vec![open("c"), say("how can I help?")]);
    log.at(START + 20 * HOUR).customer("c2", "like this");
    log.at(START + 21 * HOUR).agent("c3", "ann", vec![say("are you there?")]);
    // Long after: what is due in between comes first, in the time that it is due.
    log.at(END - DAY).customer("c1", "back again");
    log.at(END - HOUR).agent("c2", "ann", vec![say("sorry")]);
    let report = run(AUTO_CLOSE, &log, Staff::default());
    let rule = of(&report, "auto-close");
    assert_eq!((rule.tickets_closed, rule.skipped), (2, 1), "c1 and c3 were silent, c2 wrote: {rule:?}");
    assert_eq!(counts(&report.simulated), (3, 2, 0));
    let closed = |chat: &str| {
        let run = rule.examples.iter().find(|run| run.conversation_id == chat && run.outcome() == Outcome::Done);
        run.and_then(|run| run.time).map(|time| time.seconds)
    };
    assert_eq!(closed("c1"), Some(START + 1 + DAY));
    assert_eq!(closed("c3"), Some(START + 21 * HOUR + DAY), "each message begins the day anew");
    let void = rule.examples.iter().find(|run| run.outcome() == Outcome::Skipped).unwrap();
    assert_eq!((void.conversation_id.as_str(), void.reason.as_str()), ("c2", "void: the customer wrote"));
}

#[test]
fn an_escalation_is_void_once_an_agent_answered() {
    let yaml = r#"
rules:
  - name: escalate
    on: { ticket.unanswered: { for: 10m } }
    do: [{add_tag: late}]
  - name: wake-up
    on: { agent.idle: { for: 5m } }
    do: [{add_note: {text: "somebody waits"}}]
"#;
    let mut log = Log::default();
    for chat in ["answered", "closed", "late"] {
        log.at(START + 1).customer(chat, "help").agent(chat, "ann", vec![open("x")]);
    }
    log.at(START + 60).agent("answered", "ann", vec![say("here")]);
    log.at(START + 120).agent("closed", "ann", vec![super::log::close()]);
    log.at(START + 200).customer("late", "hello?");
    let report = run(yaml, &log, Staff::default());
    let rule = of(&report, "escalate");
    assert_eq!((rule.matches - rule.skipped + 2, rule.skipped), (1, 2), "{rule:?}");
    let reasons: Vec<&str> = rule.examples.iter().map(|run| run.reason.as_str()).collect();
    assert!(reasons.contains(&"void: an agent answered") && reasons.contains(&"void: the ticket is closed"));
    let wake_up = of(&report, "wake-up");
    assert_eq!(wake_up.matches, 2, "closed and late: nobody wrote there");
    let first = &wake_up.examples[0];
    assert_eq!(first.time.unwrap().seconds, START + 1 + 300, "from the first message that waits");
}

#[test]
fn a_run_goes_on_after_a_wait_with_the_world_of_then() {
    let yaml = r#"
name: follow-up
on: tag.added
do:
  - add_note: { text: "waiting" }
  - wait: 2h
  - open_ticket: { topic: "follow-up" }
  - add_note: { text: "done" }
"#;
    let mut log = Log::default();
    log.at(START + 1).agent("c1", "ann", vec![Deed::AddTag("a".to_owned())]);
    log.agent("c2", "ann", vec![Deed::AddTag("a".to_owned())]);
    log.at(START + HOUR).agent("c2", "ann", vec![open("meanwhile")]);
    let report = run(yaml, &log, Staff::default());
    let rule = of(&report, "follow-up");
    assert_eq!((rule.matches, rule.tickets_opened, rule.refused), (2, 1, 1));
    let outcomes: Vec<Outcome> = rule.examples.iter().map(|run| run.outcome()).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Refused], "each run is shown as it ended: {rule:?}");
    assert_eq!(rule.examples[0].actions.len(), 4);
}

#[test]
fn schedules_come_as_often_as_they_would_have() {
    let yaml = r#"
name: daily
on: { schedule: { cron: "0 9 * * *", time_zone: UTC } }
do: [{publish: {name: report, data: {day: "{{now}}"}}}]
"#;
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "hello");
    let report = run(yaml, &log, Staff::default());
    assert_eq!((report.rules[0].matches, report.rules[0].events_published), (10, 10));
}

#[test]
fn timers_that_are_due_after_the_period_do_not_come() {
    let mut log = Log::default();
    log.at(END - HOUR).agent("c1", "ann", vec![open("a"), say("hello")]);
    log.at(END + 2 * DAY).agent("c1", "ann", vec![say("after the period")]);
    let report = run(AUTO_CLOSE, &log, Staff::default());
    assert_eq!((report.events, of(&report, "auto-close").events), (1, 0));
}
