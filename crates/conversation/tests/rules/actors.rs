//! W8: who may do what.

use conversation::{Action, Refusal};

use crate::chat::{Chat, ann, assign, bot, close_last, customer, note, open, rule, say, system, tag, untag};

#[test]
fn w8_the_bot_an_automation_and_an_agent_can_each_open_close_assign_and_unassign() {
    for actor in [bot(), rule(), ann()] {
        let mut chat = Chat::new();
        let id = actor.id.clone();
        chat.when(actor.clone(), [open()]).then(&format!("opened 1 by {id}"));
        chat.when(actor.clone(), [assign("ben")]).then("assigned ben");
        chat.when(actor.clone(), [Action::Unassign]).then("unassigned");
        chat.when(actor.clone(), [close_last()]).then(&format!("closed 1 by {id}"));
    }
}

#[test]
fn w8_each_may_close_what_another_opened() {
    for closer in [bot(), rule(), ann()] {
        for opener in [bot(), rule(), ann()] {
            let mut chat = Chat::with_tickets_by([opener]);
            chat.when(closer.clone(), [close_last()]).then(&format!("closed 1 by {}", closer.id));
        }
    }
}

#[test]
fn w8_a_customer_can_do_none_of_these() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.given(ann(), [assign("ann"), tag("vip")]);
    let tries = [
        open(),
        close_last(),
        assign("ben"),
        assign("ann"),
        Action::Unassign,
        say(),
        note(),
        tag("x"),
        untag("vip"),
        Action::PauseBot,
        Action::ResumeBot,
    ];
    for action in tries {
        chat.when(customer(), [action]).then_refused(Refusal::ActorMayNot);
    }
}

#[test]
fn w8_the_system_may_pause_and_resume_the_bot_and_nothing_else() {
    let mut chat = Chat::with_tickets_by([ann()]);
    chat.when(system(), [Action::PauseBot]).then("bot paused");
    chat.when(system(), [Action::ResumeBot]).then("bot resumed");
    for action in [open(), close_last(), assign("ben"), Action::Unassign, say(), note(), tag("x"), untag("x")] {
        chat.when(system(), [Action::PauseBot, action]).then_refused(Refusal::ActorMayNot);
    }
}

#[test]
fn tags_come_and_go_once() {
    let mut chat = Chat::new();
    chat.when(ann(), [tag("vip"), tag("late")]).then("+late | +vip");
    chat.when(rule(), [tag("vip")]).then_nothing(10);
    chat.when(rule(), [untag("gone")]).then_nothing(10);
    chat.when(rule(), [untag("vip"), tag("new")]).then("+new | -vip");
    chat.when(rule(), [untag("new"), tag("new")]).then_nothing(20);
}

#[test]
fn a_conversation_takes_64_tags() {
    let mut chat = Chat::new();
    chat.given(ann(), (0..64).map(|n| tag(&n.to_string())));
    chat.when(ann(), [tag("one more")]).then_refused(Refusal::TooManyTags);
    chat.when(ann(), [tag("7")]).then_nothing(10);
    chat.when(ann(), [untag("7"), tag("one more")]).then("+one more | -7");
}
