use proto::v1;
use proto::v1::run::Outcome;

use crate::world::{WORKSPACE, actions, outcome, world};

const REFUNDS: &str = r#"
rules:
  - name: refunds-to-billing
    on: message.received
    when: message.text.matches("(?i)refund") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - assign: { team: billing, strategy: round_robin, only_online: true }
      - send_message: { text: "Hello {{contact.display_name}}, a colleague is on it." }
"#;

#[tokio::test]
async fn a_keyword_opens_a_ticket_assigns_it_and_answers_in_one_decision() {
    let mut world = world().await;
    world.staff("billing", &[("ann", 0), ("bob", 0)]).await;
    world.apply(REFUNDS).await;
    let (conversation, revision) = world.receive("ana", "m1", "I want a REFUND").await;
    let run = world.await_run("refunds-to-billing").await;
    assert_eq!(outcome(&run), Outcome::Done, "{run:#?}");
    assert_eq!(actions(&run), ["open_ticket DONE", "assign DONE", "send_message DONE"]);
    assert_eq!(
        (run.event_revision, run.rule_version, run.conversation_id.as_str()),
        (revision, 1, conversation.as_str())
    );
    assert_eq!(
        world.chat(&conversation).await,
        [
            "ana: I want a REFUND",
            "Ticket opened by refunds-to-billing",
            "Assigned to ann",
            "refunds-to-billing: Hello Customer ana, a colleague is on it."
        ]
    );
    let entries = world.timeline(&conversation).await;
    assert!(entries[1..].iter().all(|entry| entry.revision == run.revision), "one decision");
    let event = world.bus.event_at(u64::try_from(run.revision).unwrap()).await.unwrap().unwrap();
    let cause = world.bus.event_at(u64::try_from(revision).unwrap()).await.unwrap().unwrap();
    assert_eq!((event.causation_id, event.correlation_id, event.depth), (cause.id.clone(), cause.id, 1));
    // The next message finds the ticket open, and the list says which part of the condition was false.
    let (_, second) = world.receive("ana", "m2", "refund!").await;
    let why = loop {
        let request = v1::ListRunsRequest { event_revision: second, include_not_matched: true, ..Default::default() };
        if let Some(run) = world.list(request).await.pop() {
            break run;
        }
    };
    assert_eq!(outcome(&why), Outcome::NotMatched);
    assert_eq!(
        (why.rule.as_str(), why.reason.as_str()),
        ("refunds-to-billing", "false: conversation.open_ticket_count == 0")
    );
    let (_, third) = world.receive("ana", "m3", "hello?").await;
    let request = v1::ListRunsRequest { event_revision: third, include_not_matched: true, ..Default::default() };
    let why = loop {
        if let Some(run) = world.list(request.clone()).await.pop() {
            break run;
        }
    };
    assert!(why.reason.contains("(?i)refund"), "{}", why.reason);
    world.stop().await;
}

#[tokio::test]
async fn a_repeated_event_and_two_engines_never_open_twice() {
    let mut world = world().await;
    let other = world.another_engine().await;
    world.apply("rules: [{ name: open, on: message.received, do: [open_ticket: { topic: x, unless_open: false }, send_message: { text: hi }] }]").await;
    let mut conversations = Vec::new();
    for contact in 0..20 {
        let contact = format!("c{contact}");
        let (conversation, _) = world.receive(&contact, &format!("{contact}-m"), "hello").await;
        conversations.push(conversation);
    }
    // The same items again, far outside the dedupe window: the same facts stand on the stream twice.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    for contact in 0..20 {
        let contact = format!("c{contact}");
        world.receive(&contact, &format!("{contact}-m"), "hello").await;
    }
    world.await_runs("open", 20, |run| outcome(run) == Outcome::Done).await;
    world.receive("last", "last", "hello").await;
    world.await_runs("open", 21, |run| outcome(run) == Outcome::Done).await;
    for (nth, conversation) in conversations.iter().enumerate() {
        let mut chat = Vec::new();
        while chat.len() < 3 {
            chat = world.chat(conversation).await;
        }
        assert_eq!(chat, [format!("c{nth}: hello"), "Ticket opened by open".to_owned(), "open: hi".to_owned()]);
    }
    let runs = world.runs_of("open").await;
    assert_eq!(runs.len(), 21, "{runs:#?}");
    other.shutdown().begin();
    assert!(other.finish().await);
    world.stop().await;
}

#[tokio::test]
async fn rules_that_apply_to_one_event_run_in_order_each_judged_on_what_the_one_before_left() {
    let mut world = world().await;
    world
        .apply(
            "rules:
  - { name: first, on: message.received, when: conversation.open_ticket_count == 0, do: [open_ticket: { topic: a }] }
  - { name: second, on: message.received, when: conversation.open_ticket_count == 0, do: [open_ticket: { topic: b }] }
  - { name: third, on: message.received, do: [add_tag: seen] }
  - { name: tagged, on: tag.added, when: event.tag == 'seen', do: [add_note: 'tag {{event.tag}} on a {{ticket.topic}} ticket'] }
",
        )
        .await;
    let (conversation, _) = world.receive("ana", "m1", "hello").await;
    world.await_run("tagged").await;
    let chat = world.chat(&conversation).await;
    assert_eq!(chat, ["ana: hello", "Ticket opened by first", "note: tag seen on a a ticket"]);
    assert!(world.runs_of("second").await.is_empty());
    assert_eq!(world.conversation(&conversation).await.tags, ["seen"]);
    world.stop().await;
}

#[tokio::test]
async fn a_refusal_ends_the_actions_unless_the_rule_goes_on() {
    let mut world = world().await;
    let (conversation, _) = world.receive("ana", "m1", "hello").await;
    world.open_ticket(&conversation, "by hand").await;
    world
        .apply(
            "rules:
  - { name: stops, on: message.received, do: [add_tag: tried, open_ticket: { topic: x }, send_message: { text: no }] }
  - { name: goes-on, on: message.received, on_refusal: continue, do: [open_ticket: { topic: x }, send_message: { text: yes }] }
",
        )
        .await;
    world.receive("ana", "m2", "again").await;
    let stopped = world.await_run("stops").await;
    assert_eq!(outcome(&stopped), Outcome::Refused);
    assert_eq!(actions(&stopped), ["add_tag DONE", "open_ticket REFUSED", "send_message NOT_TRIED"]);
    assert!(stopped.reason.contains("is open already"), "{}", stopped.reason);
    let went_on = world.await_run("goes-on").await;
    assert_eq!(actions(&went_on), ["open_ticket REFUSED", "send_message DONE"]);
    assert_eq!(world.conversation(&conversation).await.tags, ["tried"]);
    assert!(world.chat(&conversation).await.contains(&"goes-on: yes".to_owned()));
    world.stop().await;
}

#[tokio::test]
async fn a_rule_judges_again_when_the_conversation_moves_on_under_it() {
    let mut world = world().await;
    world
        .apply("rules: [{ name: opens, on: message.received, when: 'conversation.open_ticket_count == 0', do: [open_ticket: { topic: bot }] }]")
        .await;
    // People open tickets by hand at the same moments: never two primaries, and each refusal or mismatch is on record.
    let mut all = Vec::new();
    for n in 0..30 {
        let contact = format!("c{n}");
        let (conversation, _) = world.receive(&contact, &format!("{contact}-0"), "hi").await;
        let (mut conversations, id) = (world.conversations.clone(), conversation.clone());
        let by_hand = tokio::spawn(async move {
            let request = v1::OpenTicketRequest {
                workspace: WORKSPACE.to_owned(),
                conversation_id: id,
                actor: Some(crate::world::person("ann")),
                unless_open: true,
                ..v1::OpenTicketRequest::default()
            };
            conversations.open_ticket(request).await.unwrap();
        });
        all.push((conversation, by_hand));
    }
    for (conversation, by_hand) in all {
        by_hand.await.unwrap();
        let request = v1::ListRunsRequest {
            conversation_id: conversation.clone(),
            include_not_matched: true,
            ..v1::ListRunsRequest::default()
        };
        while world.list(request.clone()).await.is_empty() {}
        let opened = world.chat(&conversation).await;
        let opened = opened.iter().filter(|line| line.starts_with("Ticket opened")).count();
        assert_eq!(opened, 1, "{conversation}");
    }
    world.stop().await;
}

#[tokio::test]
async fn poison_goes_to_dead_other_rules_go_on_and_back_fill_triggers_nothing() {
    let mut world = world().await;
    world.apply("rules: [{ name: tags, on: message.received, do: [add_tag: seen] }]").await;
    let (conversation, _) = world.receive("ana", "m1", "hello").await;
    let id = conversation::ConversationId::parse(&conversation).unwrap();
    let p = bus::partition(WORKSPACE, id.as_str());
    let subject = format!("ev.{p}.{WORKSPACE}.{conversation}.fact");
    world.bus.jetstream().publish(subject, "no event at all".into()).await.unwrap().await.unwrap();
    let backfilled = v1::Event {
        id: "old".to_owned(),
        workspace: WORKSPACE.to_owned(),
        conversation: conversation.clone(),
        record_time: Some(proto::timestamp(bus::now())),
        event: Some(v1::event::Event::MessageBackfilled(v1::MessageBackfilled::default())),
        ..v1::Event::default()
    };
    world.bus.publish_facts([backfilled], &bus::TraceParent::start()).await.remove(0).unwrap();
    let (_, last) = world.receive("ana", "m2", "hello").await;
    world.await_runs("tags", 2, |_| true).await;
    let letters = world.dead_letters().await;
    let of_engine = letters.iter().filter(|letter| letter.consumer == "automation-engine").count();
    assert_eq!(of_engine, 1, "{letters:#?}");
    let runs = world.list(v1::ListRunsRequest { include_not_matched: true, ..Default::default() }).await;
    assert_eq!(runs.len(), 2, "{runs:#?}");
    assert_eq!(runs[0].event_revision, last);
    world.stop().await;
}

#[tokio::test]
async fn free_words_outside_the_window_of_the_channel_are_refused_and_templates_are_not() {
    let mut world = world().await;
    world
        .apply(
            "rules:\n  - name: greet\n    on: message.received\n    on_refusal: continue\n    do:\n      \
             - send_message: { text: hello }\n      - add_tag: seen\n",
        )
        .await;
    let wrote = conversation::Time(bus::now().0 - 72 * 3_600_000_000_000);
    let request = v1::ReceiveMessageRequest {
        workspace: WORKSPACE.to_owned(),
        channel: "whatsapp:1".to_owned(),
        contact: Some(v1::Contact { id: "4917000".to_owned(), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage {
            id: "m1".to_owned(),
            text: "hi".to_owned(),
            occur_time: Some(proto::timestamp(wrote)),
            ..v1::ReceivedMessage::default()
        }),
        ..v1::ReceiveMessageRequest::default()
    };
    world.conversations.receive_message(request).await.unwrap();
    let run = world.await_run("greet").await;
    assert_eq!(actions(&run), ["send_message REFUSED", "add_tag DONE"], "{run:#?}");
    assert!(run.actions[0].detail.contains("a template is needed"), "{run:#?}");
    world.stop().await;
}
