use super::log::{Log, close, open};
use super::{START, assigned, of, run, team};

const BY_TURNS: &str = r#"
name: share
on: message.received
when: conversation.open_ticket_count == 0
do:
  - open_ticket: { topic: t }
  - assign: { team: billing, strategy: round_robin, only_online: true, fallback: [team_queue] }
"#;

#[test]
fn everyone_who_is_there_today_gets_a_turn() {
    let staff = team("billing", &[("ann", 0), ("ben", 0), ("cem", 0)], &["ann", "cem"]);
    let mut log = Log::default();
    for nth in 0..21 {
        log.at(START + nth).customer(&format!("c{nth}"), "hello");
    }
    let report = run(BY_TURNS, &log, staff);
    assert_eq!(assigned(&of(&report, "share").assigned), ["ann@billing 11", "cem@billing 10"]);
}

#[test]
fn what_nobody_has_room_for_waits_and_is_given_away_oldest_first() {
    let staff = team("billing", &[("ann", 1)], &["ann"]);
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "first").customer("c2", "second").customer("c3", "third");
    log.at(START + 60).agent("c1", "ann", vec![open("hers"), close()]);
    let report = run(BY_TURNS, &log, staff.clone());
    let rule = of(&report, "share");
    assert_eq!(assigned(&rule.assigned), ["@billing 2", "ann@billing 1"], "ann has c1, which is still open");
    // The log's ticket of c1 was nested in the draft's, which stays open: closing that frees ann.
    log.at(START + 90).agent("c1", "ann", vec![open("x"), close()]);
    let closing = format!("rules:\n  - {{{}\n{}", "name: done, on: tag.added, do: [{close_ticket: all}]}", indented());
    log.at(START + 120).agent("c1", "ann", vec![conversation::Action::AddTag("over".to_owned())]);
    let report = run(&closing, &log, staff);
    assert_eq!(assigned(&of(&report, "share").assigned), ["@billing 2", "ann@billing 2"]);
    let listed = report.differences.iter().find(|difference| difference.conversation_id == "c2").unwrap();
    assert_eq!(assigned(&listed.simulated.as_ref().unwrap().assigned), ["@billing 1", "ann@billing 1"], "the oldest");
}

fn indented() -> String {
    let mut lines = BY_TURNS.trim().lines();
    let first = format!("  - {}\n", lines.next().unwrap());
    first + &lines.map(|line| format!("    {line}\n")).collect::<String>()
}

#[test]
fn when_nobody_is_there_today_the_report_says_so() {
    let staff = team("billing", &[("ann", 0)], &[]);
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "first");
    let report = run(BY_TURNS, &log, staff);
    assert_eq!(assigned(&of(&report, "share").assigned), ["@billing 1"]);
    assert!(report.notes.iter().any(|note| note.contains("nobody of team billing is online")), "{:?}", report.notes);
}
