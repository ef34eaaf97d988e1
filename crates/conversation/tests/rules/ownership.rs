//! W6: who owns the conversation.

use conversation::{Action, Assignee, Settings};

use crate::chat::{
    Chat, agent_named, ann, assign, ben, bot, close, close_all, close_last, member, note, open, open_for, rule, say,
    team,
};

#[test]
fn w6_a_conversation_is_assigned_with_or_without_an_open_ticket() {
    let mut chat = Chat::new();
    chat.when(ann(), [assign("ben")]).then("assigned ben");
    chat.given(ann(), [open()]);
    chat.when(ann(), [assign("ann")]).then("assigned ann");
    assert_eq!(chat.state.assignee, Some(agent_named("ann")));
}

#[test]
fn w6_an_assignee_is_an_agent_a_team_or_an_agent_of_a_team() {
    let mut chat = Chat::new();
    chat.when(rule(), [Action::Assign(team("billing"))]).then("assigned team billing");
    chat.when(rule(), [Action::Assign(member("ann", "billing"))]).then("assigned ann of billing");
    chat.when(rule(), [assign("ann")]).then("assigned ann");
    assert_eq!(Assignee::from_ids("", ""), None);
    assert_eq!(Assignee::from_ids("ann", "billing"), Some(member("ann", "billing")));
}

#[test]
fn w6_assigning_to_the_current_assignee_is_a_success_without_a_stamp() {
    let mut chat = Chat::new();
    chat.given(rule(), [Action::Assign(member("ann", "billing"))]);
    chat.when(ben(), [Action::Assign(member("ann", "billing"))]).then_nothing(10);
}

#[test]
fn w6_unassigning_nobody_is_a_success_without_a_stamp() {
    let mut chat = Chat::new();
    chat.when(ann(), [Action::Unassign]).then_nothing(0);
    chat.given(ann(), [assign("ann")]);
    chat.when(ann(), [Action::Unassign]).then("unassigned");
    chat.when(ann(), [Action::Unassign]).then_nothing(20);
}

#[test]
fn w6_an_agent_who_writes_into_an_unassigned_conversation_becomes_its_assignee_in_the_same_decision() {
    let mut chat = Chat::with_tickets_by([bot()]);
    chat.when(ann(), [say()]).then("assigned ann | said m1");
    chat.when(ann(), [say()]).then("said m2");
}

#[test]
fn w6_an_agent_who_writes_into_an_assigned_conversation_does_not_take_it() {
    let mut chat = Chat::new();
    chat.given(ann(), [Action::Assign(team("billing"))]);
    chat.when(ben(), [say()]).then("said m1");
    assert_eq!(chat.state.assignee, Some(team("billing")));
}

#[test]
fn w6_writing_assigns_agents_alone_and_words_to_the_customer_alone() {
    let mut chat = Chat::new();
    chat.when(bot(), [say()]).then("said m1");
    chat.when(rule(), [say()]).then("said m2");
    chat.when(ann(), [note()]).then("noted m3");
    assert_eq!(chat.state.assignee, None);
}

#[test]
fn w6_assigning_on_write_is_a_setting() {
    let mut chat = Chat::new();
    chat.settings = Settings { assign_on_write: false, ..Settings::default() };
    chat.when(ann(), [say()]).then("said m1");
}

#[test]
fn w6_closing_the_last_open_ticket_ends_ownership_after_the_closed_stamps() {
    let mut chat = Chat::with_tickets_by([bot(), ann()]);
    chat.given(ann(), [assign("ann")]);
    chat.when(ben(), [close_all()]).then("closed 2 by ben | closed 1 by ben | unassigned");
    assert_eq!(chat.state.assignee, None);
}

#[test]
fn w6_closing_one_of_several_leaves_the_owner() {
    let mut chat = Chat::with_tickets_by([bot(), ann()]);
    chat.given(ann(), [assign("ann")]);
    chat.when(ann(), [close("2")]).then("closed 2 by ann");
    assert_eq!(chat.state.assignee, Some(agent_named("ann")));
}

#[test]
fn w6_ending_ownership_is_a_setting() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.settings = Settings { unassign_on_close: false, ..Settings::default() };
    chat.given(ann(), [assign("ann")]);
    chat.when(ann(), [close_last()]).then("closed 1 by ann");
    assert_eq!(chat.state.assignee, Some(agent_named("ann")));
}

#[test]
fn w6_opening_with_an_assignee_is_opened_then_assigned() {
    let mut chat = Chat::new();
    chat.when(bot(), [open_for(team("billing"))]).then("opened 1 by bot | assigned team billing");
    chat.when(bot(), [open_for(team("billing"))]).then("opened 2 in 1 by bot");
}

#[test]
fn w6_who_writes_and_closes_at_once_was_the_assignee_at_closing() {
    let mut chat = Chat::with_tickets_by([bot()]);
    let decision =
        chat.when(ann(), [say(), close_last()]).then("assigned ann | said m1 | closed 1 by ann | unassigned");
    assert_eq!(decision.closed[0].assignee, Some(agent_named("ann")));
}

#[test]
fn w6_closing_and_assigning_at_once_leaves_the_new_owner() {
    let mut chat = Chat::new();
    chat.given(ann(), [open_for(agent_named("ann"))]);
    chat.when(ann(), [close_last(), assign("ben")]).then("closed 1 by ann | unassigned | assigned ben");
}
