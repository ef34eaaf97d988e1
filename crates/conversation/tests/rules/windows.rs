//! W2-W5: opening and closing.

use conversation::{IfOpen, MAX_OPEN, Refusal};

use crate::chat::{
    Chat, agent_named, ann, ben, bot, close, close_all, close_last, open, open_for, open_if, rule, say, tag, team,
    ticket_id,
};

#[test]
fn w2_opening_while_no_ticket_is_open_makes_a_primary() {
    let mut chat = Chat::new();
    chat.when(bot(), [open()]).then("opened 1 by bot");
}

#[test]
fn w2_opening_after_the_last_one_was_closed_makes_a_primary() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.given(ann(), [close_last()]);
    chat.when(rule(), [open()]).then("opened 2 by rule");
}

#[test]
fn w3_opening_while_a_primary_is_open_makes_a_nested_ticket() {
    let mut chat = Chat::with_tickets_by([bot()]);
    chat.when(ann(), [open()]).then("opened 2 in 1 by ann");
}

#[test]
fn w3_a_ticket_opened_while_a_nested_one_is_open_belongs_to_the_same_primary() {
    let mut chat = Chat::with_tickets_by([bot(), ann()]);
    chat.when(rule(), [open()]).then("opened 3 in 1 by rule");
}

#[test]
fn w3_a_ticket_opened_after_its_elder_sister_was_closed_belongs_to_the_same_primary() {
    let mut chat = Chat::with_tickets_by([bot(), ann()]);
    chat.given(ann(), [close("2")]);
    chat.when(ann(), [open()]).then("opened 3 in 1 by ann");
}

#[test]
fn w3_two_openings_in_one_decision_nest() {
    let mut chat = Chat::new();
    chat.when(ann(), [open(), open()]).then("opened 1 by ann | opened 2 in 1 by ann");
}

#[test]
fn w3_at_most_32_are_open_at_once() {
    let mut chat = Chat::with_tickets_by(std::iter::repeat_n(ann(), MAX_OPEN));
    chat.when(ann(), [open()]).then_refused(Refusal::TooManyOpen);
    chat.given(ann(), [close("7")]);
    chat.when(ann(), [open()]).then("opened 33 in 1 by ann");
    assert_eq!((MAX_OPEN, chat.state.open.len()), (32, 32));
}

#[test]
fn w3_a_decision_that_would_open_too_many_opens_none() {
    let mut chat = Chat::with_tickets_by(std::iter::repeat_n(ann(), MAX_OPEN - 1));
    let before = chat.state.clone();
    chat.when(ann(), [open(), open()]).then_refused(Refusal::TooManyOpen);
    assert_eq!(chat.state, before);
}

#[test]
fn w4_without_a_name_the_one_opened_last_is_closed() {
    let mut chat = Chat::with_tickets_by([ann(), ann(), ann()]);
    chat.when(ben(), [close_last()]).then("closed 3 by ben");
    chat.when(ben(), [close_last()]).then("closed 2 by ben");
    chat.when(ben(), [close_last()]).then("closed 1 by ben");
}

#[test]
fn w4_without_a_name_closed_ones_are_passed_over() {
    let mut chat = Chat::with_tickets_by([ann(), ann(), ann()]);
    chat.given(ann(), [close("3")]);
    chat.when(ben(), [close_last()]).then("closed 2 by ben");
}

#[test]
fn w4_a_named_nested_ticket_is_closed_alone() {
    let mut chat = Chat::with_tickets_by([ann(), ann(), ann()]);
    chat.when(rule(), [close("2")]).then("closed 2 by rule");
}

#[test]
fn w4_closing_a_primary_closes_its_nested_tickets_first_oldest_first_in_one_decision_by_the_same_actor() {
    let mut chat = Chat::with_tickets_by([bot(), ann(), rule(), ann()]);
    chat.given(ann(), [close("3")]);
    chat.when(ben(), [close("1")]).then("closed 2 by ben | closed 4 by ben | closed 1 by ben");
    assert!(chat.state.open.is_empty());
}

#[test]
fn w4_all_closes_every_open_one() {
    let mut chat = Chat::with_tickets_by([bot(), ann(), rule()]);
    chat.when(ben(), [close_all()]).then("closed 2 by ben | closed 3 by ben | closed 1 by ben");
}

#[test]
fn w4_closing_nothing_is_refused() {
    let mut chat = Chat::new();
    chat.when(ann(), [close_last()]).then_refused(Refusal::NothingOpen);
    chat.when(ann(), [close_all()]).then_refused(Refusal::NothingOpen);
}

#[test]
fn w4_closing_what_is_closed_or_unknown_is_refused() {
    let mut chat = Chat::with_tickets_by([ann(), ann()]);
    chat.given(ann(), [close("2")]);
    chat.when(ann(), [close("2")]).then_refused(Refusal::TicketNotOpen { ticket: ticket_id("2") });
    chat.when(ann(), [close("9")]).then_refused(Refusal::TicketNotOpen { ticket: ticket_id("9") });
}

#[test]
fn w4_closing_a_nested_ticket_after_its_primary_is_refused() {
    let mut chat = Chat::with_tickets_by([ann(), ann()]);
    chat.when(ann(), [close("1"), close("2")]).then_refused(Refusal::TicketNotOpen { ticket: ticket_id("2") });
    assert_eq!(chat.state.open.len(), 2);
}

#[test]
fn w4_a_refusal_undoes_what_went_before_it_in_the_same_command() {
    let mut chat = Chat::with_tickets_by([ann()]);
    let before = chat.state.clone();
    let all = [say(), tag("vip"), open(), close("9")];
    chat.when(ann(), all).then_refused(Refusal::TicketNotOpen { ticket: ticket_id("9") });
    assert_eq!(chat.state, before);
}

#[test]
fn w4_the_decision_names_the_windows_it_closed_with_the_assignee_at_closing() {
    let mut chat = Chat::new();
    chat.given(bot(), [open_for(team("billing"))]).at(1_060).given(ann(), [open_for(agent_named("ann"))]);
    let closed = chat.at(1_120).when(ben(), [close("1")]).then("closed 2 by ben | closed 1 by ben | unassigned").closed;
    let held: Vec<_> = closed.iter().map(|closed| (closed.ticket.id.clone(), closed.assignee.clone())).collect();
    let expected = Some(agent_named("ann"));
    assert_eq!(held, [(ticket_id("2"), expected.clone()), (ticket_id("1"), expected)]);
    assert_eq!((closed[1].ticket.open_revision, closed[1].ticket.opened_by.clone()), (10, bot()));
}

#[test]
fn w5_a_new_opening_is_a_new_ticket_with_an_id_never_used_before() {
    let mut chat = Chat::with_tickets_by([ann(), ann()]);
    chat.given(ann(), [close_all()]);
    chat.when(ann(), [open()]).then("opened 3 by ann");
    chat.when(ann(), [close("1")]).then_refused(Refusal::TicketNotOpen { ticket: ticket_id("1") });
}

#[test]
fn w5_closing_and_opening_in_one_decision_is_a_new_window() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.when(ann(), [close_last(), open()]).then("closed 1 by ann | opened 2 by ann");
}

#[test]
fn opening_unless_open_finds_the_primary_and_does_nothing() {
    let mut chat = Chat::with_tickets_by([ann(), ann()]);
    chat.when(bot(), [open_if(IfOpen::ReturnPrimary)]).then_nothing_but_found("1");
}

#[test]
fn opening_unless_open_opens_when_none_is() {
    let mut chat = Chat::new();
    chat.when(bot(), [open_if(IfOpen::ReturnPrimary)]).then("opened 1 by bot");
}

#[test]
fn opening_that_wants_none_open_is_refused_with_all_that_goes_with_it() {
    let mut chat = Chat::with_tickets_by([ann(), ann()]);
    let found = Refusal::TicketOpen { primary: ticket_id("1") };
    chat.when(rule(), [tag("late"), open_if(IfOpen::Refuse)]).then_refused(found);
    assert!(chat.state.tags.is_empty());
}

#[test]
fn the_topic_and_the_opener_stay_with_the_window() {
    let mut chat = Chat::new();
    let refund = conversation::Action::OpenTicket { topic: "refund".to_owned(), assignee: None, if_open: IfOpen::Nest };
    let decision = chat.when(rule(), [refund]).then("opened 1 by rule");
    let opened: Vec<_> = decision.opened().collect();
    assert_eq!((opened[0].topic.as_str(), &opened[0].opened_by), ("refund", &rule()));
    assert_eq!(chat.state.open[0].open_revision, chat.state.revision);
}
