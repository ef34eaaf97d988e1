//! The rules of docs/rules.md, applied and run, with their times shortened.

use std::path::Path;

use automation_engine::rule::{Known, parse};
use bus::TraceParent;
use proto::v1;
use proto::v1::run::Outcome;

use crate::world::{CHANNEL, WORKSPACE, World, outcome, world};

/// A rule of the cookbook by its name; silence is 2 s long, and everything else that is waited for 1 s.
fn recipe(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let cookbook = docs.split("## Cookbook").nth(1).unwrap();
    let blocks = cookbook.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let rules = blocks.flat_map(|block| parse(block, &Known::default()).unwrap());
    let rule = rules.into_iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no recipe {name}"));
    let shorter = [("for: 24h", "for: 2s"), ("for: 10m", "for: 1s"), ("for: 15m", "for: 1s"), ("for: 3d", "for: 1s")];
    let all = shorter.into_iter().chain([("wait: 10m", "wait: 1s")]);
    all.fold(rule.yaml.clone(), |yaml, (long, short)| yaml.replace(long, short))
}

impl World {
    /// Puts some recipes in force, and takes every other rule out.
    async fn cook(&mut self, names: &[&str]) {
        let listed = v1::ListRulesRequest { workspace: WORKSPACE.to_owned(), page_size: 1_000, ..Default::default() };
        for rule in self.rules.list_rules(listed).await.unwrap().into_inner().rules {
            let gone = v1::DeleteRuleRequest { workspace: WORKSPACE.to_owned(), name: rule.name };
            self.rules.delete_rule(gone).await.unwrap();
        }
        let all: Vec<String> = names.iter().map(|name| recipe(name)).collect();
        self.apply(&all.join("\n---\n")).await;
    }

    async fn team(&self, id: &str, agents: &[&str], default: &str) {
        let agent_ids = agents.iter().map(|agent| (*agent).to_owned()).collect();
        let team =
            v1::Team { id: id.to_owned(), agent_ids, default_assignee: default.to_owned(), ..v1::Team::default() };
        self.bus.roster().upsert_team(WORKSPACE, team, None).await.unwrap().unwrap();
    }

    async fn done(&mut self, rule: &str, conversation: &str) -> v1::Run {
        let of = |run: &v1::Run| run.conversation_id == conversation && outcome(run) == Outcome::Done;
        self.await_runs(rule, 1, of).await.remove(0)
    }

    async fn holder(&mut self, conversation: &str) -> (String, String) {
        let assignee = self.conversation(conversation).await.assignee.unwrap_or_default();
        (assignee.agent_id, assignee.team_id)
    }
}

/// A world with three teams, once the engine knows them.
async fn staffed() -> World {
    let mut world = world().await;
    world.staff("billing", &[("ann", 0), ("bob", 0), ("cem", 0)]).await;
    world.team("support", &["bob", "cem"], "cem").await;
    world.team("leads", &["cem"], "cem").await;
    let known = v1::ApplyRulesRequest {
        workspace: WORKSPACE.to_owned(),
        yaml: "{ name: x, on: message.received, do: [assign: { team: leads, strategy: default }] }".to_owned(),
        validate_only: true,
        ..v1::ApplyRulesRequest::default()
    };
    testkit::eventually("the engine to know the teams", crate::world::DEADLINE, async || {
        world.rules.apply_rules(known.clone()).await.ok().map(drop)
    })
    .await;
    world
}

#[tokio::test]
async fn recipes_that_open_assign_and_greet() {
    let mut world = staffed().await;
    world.cook(&["open-refunds"]).await;
    let mut turns = Vec::new();
    for n in 0..3 {
        let (conversation, _) = world.receive(&format!("r{n}"), &format!("r{n}"), "My money back!").await;
        world.done("open-refunds", &conversation).await;
        let found = world.conversation(&conversation).await;
        assert_eq!((found.open_ticket_count, found.tags), (1, vec!["refund".to_owned()]));
        turns.push(world.holder(&conversation).await.0);
    }
    assert_eq!(turns, ["ann", "bob", "cem"]);

    world.cook(&["default-assignee", "greet"]).await;
    let (conversation, _) = world.receive("new", "n1", "hello").await;
    world.done("default-assignee", &conversation).await;
    world.done("greet", &conversation).await;
    assert_eq!(world.holder(&conversation).await, ("cem".to_owned(), "support".to_owned()));
    world.receive("new", "n2", "hello again").await;
    let chat = world.chat(&conversation).await;
    assert!(chat.contains(&"greet: Hello Customer new! What is it about?".to_owned()), "{chat:?}");

    world.cook(&["tag-vip", "vip-to-leads"]).await;
    let (vip, _) = world.receive("16505551234", "v1", "hi").await;
    let (other, _) = world.receive("nobody", "v2", "hi").await;
    world.done("vip-to-leads", &vip).await;
    assert_eq!(world.holder(&vip).await, ("cem".to_owned(), "leads".to_owned()));
    assert!(world.conversation(&other).await.tags.is_empty());
    world.stop().await;
}

#[tokio::test]
async fn recipes_that_wait_and_what_thanks_and_shipped_orders_do() {
    let mut world = staffed().await;
    world.cook(&["auto-close", "escalate-unanswered", "waiting-customer"]).await;
    let (silent, _) = world.receive("silent", "s1", "hello").await;
    world.open_ticket(&silent, "x").await;
    world.done("escalate-unanswered", &silent).await;
    world.done("waiting-customer", &silent).await;
    let found = world.conversation(&silent).await;
    assert!(found.tags.contains(&"escalated".to_owned()));
    assert_eq!(world.holder(&silent).await.1, "leads");
    let chat = world.chat(&silent).await;
    assert!(chat.iter().any(|line| line == "note: Customer silent has waited for 15 minutes."), "{chat:?}");
    // Our own nudge is the last word: then silence.
    world.done("auto-close", &silent).await;
    assert_eq!(world.conversation(&silent).await.open_ticket_count, 0);

    world.cook(&["thanks-does-not-reopen", "follow-up"]).await;
    let (conversation, _) = world.receive("ana", "a1", "hello").await;
    world.open_ticket(&conversation, "x").await;
    world.send(&conversation, "bob", "done").await;
    world.close_all(&conversation).await;
    world.receive("ana", "a2", "Thanks a lot!").await;
    world.done("thanks-does-not-reopen", &conversation).await;
    assert_eq!(world.conversation(&conversation).await.open_ticket_count, 0);
    world.receive("ana", "a3", "One more thing").await;
    world.done("follow-up", &conversation).await;
    assert_eq!(world.conversation(&conversation).await.open_ticket_count, 1);
    assert_eq!(world.holder(&conversation).await, ("bob".to_owned(), "support".to_owned()), "who knows it");

    world.cook(&["order-shipped"]).await;
    let json = format!(r#"{{"channel":"{CHANNEL}","phone":"ana","order":{{"id":"A-17","carrier":"DHL"}}}}"#);
    world.bus.publish_external(WORKSPACE, "order-shipped", "o1", json.into(), &TraceParent::start()).await.unwrap();
    world.done("order-shipped", &conversation).await;
    let chat = world.chat(&conversation).await;
    assert!(chat.contains(&"order-shipped: Your order A-17 is on its way with DHL.".to_owned()), "{chat:?}");
    world.stop().await;
}

#[tokio::test]
async fn recipes_that_end_note_and_tell() {
    let mut world = staffed().await;
    let (conversation, _) = world.receive("ana", "a1", "hello").await;
    world.cook(&["humans-for-serious-matters", "long-runner"]).await;
    world.open_ticket(&conversation, "x").await;
    world.receive("ana", "a2", "my lawyer will call").await;
    world.done("humans-for-serious-matters", &conversation).await;
    let found = world.conversation(&conversation).await;
    assert_eq!((found.bot_paused, found.open_ticket_count), (true, 2));
    world.done("long-runner", &conversation).await;
    assert_eq!(world.conversation(&conversation).await.open_ticket_count, 3, "nested ones are left alone");

    world.cook(&["spam", "survey"]).await;
    world.close_all(&conversation).await;
    let survey = world.await_runs("survey", 1, |run| outcome(run) == Outcome::Done).await.remove(0);
    assert_eq!(survey.actions.len(), 2, "the wait, and what follows it");
    world.open_ticket(&conversation, "y").await;
    let tag = v1::AddTagRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.clone(),
        actor: Some(crate::world::person("ann")),
        tag: "spam".to_owned(),
        ..v1::AddTagRequest::default()
    };
    world.conversations.add_tag(tag).await.unwrap();
    world.done("spam", &conversation).await;
    assert_eq!(world.conversation(&conversation).await.open_ticket_count, 0);

    world.cook(&["send-return-label", "close-as-solved", "delivery-failed", "contact-changed"]).await;
    world.open_ticket(&conversation, "z").await;
    let press = v1::RunRuleRequest {
        workspace: WORKSPACE.to_owned(),
        rule: "send-return-label".to_owned(),
        conversation_id: conversation.clone(),
        actor: Some(crate::world::person("ann")),
        command_id: String::new(),
    };
    let run = world.rules.run_rule(press).await.unwrap().into_inner().run.unwrap();
    assert_eq!(outcome(&run), Outcome::Done, "{run:#?}");
    assert_eq!(world.conversation(&conversation).await.open_ticket_count, 0, "the second rule closed it");
    let fact = |id: &str, event: v1::event::Event| v1::Event {
        id: id.to_owned(),
        workspace: WORKSPACE.to_owned(),
        conversation: conversation.clone(),
        channel: CHANNEL.to_owned(),
        record_time: Some(proto::timestamp(bus::now())),
        event: Some(event),
        ..v1::Event::default()
    };
    let failed = v1::MessageStatusChanged {
        message_id: format!("{conversation}-m1"),
        status: v1::MessageStatus::Failed.into(),
        error_codes: vec![131_026],
        ..v1::MessageStatusChanged::default()
    };
    let facts = [
        fact("f1", v1::event::Event::MessageStatusChanged(failed)),
        fact("f2", v1::event::Event::ContactChanged(v1::ContactChanged::default())),
    ];
    for done in world.bus.publish_facts(facts, &TraceParent::start()).await {
        done.unwrap();
    }
    world.done("contact-changed", &conversation).await;
    world.await_runs("delivery-failed", 1, |_| true).await;
    let chat = world.chat(&conversation).await;
    assert!(chat.iter().any(|line| line.contains("was not delivered") && line.contains("131026")), "{chat:?}");
    assert!(chat.contains(&"note: The contact is now Customer ana (ana).".to_owned()), "{chat:?}");
    world.stop().await;
}

#[tokio::test]
async fn recipes_of_buttons_and_of_who_leaves() {
    let mut world = staffed().await;
    world.cook(&["route-billing", "agent-left"]).await;
    let (conversation, _) = world.receive("ana", "a1", "hello").await;
    let id = conversation::ConversationId::parse(&conversation).unwrap();
    let keyring = world.bus.keyring(WORKSPACE, &id).await.unwrap();
    let reply = v1::Reply { id: "topic-billing".to_owned(), title: "Billing".to_owned(), ..v1::Reply::default() };
    let message = v1::Message { r#type: "interactive".to_owned(), reply: Some(reply), ..v1::Message::default() };
    let sealed = keyring.seal(&v1::SealedMessage { contact: None, message: Some(message) }).into();
    let pressed = v1::Event {
        id: "pressed".to_owned(),
        workspace: WORKSPACE.to_owned(),
        conversation: conversation.clone(),
        channel: CHANNEL.to_owned(),
        actor: Some(v1::Actor { kind: v1::actor::Kind::Customer.into(), ..v1::Actor::default() }),
        occur_time: Some(proto::timestamp(bus::now())),
        record_time: Some(proto::timestamp(bus::now())),
        event: Some(v1::event::Event::MessageReceived(v1::MessageReceived {
            r#type: "interactive".to_owned(),
            sealed,
            names_contact: false,
        })),
        ..v1::Event::default()
    };
    for done in world.bus.publish_facts([pressed], &TraceParent::start()).await {
        done.unwrap();
    }
    world.done("route-billing", &conversation).await;
    assert_eq!(world.conversation(&conversation).await.open_ticket_count, 1);
    let (agent, team) = world.holder(&conversation).await;
    assert!(["ann", "bob", "cem"].contains(&agent.as_str()) && team == "billing", "{agent} {team}");

    world.presence("bob", v1::presence::State::Offline).await;
    let stream = world.bus.jetstream().get_stream("EXTERNAL").await.unwrap();
    let subject = format!("ext.{WORKSPACE}.agent-left");
    let left = testkit::eventually("the other systems to be told", crate::world::DEADLINE, async || {
        stream.get_last_raw_message_by_subject(&subject).await.ok()
    })
    .await;
    let said: serde_json::Value = serde_json::from_slice(&left.payload).unwrap();
    assert_eq!(said["agent"], "bob", "{said}");
    world.stop().await;
}

#[tokio::test]
async fn out_of_hours_is_said_once_in_a_while() {
    let mut world = World::start("").await;
    let rival = |yaml: String| v1::ApplyRulesRequest { workspace: "rival".to_owned(), yaml, ..Default::default() };
    world.rules.apply_rules(rival(recipe("out-of-hours"))).await.unwrap();
    for id in ["m1", "m2"] {
        let request = v1::ReceiveMessageRequest {
            workspace: "rival".to_owned(),
            channel: CHANNEL.to_owned(),
            contact: Some(v1::Contact { id: "ana".to_owned(), ..v1::Contact::default() }),
            message: Some(v1::ReceivedMessage { id: id.to_owned(), text: "hi".to_owned(), ..Default::default() }),
            ..v1::ReceiveMessageRequest::default()
        };
        world.conversations.receive_message(request).await.unwrap();
    }
    let request = v1::ListRunsRequest { workspace: "rival".to_owned(), ..Default::default() };
    let outcomes = testkit::eventually("both runs", crate::world::DEADLINE, async || {
        let runs = world.rules.list_runs(request.clone()).await.unwrap().into_inner().runs;
        (runs.len() == 2).then(|| runs.iter().map(outcome).collect::<Vec<_>>())
    });
    assert_eq!(outcomes.await, [Outcome::Skipped, Outcome::Done]);
    world.stop().await;
}
