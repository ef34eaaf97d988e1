use bus::Staff;
use conversation::{Action as Deed, Assignee, IfOpen, Which};

use super::log::{Log, close, open, say};
use super::{START, assigned, counts, of, run, run_in};

const OPEN: &str = r#"
name: open
on: message.received
when: conversation.open_ticket_count == 0
do: [{open_ticket: {topic: new}}, {send_message: {text: hello}}]
"#;

const NOTHING: &str = "{name: nothing, on: manual, do: [{add_tag: x}]}";

#[test]
fn what_automations_did_is_not_there() {
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "hello").rule("c1", "old", vec![open("old"), say("old words")]);
    log.at(START + 9).agent("c1", "ann", vec![say("yes?")]).agent("c1", "ann", vec![close()]);
    let report = run(NOTHING, &log, Staff::default());
    assert_eq!(counts(&report.actual), (1, 1, 1));
    assert_eq!(counts(&report.simulated), (0, 0, 0));
    assert_eq!((report.conversations_different, report.left_out), (1, 1), "no ticket was there to close");
    assert_eq!(assigned(&report.simulated.unwrap().assigned), ["ann@ 1"], "she wrote all the same");
}

#[test]
fn a_draft_like_what_ran_makes_no_difference() {
    let mut log = Log::default();
    for nth in 0..20 {
        let chat = format!("c{nth}");
        log.at(START + 100 * nth).customer(&chat, "hello").rule(&chat, "open", vec![open("new"), say("hello")]);
        log.at(START + 100 * nth + 9).customer(&chat, "more").agent(&chat, "ann", vec![say("yes?")]);
        log.at(START + 100 * nth + 20).agent(&chat, "ann", vec![Deed::AddTag("x".to_owned()), open("nested")]);
        if nth % 2 == 0 {
            log.at(START + 100 * nth + 30).agent(&chat, "ann", vec![Deed::CloseTicket(Which::All)]);
        }
        if nth % 4 == 0 {
            log.at(START + 100 * nth + 40).customer(&chat, "again").rule(
                &chat,
                "open",
                vec![open("new"), say("hello")],
            );
        }
    }
    let report = run(OPEN, &log, Staff::default());
    assert_eq!((report.conversations_different, report.left_out), (0, 0), "{:?}", report.differences);
    assert_eq!(report.actual, report.simulated);
    assert_eq!(counts(&report.actual), (45, 20, 25));
}

#[test]
fn parts_of_a_simulation_find_what_the_whole_finds() {
    let mut log = Log::default();
    for nth in 0..300 {
        let chat = format!("c{}", nth % 37);
        log.at(START + nth).customer(&chat, "hello");
        match nth % 5 {
            0 => log.agent(&chat, "ann", vec![open("hers"), close()]),
            1 => log.rule(&chat, "old", vec![say("old words")]),
            _ => &mut log,
        };
    }
    let whole = run(OPEN, &log, Staff::default());
    assert_eq!(whole.events as usize, log.len());
    assert!(whole.conversations_different > 30);
    for parts in [2, 3, 7] {
        assert_eq!(run_in(parts, OPEN, &log, Staff::default()), whole, "{parts} parts");
    }
}

#[test]
fn each_conversation_tells_its_difference_and_the_largest_come_first() {
    let mut log = Log::default();
    for nth in 0..150 {
        log.at(START + 1).customer(&format!("c{nth}"), "hello");
    }
    log.rule("c7", "old", vec![Deed::Assign(Assignee::Team("billing".to_owned())), say("one"), say("two")]);
    log.rule("c8", "old", vec![open("new"), say("hello")]);
    let report = run(OPEN, &log, Staff::default());
    assert_eq!((report.conversations_different, report.differences.len()), (149, 100));
    let first = &report.differences[0];
    assert_eq!(first.conversation_id, "c7");
    assert_eq!(counts(&first.actual), (0, 0, 2));
    assert_eq!(counts(&first.simulated), (1, 0, 1));
    assert_eq!(assigned(&first.actual.as_ref().unwrap().assigned), ["@billing 1"]);
    assert!(report.differences.iter().all(|difference| difference.conversation_id != "c8"));
}

#[test]
fn the_bot_is_silent_where_the_draft_took_over() {
    let mut log = Log::default();
    log.at(START + 1).customer("c1", "hello").bot("c1", vec![say("I am a bot")]);
    log.customer("c2", "hello");
    let handoff = Deed::OpenTicket { topic: "handoff".to_owned(), assignee: None, if_open: IfOpen::ReturnPrimary };
    log.bot("c2", vec![handoff, say("a colleague comes")]);
    let report = run(OPEN, &log, Staff::default());
    assert_eq!((report.left_out, report.simulated.unwrap().tickets_opened), (3, 2));
    let report = run(NOTHING, &log, Staff::default());
    assert_eq!((report.left_out, report.conversations_different), (0, 0));
}

#[test]
fn what_agents_do_is_done_to_the_tickets_of_the_simulation() {
    let mut log = Log::default();
    // Before the period; then a nested one while, in the simulation, the first is closed already.
    log.at(START - 9).agent("c1", "ann", vec![open("before")]);
    log.at(START + 1).customer("c1", "thanks").agent("c1", "ann", vec![open("nested")]);
    log.at(START + 5).agent("c1", "ann", vec![Deed::CloseTicket(Which::All)]);
    let yaml = r#"
name: thanks
on: message.received
when: message.text == "thanks"
do: [{close_ticket: last}]
"#;
    let report = run(yaml, &log, Staff::default());
    // The rule closes "before"; ann's ticket is a primary now, and closes; hers of "before" is closed already.
    assert_eq!(counts(&report.simulated), (1, 2, 0));
    assert_eq!((counts(&report.actual), report.left_out), ((1, 2, 0), 1));
    assert_eq!(of(&report, "thanks").tickets_closed, 1);
}

#[test]
fn what_became_of_messages_that_are_not_there_sets_off_nothing() {
    let yaml = "{name: undelivered, on: message.failed, do: [{add_tag: undelivered}]}";
    let mut log = Log::default();
    log.at(START + 1).rule("c1", "old", vec![say("words")]).failed("c1", "c1-m1");
    log.agent("c2", "ann", vec![say("words")]).failed("c2", "c2-m1");
    assert_eq!(of(&run(yaml, &log, Staff::default()), "undelivered").matches, 1);
}
