//! W12: when the bot may speak.

use conversation::{Action, Refusal, Settings};

use crate::chat::{
    Chat, ann, assign, bot, close, close_all, close_last, note, open, open_for, rule, say, system, team,
};

#[test]
fn w12_the_bot_speaks_while_no_ticket_is_open_nobody_is_assigned_and_it_is_not_paused() {
    let mut chat = Chat::new();
    chat.when(bot(), [say()]).then("said m1");
    chat.given(ann(), [open_for(team("billing"))]).given(ann(), [close_last()]);
    chat.when(bot(), [say()]).then("said m2");
}

#[test]
fn w12_the_bot_is_silent_while_a_ticket_is_open() {
    for opener in [bot(), rule(), ann()] {
        let mut chat = Chat::with_tickets_by([opener]);
        chat.when(bot(), [say()]).then_refused(Refusal::BotDoesNotHold);
    }
}

#[test]
fn w12_the_bot_is_silent_while_somebody_is_assigned() {
    let mut chat = Chat::new();
    chat.given(ann(), [assign("ann")]);
    chat.when(bot(), [say()]).then_refused(Refusal::BotDoesNotHold);
    chat.given(ann(), [Action::Unassign]);
    chat.when(bot(), [say()]).then("said m1");
}

#[test]
fn w12_the_bot_is_silent_after_the_last_ticket_closed_while_ownership_goes_on() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.settings = Settings { unassign_on_close: false, ..Settings::default() };
    chat.given(ann(), [assign("ann")]).given(ann(), [close_last()]);
    chat.when(bot(), [say()]).then_refused(Refusal::BotDoesNotHold);
}

#[test]
fn w12_the_bot_is_silent_while_paused() {
    for actor in [rule(), ann(), system(), bot()] {
        let mut chat = Chat::new();
        chat.when(actor.clone(), [Action::PauseBot]).then("bot paused");
        chat.when(bot(), [say()]).then_refused(Refusal::BotDoesNotHold);
        chat.when(actor, [Action::ResumeBot]).then("bot resumed");
        chat.when(bot(), [say()]).then("said m1");
    }
}

#[test]
fn w12_a_pause_ends_when_the_last_ticket_closes() {
    let mut chat = Chat::with_tickets_by([ann(), ann()]);
    chat.given(system(), [Action::PauseBot]);
    chat.when(ann(), [close("2")]).then("closed 2 by ann");
    assert!(chat.state.bot_paused);
    chat.when(ann(), [close("1")]).then("closed 1 by ann | bot resumed");
    chat.when(bot(), [say()]).then("said m1");
}

#[test]
fn w12_a_pause_begun_with_the_closing_lasts() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.when(ann(), [close_last(), Action::PauseBot]).then("closed 1 by ann | bot paused");
    chat.when(bot(), [say()]).then_refused(Refusal::BotDoesNotHold);
}

#[test]
fn w12_pausing_a_paused_bot_changes_nothing() {
    let mut chat = Chat::new();
    chat.when(rule(), [Action::ResumeBot]).then_nothing(0);
    chat.given(rule(), [Action::PauseBot]);
    chat.when(rule(), [Action::PauseBot]).then_nothing(10);
}

#[test]
fn w12_a_handoff_says_its_words_in_any_order() {
    for words_first in [true, false] {
        let mut chat = Chat::new();
        let handoff = [open_for(team("billing")), note()];
        let (all, then): (Vec<Action>, _) = if words_first {
            (
                [say()].into_iter().chain(handoff).collect(),
                "said m1 | opened 1 by bot | assigned team billing | noted m2",
            )
        } else {
            (
                handoff.into_iter().chain([say()]).collect(),
                "opened 1 by bot | assigned team billing | noted m1 | said m2",
            )
        };
        chat.when(bot(), all).then(then);
        chat.when(bot(), [say()]).then_refused(Refusal::BotDoesNotHold);
    }
}

#[test]
fn w12_a_handoff_overtaken_by_a_human_says_nothing() {
    let mut chat = Chat::new();
    chat.given(ann(), [say()]);
    chat.when(bot(), [open_for(team("billing")), say()]).then_refused(Refusal::BotDoesNotHold);
    assert!(chat.state.open.is_empty());
}

#[test]
fn w12_the_bot_says_farewell_when_it_closes_a_ticket_of_its_own_making() {
    let mut chat = Chat::new();
    chat.given(bot(), [open_for(team("billing"))]);
    chat.when(bot(), [say(), close_last()]).then("said m1 | closed 1 by bot | unassigned");
}

#[test]
fn w12_the_bot_says_no_farewell_while_someone_elses_ticket_is_open() {
    let mut chat = Chat::with_tickets_by([bot(), ann()]);
    chat.when(bot(), [close("1"), say()]).then_refused(Refusal::BotDoesNotHold);
    let mut chat = Chat::with_tickets_by([ann(), bot()]);
    chat.when(bot(), [close("2"), say()]).then_refused(Refusal::BotDoesNotHold);
}

#[test]
fn w12_the_bot_says_no_farewell_while_paused_and_none_with_another_ones_ticket() {
    let mut chat = Chat::with_tickets_by([bot()]);
    chat.given(system(), [Action::PauseBot]);
    chat.when(bot(), [say(), close_last()]).then_refused(Refusal::BotDoesNotHold);
    let mut chat = Chat::with_tickets_by([rule()]);
    chat.when(bot(), [say(), close_all()]).then_refused(Refusal::BotDoesNotHold);
}

#[test]
fn w12_freeing_the_conversation_first_does_not_let_the_bot_speak() {
    let mut chat = Chat::new();
    chat.given(ann(), [assign("ann")]);
    chat.when(bot(), [Action::Unassign, say()]).then_refused(Refusal::BotDoesNotHold);
    let mut chat = Chat::new();
    chat.given(rule(), [Action::PauseBot]);
    chat.when(bot(), [Action::ResumeBot, say()]).then_refused(Refusal::BotDoesNotHold);
}

#[test]
fn w12_the_bot_writes_notes_and_closes_whoever_holds() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.when(bot(), [note()]).then("noted m1");
    chat.when(bot(), [close_last()]).then("closed 1 by bot");
}

#[test]
fn w12_automations_and_agents_speak_whoever_holds() {
    let mut chat = Chat::new();
    chat.given(ann(), [open(), assign("ann"), Action::PauseBot]);
    chat.when(rule(), [say()]).then("said m1");
    chat.when(ann(), [say()]).then("said m2");
}
