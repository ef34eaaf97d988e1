//! `SendMessage`.

use std::time::Duration;

use conversation::{ConversationId, Time};
use proto::v1;
use proto::v1::event::Event as Kind;
use proto::v1::send_message_request::Content;
use tonic::Code;

use crate::asks::{CHANNEL, agent, ask, assignee, bot, fields, reason, received, text, with_conversation};
use crate::world::{ACME, World};

/// What stands sealed in the last decision's messages.
async fn last_said(world: &World) -> Vec<(String, v1::Message)> {
    let event = world.events().await.pop().unwrap().event;
    let Some(Kind::Decided(decided)) = &event.event else { panic!("{event:?}") };
    let mut said = Vec::new();
    for entry in &decided.entries {
        if let Some(v1::decided_entry::Entry::Message(message)) = &entry.entry {
            let sealed: v1::SealedMessage = world.unseal(&event, &message.sealed).await;
            let inside = sealed.message.unwrap();
            assert_eq!(inside.r#type, message.r#type);
            said.push((message.id.clone(), inside));
        }
    }
    said
}

#[tokio::test]
async fn everything_that_can_be_said_is_a_decision() {
    let (mut world, conversation) = with_conversation().await;
    let rows = vec![v1::ListRow { id: "r".to_owned(), title: "Row".to_owned(), description: String::new() }; 1];
    let list = v1::Interactive {
        body: "choose".to_owned(),
        list_button: "open".to_owned(),
        list_sections: vec![v1::ListSection { title: "all".to_owned(), rows }],
        ..Default::default()
    };
    let buttons = vec![v1::Button { id: "y".to_owned(), title: "Yes".to_owned() }];
    let template =
        v1::Template { name: "hello".to_owned(), language: "en_US".to_owned(), components_json: "[]".to_owned() };
    let picture =
        v1::Media { link: "https://example.com/a.png".to_owned(), caption: "look".to_owned(), ..Default::default() };
    let contents = [
        ("text", "héllo", Content::Text("héllo".to_owned())),
        ("template", "", Content::Template(template.clone())),
        ("interactive", "choose", Content::Interactive(list)),
        (
            "interactive",
            "really?",
            Content::Interactive(v1::Interactive { body: "really?".to_owned(), buttons, ..Default::default() }),
        ),
        ("image", "look", Content::Media(v1::OutboundMedia { r#type: "image".to_owned(), media: Some(picture) })),
        (
            "reaction",
            "👍",
            Content::Reaction(v1::OutboundReaction { message_id: "m-1".to_owned(), emoji: "👍".to_owned() }),
        ),
    ];
    for (kind, words, content) in contents {
        let request = ask!(SendMessageRequest, conversation, content: Some(content), reply_to: "m-1".to_owned());
        let sent = world.grpc.send_message(request).await.unwrap().into_inner();
        let said = last_said(&world).await;
        assert_eq!((said.len(), &said[0].0), (1, &sent.message_id));
        let message = &said[0].1;
        assert_eq!((message.r#type.as_str(), message.text.as_str(), message.reply_to.as_str()), (kind, words, "m-1"));
        assert_eq!(message.template.is_some(), kind == "template");
    }
    let event = world.distinct().await.into_iter().nth(1).unwrap();
    assert_eq!(event.channel, CHANNEL, "the first decision names the channel");
    let Some(Kind::Decided(decided)) = &event.event else { panic!("{event:?}") };
    assert_eq!(decided.after.as_ref().unwrap().assignee, assignee("anna", ""), "W6: who writes becomes the assignee");
}

#[tokio::test]
async fn w12_the_bot_speaks_only_where_it_holds_the_conversation() {
    let (mut world, conversation) = with_conversation().await;
    let say = || v1::SendMessageRequest { actor: bot(), ..text(&conversation, "I am a bot") };
    world.grpc.send_message(say()).await.unwrap();
    world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap();
    let refused = (Code::FailedPrecondition, "BOT_DOES_NOT_HOLD".to_owned());
    assert_eq!(reason(&world.grpc.send_message(say()).await.unwrap_err()), refused);
    world.grpc.close_ticket(ask!(CloseTicketRequest, conversation)).await.unwrap();
    world.grpc.send_message(say()).await.unwrap();
    world.grpc.pause_bot(ask!(PauseBotRequest, conversation)).await.unwrap();
    assert_eq!(reason(&world.grpc.send_message(say()).await.unwrap_err()), refused);
    world.grpc.resume_bot(ask!(ResumeBotRequest, conversation)).await.unwrap();
    world.grpc.send_message(say()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_said_names_its_field() {
    let (mut world, conversation) = with_conversation().await;
    let button = |id: &str| v1::Button { id: id.to_owned(), title: "t".to_owned() };
    let interactive =
        |buttons: Vec<v1::Button>| v1::Interactive { body: "b".to_owned(), buttons, ..Default::default() };
    let row = |n: usize| v1::ListRow { id: n.to_string(), title: "t".to_owned(), ..Default::default() };
    let list = |count: usize| v1::Interactive {
        body: "b".to_owned(),
        list_button: "open".to_owned(),
        list_sections: vec![v1::ListSection { title: String::new(), rows: (0..count).map(row).collect() }],
        ..Default::default()
    };
    let template = |name: &str, json: &str| v1::Template {
        name: name.to_owned(),
        language: "en".to_owned(),
        components_json: json.to_owned(),
    };
    let media = |kind: &str, id: &str, link: &str| {
        let media = v1::Media { id: id.to_owned(), link: link.to_owned(), ..Default::default() };
        Content::Media(v1::OutboundMedia { r#type: kind.to_owned(), media: Some(media) })
    };
    let reaction =
        |id: &str| Content::Reaction(v1::OutboundReaction { message_id: id.to_owned(), emoji: String::new() });
    let mut both = interactive(vec![button("a")]);
    both.list_sections = list(1).list_sections;
    let cases = [
        ("content", None),
        ("text", Some(Content::Text(String::new()))),
        ("text", Some(Content::Text("é".repeat(4_097)))),
        ("template.name", Some(Content::Template(template("", "")))),
        ("template.name", Some(Content::Template(template(&"x".repeat(513), "")))),
        ("template.components_json", Some(Content::Template(template("t", "{}")))),
        (
            "template.components_json",
            Some(Content::Template(template("t", &format!("[\"{}\"]", "x".repeat(16 * 1024))))),
        ),
        ("interactive.buttons", Some(Content::Interactive(interactive(vec![])))),
        (
            "interactive.buttons",
            Some(Content::Interactive(interactive("abcd".split("").filter(|id| !id.is_empty()).map(button).collect()))),
        ),
        ("interactive.buttons[1].id", Some(Content::Interactive(interactive(vec![button("a"), button("a")])))),
        ("interactive.list_sections", Some(Content::Interactive(both))),
        ("interactive.list_sections", Some(Content::Interactive(list(11)))),
        ("interactive.list_sections", Some(Content::Interactive(list(0)))),
        ("media.type", Some(media("gif", "1", ""))),
        ("media.media.id", Some(media("image", "", ""))),
        ("media.media.link", Some(media("image", "1", "https://x"))),
        ("media.media.link", Some(media("image", "", "javascript:1"))),
        ("reaction.message_id", Some(reaction(""))),
    ];
    for (field, content) in cases {
        let request = ask!(SendMessageRequest, conversation, content: content);
        assert_eq!(fields(&world.grpc.send_message(request).await.unwrap_err()), [field]);
    }
    let request = v1::SendMessageRequest { reply_to: "x".repeat(257), ..text(&conversation, "hi") };
    assert_eq!(fields(&world.grpc.send_message(request).await.unwrap_err()), ["reply_to"]);
    for fine in [interactive(vec![button("a"), button("b"), button("c")]), list(10)] {
        let request = ask!(SendMessageRequest, conversation, content: Some(Content::Interactive(fine)));
        world.grpc.send_message(request).await.unwrap();
    }
    world.grpc.send_message(text(&conversation, &"é".repeat(4_096))).await.unwrap();
}

#[tokio::test]
async fn free_words_end_a_day_after_the_customer_wrote_and_templates_do_not() {
    let mut world = World::start().await;
    let ago = |hours: i64| Some(proto::timestamp(Time(bus::now().0 - hours * 3_600_000_000_000)));
    let on = |channel: &str, id: &str, hours: i64| {
        let mut request = received(id);
        request.channel = channel.to_owned();
        request.contact = Some(v1::Contact { id: "4917000".to_owned(), ..Default::default() });
        request.message.as_mut().unwrap().occur_time = ago(hours);
        request
    };
    let conversation = world.grpc.receive_message(on("whatsapp:1", "old", 72)).await.unwrap().into_inner();
    let conversation = conversation.conversation_id.as_str();
    let hello = v1::Template { name: "hello".to_owned(), language: "en_US".to_owned(), components_json: String::new() };
    let template = ask!(SendMessageRequest, conversation, content: Some(Content::Template(hello)));
    let closed = (Code::FailedPrecondition, "WINDOW_CLOSED".to_owned());

    // What came three days late opens nothing; a template passes.
    let refused = world.grpc.send_message(text(conversation, "hello?")).await.unwrap_err();
    assert_eq!(reason(&refused), closed);
    assert!(refused.message().contains("template") && refused.message().contains("until 2"), "{refused}");
    world.grpc.send_message(template.clone()).await.unwrap();
    let reaction = v1::OutboundReaction { message_id: "old".to_owned(), emoji: "x".to_owned() };
    let reaction = ask!(SendMessageRequest, conversation, content: Some(Content::Reaction(reaction)));
    assert_eq!(reason(&world.grpc.send_message(reaction).await.unwrap_err()), closed);

    // The customer writes, and what was said is answered as before once the window has closed again.
    world.grpc.receive_message(on("whatsapp:1", "new", 1)).await.unwrap();
    let said = v1::SendMessageRequest { command_id: "c-1".to_owned(), ..text(conversation, "welcome back") };
    world.grpc.send_message(said).await.unwrap();

    // A later delivery of something older closes nothing.
    world.grpc.receive_message(on("whatsapp:1", "late", 48)).await.unwrap();
    world.grpc.send_message(text(conversation, "still here")).await.unwrap();

    // Other channels have no window.
    let web = world.grpc.receive_message(on(CHANNEL, "web", 72)).await.unwrap().into_inner().conversation_id;
    world.grpc.send_message(text(&web, "hello")).await.unwrap();
}

#[tokio::test]
async fn a_closed_window_answers_repeats_and_lets_other_refusals_be_told_first() {
    let mut world = World::start().await;
    // A window that closes within seconds.
    let mut request = received("old");
    request.channel = "whatsapp:1".to_owned();
    let wrote = Time(bus::now().0 - (86_400 - 10) * 1_000_000_000);
    request.message.as_mut().unwrap().occur_time = Some(proto::timestamp(wrote));
    let conversation = world.grpc.receive_message(request).await.unwrap().into_inner().conversation_id;
    let first = v1::SendMessageRequest { command_id: "c-1".to_owned(), ..text(&conversation, "hi") };
    let first_answer = world.grpc.send_message(first.clone()).await.unwrap().into_inner();

    // One that never opened: the customer never wrote.
    let keys = world.bus.workspace(ACME).await.unwrap();
    let address = bus::Address { kind: bus::AddressKind::Number, value: "4917111".to_owned() };
    let silent = world.bus.resolve(ACME, "whatsapp:1", &[address]).await.unwrap().conversation;
    let event = v1::Event {
        id: keys.fact_id(&["echo"]),
        workspace: ACME.to_owned(),
        conversation: silent.as_str().to_owned(),
        channel: "whatsapp:1".to_owned(),
        record_time: Some(proto::timestamp(bus::now())),
        occur_time: Some(proto::timestamp(bus::now())),
        event: Some(Kind::ContactChanged(v1::ContactChanged::default())),
        ..v1::Event::default()
    };
    world.bus.publish_facts(vec![event], &bus::TraceParent::start()).await.remove(0).unwrap();
    let refused = world.grpc.send_message(text(silent.as_str(), "hi")).await.unwrap_err();
    assert_eq!(reason(&refused).1, "WINDOW_CLOSED");
    assert!(refused.message().contains("never wrote"), "{refused}");
    world.grpc.open_ticket(ask!(OpenTicketRequest, silent.as_str())).await.unwrap();
    let bot = v1::SendMessageRequest { actor: bot(), ..text(silent.as_str(), "I am a bot") };
    assert_eq!(reason(&world.grpc.send_message(bot).await.unwrap_err()).1, "BOT_DOES_NOT_HOLD");

    let id = ConversationId::parse(&conversation).unwrap();
    testkit::eventually("the window to close", Duration::from_secs(60), async || {
        let window = world.bus.reply_window(ACME, &id, "whatsapp:1").await.unwrap();
        (!window.is_open(bus::now())).then_some(())
    })
    .await;
    let more = world.grpc.send_message(text(&conversation, "more")).await.unwrap_err();
    assert_eq!(reason(&more).1, "WINDOW_CLOSED");
    let again = world.grpc.send_message(first).await.unwrap().into_inner();
    assert_eq!((again.message_id, again.revision), (first_answer.message_id, first_answer.revision));
}
