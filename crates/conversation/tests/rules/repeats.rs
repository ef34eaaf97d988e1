//! W9: repeated commands, no-ops, and the revision that a command expects.

use conversation::{MAX_RECENT, Refusal};

use crate::chat::{Chat, ann, ben, close_last, open, say, tag};

#[test]
fn w9_a_repeated_command_returns_the_first_revision_and_is_decided_once() {
    let mut chat = Chat::new();
    let opening = chat.command(ann(), [open()]);
    chat.run(&opening).then("opened 1 by ann");
    chat.given(ann(), [close_last()]);
    chat.run(&opening).then_repeats(10);
    assert!(chat.state.open.is_empty());
}

#[test]
fn w9_with_another_payload_it_is_refused() {
    let mut chat = Chat::new();
    let mut opening = chat.command(ann(), [open()]);
    chat.run(&opening).then("opened 1 by ann");
    opening.key.digest += 1;
    chat.run(&opening).then_refused(Refusal::CommandReused);
}

#[test]
fn w9_a_command_is_remembered_for_64_decisions() {
    let mut chat = Chat::new();
    let first = chat.command(ann(), [say()]);
    chat.run(&first).then("assigned ann | said m1");
    for _ in 1..MAX_RECENT {
        chat.given(ben(), [say()]);
    }
    chat.run(&first).then_repeats(10);
    chat.given(ben(), [say()]);
    chat.run(&first).then("said m66");
    assert_eq!((MAX_RECENT, chat.state.recent.len()), (64, 64));
}

#[test]
fn w9_one_forgotten_and_decided_anew_is_remembered_anew() {
    let mut chat = Chat::new();
    let first = chat.command(ann(), [say()]);
    chat.run(&first).decision();
    for _ in 0..MAX_RECENT {
        chat.given(ben(), [say()]);
    }
    chat.run(&first).decision();
    let second_time = chat.state.revision;
    chat.given(ben(), [say()]);
    chat.run(&first).then_repeats(second_time);
}

#[test]
fn w9_a_repeat_is_answered_although_the_conversation_has_moved_on() {
    let mut chat = Chat::new();
    let mut opening = chat.command(ann(), [open()]);
    opening.expected_revision = Some(0);
    chat.run(&opening).then("opened 1 by ann");
    chat.given(ann(), [close_last()]);
    chat.run(&opening).then_repeats(10);
}

#[test]
fn w9_no_ops_and_refusals_are_not_remembered() {
    let mut chat = Chat::new();
    let closing = chat.command(ann(), [close_last()]);
    chat.run(&closing).then_refused(Refusal::NothingOpen);
    chat.given(ann(), [open()]);
    chat.run(&closing).then("closed 1 by ann");

    let tagging = chat.command(ann(), [tag("vip")]);
    chat.given(ben(), [tag("vip")]);
    chat.run(&tagging).then_nothing(30);
    chat.given(ben(), [crate::chat::untag("vip")]);
    chat.run(&tagging).then("+vip");
}

#[test]
fn w9_a_no_op_returns_the_last_decisions_revision() {
    let mut chat = Chat::new();
    chat.when(ann(), []).then_nothing(0);
    chat.given(ann(), [open()]).given(ann(), [say()]);
    chat.when(ann(), []).then_nothing(20);
}

#[test]
fn a_command_that_expects_an_older_decision_is_refused() {
    let mut chat = Chat::new();
    chat.given(ann(), [open()]).given(ann(), [say()]);
    let mut closing = chat.command(ann(), [close_last()]);
    for expected in [0, 10, 19] {
        closing.expected_revision = Some(expected);
        chat.run(&closing).then_refused(Refusal::MovedOn { revision: 20 });
    }
}

#[test]
fn a_command_that_expects_the_last_decision_or_a_fact_after_it_is_decided() {
    for expected in [10, 11, 12] {
        let mut chat = Chat::with_tickets_by([ann()]);
        let mut closing = chat.command(ann(), [close_last()]);
        closing.expected_revision = Some(expected);
        chat.run(&closing).then("closed 1 by ann");
    }
}
