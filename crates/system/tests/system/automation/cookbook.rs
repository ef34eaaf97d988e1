//! The rules of the cookbook, all in force in one workspace at once, with shorter waits.

use std::path::Path;

use proto::v1;
use proto::v1::run::Outcome;

use super::desk::Desk;
use super::town::{CHANNEL, Town, WORKSPACE};

/// Closed today, whatever day it is.
const CLOSED: &str = "night";

/// The rules as the documentation shows them, with waits of seconds.
fn cookbook() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let text = std::fs::read_to_string(path).unwrap();
    let cookbook = text.split_once("\n## Cookbook\n").unwrap().1;
    let blocks: Vec<&str> = cookbook.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert!(blocks.len() >= 12, "{} blocks", blocks.len());
    let mut yaml = blocks.join("---\n");
    let shorter = [
        ("customer.idle: { for: 24h }", "customer.idle: { for: 3s }"),
        ("ticket.unanswered: { for: 10m }", "ticket.unanswered: { for: 2s }"),
        ("wait: 10m", "wait: 1s"),
    ];
    for (long, short) in shorter {
        assert_eq!(yaml.matches(long).count(), 1, "{long}");
        yaml = yaml.replace(long, short);
    }
    yaml
}

async fn town() -> (Town, Desk) {
    let closed = format!("[[workspaces]]\nname = \"{CLOSED}\"\nbusiness_hours = {{ }}\n");
    let town = Town::start(1, &closed).await;
    for desk in [town.desk.clone(), town.desk.of(CLOSED)] {
        desk.staff("billing", &[("ann", 0), ("bob", 0)]).await;
        desk.staff("support", &[("dora", 0), ("ann", 0), ("bob", 0)]).await;
        desk.staff("leads", &[("lea", 0)]).await;
        for agent in ["ann", "bob", "dora", "lea"] {
            desk.online(agent).await;
        }
        let rules = desk.apply(0, &cookbook()).await;
        assert!(rules.len() >= 20, "{} rules", rules.len());
    }
    let desk = town.desk.clone();
    (town, desk)
}

fn done(run: &v1::Run) -> bool {
    run.outcome() == Outcome::Done
}

/// Whether these stand in a chat in this order, whatever stands between.
fn in_order(chat: &[String], expected: &[&str]) {
    let mut rest = chat.iter();
    let missing = expected.iter().find(|line| !rest.any(|said| said == *line));
    assert!(missing.is_none(), "{missing:?} is missing, or not in its place: {chat:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_cookbook_does_what_it_says() {
    let (town, desk) = town().await;
    let night = desk.of(CLOSED);
    tokio::join!(
        keyword_and_round_robin(&desk),
        default_assignee(&desk),
        out_of_hours(&night),
        auto_close(&desk),
        escalate(&desk),
        vip_and_order_shipped(&desk, &town),
        thanks_and_follow_up(&desk),
        serious_matters(&desk),
        shortcut_and_spam(&desk),
    );
}

async fn keyword_and_round_robin(desk: &Desk) {
    let mut agents = Vec::new();
    for contact in ["keyword-1", "keyword-2"] {
        let (conversation, revision) = desk.receive(contact, contact, "I want a refund!").await;
        let run = desk.await_run("open-refunds", &conversation, done).await;
        assert_eq!((run.event_revision, run.trigger.as_str()), (revision, "message.received"));
        assert!(run.actions[1].detail.contains("round_robin"), "{run:#?}");
        let chat = desk.chat(&conversation, run.revision).await;
        let assigned = chat.iter().find(|line| line.starts_with("Assigned to")).unwrap();
        in_order(&chat, &["customer: I want a refund!", "Ticket opened by open-refunds", assigned]);
        agents.push(assigned.clone());
        let other = desk.await_run("default-assignee", &conversation, |_| true).await;
        assert_eq!((other.outcome(), other.reason.as_str()), (Outcome::NotMatched, "false: !conversation.assigned"));
    }
    // Others of this test are given to the same team: not more than that each is one of the two.
    assert!(agents.iter().all(|line| ["Assigned to ann", "Assigned to bob"].contains(&line.as_str())), "{agents:?}");
}

async fn default_assignee(desk: &Desk) {
    let (conversation, _) = desk.receive("default", "default-1", "hello").await;
    let run = desk.await_run("default-assignee", &conversation, done).await;
    let greeted = desk.await_run("greet", &conversation, done).await;
    let chat = desk.chat(&conversation, greeted.revision.max(run.revision)).await;
    in_order(&chat, &["customer: hello", "Assigned to dora", "greet: Hello Customer default! What is it about?"]);
    desk.receive("default", "default-2", "hello again").await;
    // It is the first message ever that counts.
    desk.await_run("open-refunds", &conversation, |run| run.outcome() == Outcome::NotMatched).await;
    let request = v1::ListRunsRequest {
        rule: "default-assignee".to_owned(),
        conversation_id: conversation,
        ..v1::ListRunsRequest::default()
    };
    assert_eq!(desk.runs(request).await.len(), 1);
}

async fn out_of_hours(desk: &Desk) {
    let (conversation, _) = desk.receive("late", "late-1", "hello").await;
    desk.await_run("default-assignee", &conversation, done).await;
    let greet = desk.await_run("greet", &conversation, |_| true).await;
    assert_eq!((greet.outcome(), greet.reason.as_str()), (Outcome::NotMatched, "false: workspace.open"));
    desk.unassign(&conversation, "dora", "unassign").await;
    for message in ["late-2", "late-3"] {
        desk.receive("late", message, "is anybody there?").await;
    }
    let run = desk.await_run("out-of-hours", &conversation, done).await;
    let skipped = desk.await_run("out-of-hours", &conversation, |run| run.outcome() == Outcome::Skipped).await;
    assert!(skipped.reason.starts_with("rate limit"), "{skipped:#?}");
    let chat = desk.chat(&conversation, run.revision).await;
    let answer = "out-of-hours: Thanks for writing! We are closed now and answer as soon as we are back.";
    assert_eq!(chat.iter().filter(|line| *line == answer).count(), 1, "{chat:#?}");
}

async fn auto_close(desk: &Desk) {
    let (conversation, _) = desk.receive("silent", "silent-1", "a refund").await;
    desk.await_run("open-refunds", &conversation, done).await;
    desk.send(&conversation, "ann", "silent-answer", "It is on its way.").await;
    let run = desk.await_run("auto-close", &conversation, done).await;
    assert_eq!(run.trigger, "customer.idle");
    let chat = desk.chat(&conversation, run.revision).await;
    let close = "auto-close: We close this for now. Write again whenever you like.";
    in_order(&chat, &["Ticket opened by open-refunds", "ann: It is on its way.", close, "Ticket closed by auto-close"]);
    // What it says itself is followed by silence, too: then there is nothing to close.
    let again = desk.await_run("auto-close", &conversation, |run| run.outcome() == Outcome::NotMatched).await;
    assert_eq!(again.reason, "false: conversation.open_ticket_count > 0");
}

async fn escalate(desk: &Desk) {
    let (conversation, _) = desk.receive("unanswered", "unanswered-1", "hello").await;
    desk.await_run("greet", &conversation, done).await;
    desk.receive("unanswered", "unanswered-2", "I want my money back").await;
    let run = desk.await_run("escalate-unanswered", &conversation, done).await;
    assert_eq!(run.trigger, "ticket.unanswered");
    let chat = desk.chat(&conversation, run.revision).await;
    in_order(&chat, &["Ticket opened by open-refunds", "Assigned to lea"]);
    assert!(chat.iter().any(|line| line.starts_with("note: Nobody has answered since")), "{chat:#?}");
    // The answer to the greeting makes its timer void.
    let void = desk.await_run("auto-close", &conversation, |run| run.outcome() == Outcome::Skipped).await;
    assert_eq!(void.reason, "void: the customer wrote");
}

async fn vip_and_order_shipped(desk: &Desk, town: &Town) {
    let vip = "16505551234";
    let (conversation, _) = desk.receive(vip, "vip-1", "hello").await;
    desk.await_run("tag-vip", &conversation, done).await;
    // The default assignee has it already.
    let run = desk.await_run("vip-to-leads", &conversation, |_| true).await;
    assert_eq!((run.outcome(), run.reason.as_str()), (Outcome::NotMatched, "false: !conversation.assigned"));
    desk.unassign(&conversation, "dora", "vip-unassign").await;
    desk.remove_tag(&conversation, "vip", "vip-remove").await;
    desk.receive(vip, "vip-2", "me again").await;
    let run = desk.await_run("vip-to-leads", &conversation, done).await;
    in_order(&desk.chat(&conversation, run.revision).await, &["Assigned to dora", "Unassigned", "Assigned to lea"]);

    let order = serde_json::json!({"channel": CHANNEL, "phone": vip, "order": {"id": "A-17", "carrier": "DHL"}});
    let subject = format!("ext.{WORKSPACE}.order-shipped");
    town.bus.jetstream().publish(subject, order.to_string().into()).await.unwrap().await.unwrap();
    let run = desk.await_run("order-shipped", &conversation, done).await;
    assert_eq!((run.trigger.as_str(), run.event_revision), ("external.order-shipped", 0));
    let chat = desk.chat(&conversation, run.revision).await;
    in_order(&chat, &["customer: me again", "order-shipped: Your order A-17 is on its way with DHL."]);
}

async fn thanks_and_follow_up(desk: &Desk) {
    let (conversation, _) = desk.receive("polite", "polite-1", "a refund, please").await;
    let opened = desk.await_run("open-refunds", &conversation, done).await;
    let chat = desk.chat(&conversation, opened.revision).await;
    let assigned = chat.iter().find(|line| line.starts_with("Assigned to")).unwrap().clone();
    let agent = assigned.rsplit_once(' ').unwrap().1;
    desk.send(&conversation, agent, "polite-answer", "Done.").await;
    desk.close_all(&conversation, agent, "polite-close").await;
    let waits = desk.await_run("survey", &conversation, |run| run.outcome() != Outcome::Waiting).await;
    assert_eq!(waits.outcome(), Outcome::Done, "{waits:#?}");

    let (_, thanked) = desk.receive("polite", "polite-2", "Thanks a lot!").await;
    let thanks = desk.await_run("thanks-does-not-reopen", &conversation, done).await;
    assert_eq!(thanks.event_revision, thanked);
    let follow = desk.await_run("follow-up", &conversation, |run| run.event_revision == thanked).await;
    assert_eq!(follow.outcome(), Outcome::NotMatched);
    assert!(follow.reason.contains("!message.text.matches"), "{}", follow.reason);
    desk.receive("polite", "polite-3", "One more thing: where is my parcel?").await;
    let follow = desk.await_run("follow-up", &conversation, done).await;
    let chat = desk.chat(&conversation, follow.revision).await;
    let closed = format!("Ticket closed by {agent}");
    let said = "thanks-does-not-reopen: You are welcome!";
    in_order(&chat, &[&assigned, &closed, "Unassigned", said, "Ticket opened by follow-up", &assigned]);
    let tickets = chat.iter().filter(|line| line.starts_with("Ticket opened")).count();
    assert_eq!(tickets, 2, "a thank-you opens nothing: {chat:#?}");
}

async fn serious_matters(desk: &Desk) {
    let (conversation, _) = desk.receive("serious", "serious-1", "A refund, or I call my lawyer.").await;
    let run = desk.await_run("humans-for-serious-matters", &conversation, done).await;
    let chat = desk.chat(&conversation, run.revision).await;
    let expected =
        ["Ticket opened by open-refunds", "Ticket opened by humans-for-serious-matters", "Assigned to leads"];
    in_order(&chat, &expected);
}

async fn shortcut_and_spam(desk: &Desk) {
    let (conversation, _) = desk.receive("return", "return-1", "a refund").await;
    desk.await_run("open-refunds", &conversation, done).await;
    let run = desk.run_rule("send-return-label", &conversation, "ann").await;
    assert_eq!(run.outcome(), Outcome::Done, "{run:#?}");
    let solved = desk.await_run("close-as-solved", &conversation, done).await;
    let label = "send-return-label: Here is your return label: https://example.com/returns";
    in_order(&desk.chat(&conversation, solved.revision).await, &[label, "Ticket closed by close-as-solved"]);

    let (spam, _) = desk.receive("spam", "spam-1", "chargeback chargeback").await;
    desk.await_run("open-refunds", &spam, done).await;
    desk.add_tag(&spam, "spam", "spam-tag").await;
    let request = |run: &v1::Run| run.revision > 0;
    let run = desk.await_run("spam", &spam, request).await;
    in_order(&desk.chat(&spam, run.revision).await, &["Ticket closed by spam", "Unassigned"]);
}
