//! `ConversationService`, every method, on a real server.

use proto::v1;
use proto::v1::event::Event as Kind;
use proto::v1::send_message_request::Content;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{ACME, World, names};

const CHANNEL: &str = "webchat:1";

fn actor(kind: v1::actor::Kind, id: &str) -> Option<v1::Actor> {
    Some(v1::Actor { kind: kind.into(), id: id.to_owned(), display_name: String::new() })
}

fn agent() -> Option<v1::Actor> {
    actor(v1::actor::Kind::Agent, "anna")
}

fn bot() -> Option<v1::Actor> {
    actor(v1::actor::Kind::Bot, "bot")
}

fn assignee(agent_id: &str, team_id: &str) -> Option<v1::Assignee> {
    Some(v1::Assignee { agent_id: agent_id.to_owned(), team_id: team_id.to_owned() })
}

fn received(id: &str) -> v1::ReceiveMessageRequest {
    v1::ReceiveMessageRequest {
        workspace: ACME.to_owned(),
        channel: CHANNEL.to_owned(),
        contact: Some(v1::Contact { id: "visitor-1".to_owned(), display_name: "Ada".to_owned(), ..Default::default() }),
        message: Some(v1::ReceivedMessage { id: id.to_owned(), text: "hello".to_owned(), ..Default::default() }),
        ..Default::default()
    }
}

/// A world with one conversation in it.
async fn with_conversation() -> (World, String) {
    let mut world = World::start().await;
    let id = world.grpc.receive_message(received("m-1")).await.unwrap().into_inner().conversation_id;
    (world, id)
}

/// A request of the conversation by the agent, with some fields more.
macro_rules! ask {
    ($kind:ident, $conversation:expr $(, $field:ident: $value:expr)*) => {
        v1::$kind {
            workspace: ACME.to_owned(),
            conversation_id: $conversation.to_owned(),
            actor: agent(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}

fn text(conversation: &str, text: &str) -> v1::SendMessageRequest {
    ask!(SendMessageRequest, conversation, content: Some(Content::Text(text.to_owned())))
}

/// The fields that a request is told to mend.
fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let request = status.get_details_bad_request().expect("a BadRequest");
    request.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// The code and the reason of a refusal.
fn reason(status: &Status) -> (Code, String) {
    let info = status.get_error_details().error_info().cloned().expect("an ErrorInfo");
    assert_eq!(info.domain, "threadmark");
    if status.code() == Code::FailedPrecondition {
        let failure = status.get_details_precondition_failure().expect("a PreconditionFailure");
        assert_eq!(failure.violations[0].r#type, info.reason);
    }
    (status.code(), info.reason)
}

fn ids(tickets: &[v1::Ticket]) -> Vec<&str> {
    tickets.iter().map(|ticket| ticket.id.as_str()).collect()
}

#[tokio::test]
async fn a_received_message_is_an_event_once() {
    let mut world = World::start().await;
    let first = world.grpc.receive_message(received("m-1")).await.unwrap().into_inner();
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let again = world.grpc.receive_message(received("m-1")).await.unwrap().into_inner();
    assert_eq!((&first.conversation_id, &first.message_id), (&again.conversation_id, &again.message_id));
    let other = world.grpc.receive_message(received("m-2")).await.unwrap().into_inner();
    assert_eq!(other.conversation_id, first.conversation_id);
    let events = world.distinct().await;
    assert_eq!(names(&events), ["MessageReceived"; 2]);
    let event = &events[0];
    assert_eq!(
        (event.id.as_str(), event.channel.as_str(), event.workspace.as_str()),
        (first.message_id.as_str(), CHANNEL, ACME)
    );
    assert_eq!((event.actor.clone().unwrap().kind(), event.occur_time), (v1::actor::Kind::Customer, event.record_time));
    let sealed = world.open(event).await;
    let (contact, message) = (sealed.contact.unwrap(), sealed.message.unwrap());
    assert_eq!((contact.id.as_str(), contact.display_name.as_str()), ("visitor-1", "Ada"));
    assert_eq!(
        (message.channel_message_id.as_str(), message.r#type.as_str(), message.text.as_str()),
        ("m-1", "text", "hello")
    );
    let Some(Kind::MessageReceived(received)) = &event.event else { panic!("{event:?}") };
    assert!(received.names_contact && received.r#type == "text");
    assert_eq!(i64::try_from(world.events().await[0].revision).unwrap(), first.revision);
}

#[tokio::test]
async fn a_received_message_may_be_old_and_of_any_type() {
    let mut world = World::start().await;
    let mut request = received("m-1");
    let location = v1::Location { latitude: 52.5, longitude: 13.4, ..Default::default() };
    request.message = Some(v1::ReceivedMessage {
        r#type: "location".to_owned(),
        location: Some(location.clone()),
        occur_time: Some(prost_types::Timestamp { seconds: 4_102_444_800, nanos: 0 }),
        raw_json: "{\"a\":1}".to_owned(),
        reply_to: "m-0".to_owned(),
        ..request.message.unwrap()
    });
    world.grpc.receive_message(request).await.unwrap();
    let event = &world.distinct().await[0];
    assert_eq!(event.occur_time.unwrap().seconds, 4_102_444_800);
    let message = world.open(event).await.message.unwrap();
    assert_eq!(
        (message.location, message.raw_json.as_str(), message.reply_to.as_str()),
        (Some(location), "{\"a\":1}", "m-0")
    );
}

#[tokio::test]
async fn a_contact_is_found_by_its_user_id_first() {
    let mut world = World::start().await;
    let mut receive = async |id: &str, contact: &str, user_id: &str| {
        let contact = v1::Contact { id: contact.to_owned(), user_id: user_id.to_owned(), ..Default::default() };
        let request = v1::ReceiveMessageRequest { contact: Some(contact), ..received(id) };
        world.grpc.receive_message(request).await.unwrap().into_inner().conversation_id
    };
    let first = receive("m-1", "a", "").await;
    assert_eq!(receive("m-2", "a", "u").await, first);
    assert_eq!(receive("m-3", "", "u").await, first);
    assert_eq!(receive("m-4", "b", "u").await, first);
    assert_ne!(receive("m-5", "c", "").await, first);
    let other = v1::ReceiveMessageRequest { channel: "webchat:2".to_owned(), ..received("m-1") };
    assert_ne!(world.grpc.receive_message(other).await.unwrap().into_inner().conversation_id, first);
}

#[tokio::test]
async fn every_mistake_of_a_received_message_names_its_field() {
    let mut world = World::start().await;
    type Bend = fn(&mut v1::ReceiveMessageRequest);
    fn message(request: &mut v1::ReceiveMessageRequest) -> &mut v1::ReceivedMessage {
        request.message.as_mut().unwrap()
    }
    let cases: [(&str, Bend); 20] = [
        ("workspace", |request| request.workspace = "Not A Workspace".to_owned()),
        ("channel", |request| request.channel.clear()),
        ("channel", |request| request.channel = "x".repeat(257)),
        ("contact", |request| request.contact = None),
        ("contact.id", |request| request.contact = Some(v1::Contact::default())),
        ("contact.id", |request| request.contact.as_mut().unwrap().id = "a\nb".to_owned()),
        ("contact.display_name", |request| request.contact.as_mut().unwrap().display_name = "x".repeat(257)),
        ("message", |request| request.message = None),
        ("message.id", |request| message(request).id.clear()),
        ("message.id", |request| message(request).id = "x".repeat(257)),
        ("message.id", |request| message(request).id = "a\u{0}".to_owned()),
        ("message.text", |request| message(request).text = "x".repeat(64 * 1024 + 1)),
        ("message.type", |request| message(request).r#type = "x".repeat(65)),
        ("message.occur_time", |request| {
            message(request).occur_time = Some(prost_types::Timestamp { seconds: -1, nanos: 0 })
        }),
        ("message.occur_time", |request| {
            message(request).occur_time = Some(prost_types::Timestamp { seconds: 4_102_444_801, nanos: 0 })
        }),
        ("message.occur_time", |request| {
            message(request).occur_time = Some(prost_types::Timestamp { seconds: 1, nanos: -1 })
        }),
        ("message.location.latitude", |request| {
            message(request).location = Some(v1::Location { latitude: f64::NAN, ..Default::default() })
        }),
        ("message.media.link", |request| {
            message(request).media = Some(v1::Media { link: "ftp://x".to_owned(), ..Default::default() })
        }),
        ("message.raw_json", |request| message(request).raw_json = "{".to_owned()),
        ("expected_revision", |request| request.expected_revision = Some(-1)),
    ];
    for (field, bend) in cases {
        let mut request = received("m");
        bend(&mut request);
        assert_eq!(fields(&world.grpc.receive_message(request).await.unwrap_err()), [field]);
    }
    let whole = world.grpc.receive_message(v1::ReceiveMessageRequest::default()).await.unwrap_err();
    assert_eq!(fields(&whole), ["workspace", "channel", "contact", "message"], "all mistakes at once");
    let unknown = v1::ReceiveMessageRequest { workspace: "nobody".to_owned(), ..received("m") };
    assert_eq!(
        reason(&world.grpc.receive_message(unknown).await.unwrap_err()),
        (Code::NotFound, "WORKSPACE_NOT_FOUND".to_owned())
    );
    assert!(world.events().await.is_empty());
}

/// What each command on a conversation says of this head.
async fn each_command(world: &mut World, workspace: &str, conversation: &str, actor: Option<v1::Actor>) -> Vec<Status> {
    let grpc = &mut world.grpc;
    macro_rules! call {
        ($method:ident, $kind:ident $(, $field:ident: $value:expr)*) => {
            grpc.$method(v1::$kind {
                workspace: workspace.to_owned(),
                conversation_id: conversation.to_owned(),
                actor: actor.clone(),
                $($field: $value,)*
                ..Default::default()
            }).await.map(|_| ()).unwrap_err()
        };
    }
    vec![
        call!(send_message, SendMessageRequest, content: Some(Content::Text("hi".to_owned()))),
        call!(add_note, AddNoteRequest, text: "note".to_owned()),
        call!(add_tag, AddTagRequest, tag: "tag".to_owned()),
        call!(remove_tag, RemoveTagRequest, tag: "tag".to_owned()),
        call!(open_ticket, OpenTicketRequest),
        call!(close_ticket, CloseTicketRequest),
        call!(assign_conversation, AssignConversationRequest, assignee: assignee("anna", "")),
        call!(unassign_conversation, UnassignConversationRequest),
        call!(pause_bot, PauseBotRequest),
        call!(resume_bot, ResumeBotRequest),
        call!(mark_read, MarkReadRequest),
    ]
}

#[tokio::test]
async fn every_command_checks_its_head() {
    let (mut world, conversation) = with_conversation().await;
    let mut each = async |workspace: &str, conversation: &str, actor| {
        each_command(&mut world, workspace, conversation, actor).await
    };
    for status in each("nobody", &conversation, agent()).await {
        assert_eq!(reason(&status), (Code::NotFound, "WORKSPACE_NOT_FOUND".to_owned()));
    }
    for unknown in ["unknown", "has-dash", "has.dot", "*", "ünknown"] {
        for status in each(ACME, unknown, agent()).await {
            assert_eq!(reason(&status), (Code::NotFound, "CONVERSATION_NOT_FOUND".to_owned()), "{unknown}");
        }
    }
    // Another workspace's conversation does not exist in this one.
    for status in each("beta", &conversation, agent()).await {
        assert_eq!(status.code(), Code::NotFound);
    }
    for status in each("Acme", "", None).await {
        assert_eq!(fields(&status), ["workspace", "conversation_id", "actor"]);
    }
    let nobody = Some(v1::Actor { display_name: "x".repeat(257), ..Default::default() });
    for status in each(ACME, "a\nb", nobody).await {
        assert_eq!(fields(&status), ["conversation_id", "actor.kind", "actor.display_name"]);
    }
    for kind in [v1::actor::Kind::Agent, v1::actor::Kind::Bot, v1::actor::Kind::Automation] {
        for status in each(ACME, &conversation, actor(kind, "")).await {
            assert_eq!(fields(&status), ["actor.id"]);
        }
    }
    // W8: a customer can do none of these.
    for status in each(ACME, &conversation, actor(v1::actor::Kind::Customer, "")).await {
        assert_eq!(fields(&status), ["actor.kind"]);
    }
    assert_eq!(world.events().await.len(), 1, "nothing was decided");
}

#[tokio::test]
async fn tickets_open_nest_and_close() {
    let (mut world, conversation) = with_conversation().await;
    let open = ask!(OpenTicketRequest, conversation, topic: "refund".to_owned(), assignee: assignee("", "billing"));
    let opened = world.grpc.open_ticket(open).await.unwrap().into_inner();
    let first = opened.ticket.unwrap();
    assert_eq!(
        (first.state(), first.topic.as_str(), first.primary_id.as_str()),
        (v1::ticket::State::Open, "refund", "")
    );
    assert_eq!(
        (first.channel.as_str(), first.conversation_id.as_str(), first.workspace.as_str()),
        (CHANNEL, conversation.as_str(), ACME)
    );
    assert_eq!((first.assignee.clone(), first.opened_by.clone()), (assignee("", "billing"), agent()));
    assert_eq!((first.open_revision, first.close_revision, first.close_time), (opened.revision, 0, None));
    assert!(first.metrics.is_none() && first.assignments.is_empty() && first.open_time.is_some());

    let found = ask!(OpenTicketRequest, conversation, unless_open: true);
    let found = world.grpc.open_ticket(found).await.unwrap().into_inner();
    assert_eq!((found.ticket.as_ref(), found.revision), (Some(&first), opened.revision), "nothing was to do");

    let nested =
        world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!((nested.primary_id.as_str(), nested.assignee.clone()), (first.id.as_str(), assignee("", "billing")));
    let third =
        world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap().into_inner().ticket.unwrap();
    assert_eq!(third.primary_id, first.id, "nesting is flat");

    let last = world.grpc.close_ticket(ask!(CloseTicketRequest, conversation)).await.unwrap().into_inner();
    assert_eq!(ids(&last.tickets), [third.id.as_str()]);
    let named = ask!(CloseTicketRequest, conversation, ticket_id: first.id.clone());
    let closed = world.grpc.close_ticket(named).await.unwrap().into_inner();
    assert_eq!(ids(&closed.tickets), [nested.id.as_str(), first.id.as_str()], "the nested one first");
    let whole = &closed.tickets[1];
    assert_eq!(
        (whole.state(), whole.closed_by.clone(), whole.close_revision),
        (v1::ticket::State::Closed, agent(), closed.revision)
    );
    assert_eq!(
        (whole.open_revision, whole.open_time, whole.assignee.clone()),
        (first.open_revision, first.open_time, assignee("", "billing"))
    );
    assert!(whole.close_time.is_some() && whole.metrics.is_none());

    let refused = (Code::FailedPrecondition, "TICKET_NOT_OPEN".to_owned());
    for ticket_id in [String::new(), first.id.clone(), "unknown".to_owned()] {
        let again = ask!(CloseTicketRequest, conversation, ticket_id: ticket_id);
        assert_eq!(reason(&world.grpc.close_ticket(again).await.unwrap_err()), refused);
    }
    let all = ask!(CloseTicketRequest, conversation, all: true);
    assert_eq!(reason(&world.grpc.close_ticket(all.clone()).await.unwrap_err()), refused);
    let both = v1::CloseTicketRequest { ticket_id: first.id, ..all };
    assert_eq!(fields(&world.grpc.close_ticket(both).await.unwrap_err()), ["ticket_id"]);
}

#[tokio::test]
async fn at_most_32_tickets_are_open() {
    let (mut world, conversation) = with_conversation().await;
    for _ in 0..32 {
        world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap();
    }
    let refused = world.grpc.open_ticket(ask!(OpenTicketRequest, conversation)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::ResourceExhausted, "TOO_MANY_OPEN".to_owned()));
    let all = ask!(CloseTicketRequest, conversation, all: true);
    assert_eq!(world.grpc.close_ticket(all).await.unwrap().into_inner().tickets.len(), 32);
}

#[tokio::test]
async fn a_repeated_command_is_answered_as_the_first_time() {
    let (mut world, conversation) = with_conversation().await;
    let open = ask!(OpenTicketRequest, conversation, command_id: "open-1".to_owned(), topic: "a".to_owned());
    let first = world.grpc.open_ticket(open.clone()).await.unwrap().into_inner();
    let say = v1::SendMessageRequest { command_id: "say-1".to_owned(), ..text(&conversation, "hi") };
    let said = world.grpc.send_message(say.clone()).await.unwrap().into_inner();
    let close = ask!(CloseTicketRequest, conversation, command_id: "close-1".to_owned());
    let closed = world.grpc.close_ticket(close.clone()).await.unwrap().into_inner();
    let before = world.events().await.len();

    assert_eq!(world.grpc.open_ticket(open.clone()).await.unwrap().into_inner(), first);
    assert_eq!(world.grpc.send_message(say).await.unwrap().into_inner(), said);
    assert_eq!(world.grpc.close_ticket(close).await.unwrap().into_inner(), closed);
    assert_eq!(world.events().await.len(), before);

    let reused = (Code::AlreadyExists, "COMMAND_REUSED".to_owned());
    let other = v1::OpenTicketRequest { topic: "b".to_owned(), ..open };
    assert_eq!(reason(&world.grpc.open_ticket(other).await.unwrap_err()), reused);
    let other = ask!(PauseBotRequest, conversation, command_id: "open-1".to_owned());
    assert_eq!(reason(&world.grpc.pause_bot(other).await.unwrap_err()), reused, "another method is another command");
    // Scoped to its conversation.
    let mut elsewhere = received("m-9");
    elsewhere.contact.as_mut().unwrap().id = "visitor-2".to_owned();
    let elsewhere = world.grpc.receive_message(elsewhere).await.unwrap().into_inner().conversation_id;
    world.grpc.pause_bot(ask!(PauseBotRequest, elsewhere, command_id: "open-1".to_owned())).await.unwrap();
}

#[tokio::test]
async fn a_later_decision_than_expected_aborts() {
    let (mut world, conversation) = with_conversation().await;
    let first = world
        .grpc
        .pause_bot(ask!(PauseBotRequest, conversation, expected_revision: Some(0)))
        .await
        .unwrap()
        .into_inner()
        .revision;
    // Facts do not count.
    world.grpc.receive_message(received("m-2")).await.unwrap();
    let second = ask!(ResumeBotRequest, conversation, expected_revision: Some(first));
    world.grpc.resume_bot(second).await.unwrap();
    let moved_on = (Code::Aborted, "MOVED_ON".to_owned());
    let late = ask!(PauseBotRequest, conversation, expected_revision: Some(first));
    assert_eq!(reason(&world.grpc.pause_bot(late).await.unwrap_err()), moved_on);
    let late = ask!(MarkReadRequest, conversation, expected_revision: Some(first));
    assert_eq!(reason(&world.grpc.mark_read(late).await.unwrap_err()), moved_on);
    let late = v1::ReceiveMessageRequest { expected_revision: Some(first), ..received("m-3") };
    assert_eq!(reason(&world.grpc.receive_message(late).await.unwrap_err()), moved_on);
    let negative = ask!(PauseBotRequest, conversation, expected_revision: Some(-1));
    assert_eq!(fields(&world.grpc.pause_bot(negative).await.unwrap_err()), ["expected_revision"]);
}

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
async fn notes_tags_and_assignees_are_decisions_once() {
    let (mut world, conversation) = with_conversation().await;
    let note = world
        .grpc
        .add_note(ask!(AddNoteRequest, conversation, text: "internal".to_owned()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(note.note_id, format!("{conversation}-m1"));
    let event = world.events().await.pop().unwrap().event;
    assert!(!format!("{event:?}").contains("internal"), "notes are sealed");

    let tag = world
        .grpc
        .add_tag(ask!(AddTagRequest, conversation, tag: "vip".to_owned()))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert!(tag > note.revision);
    let again = world
        .grpc
        .add_tag(ask!(AddTagRequest, conversation, tag: "vip".to_owned()))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(again, tag, "nothing was to do");
    let gone = world
        .grpc
        .remove_tag(ask!(RemoveTagRequest, conversation, tag: "vip".to_owned()))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert!(gone > tag);

    let assign = ask!(AssignConversationRequest, conversation, assignee: assignee("anna", "billing"));
    let assigned = world.grpc.assign_conversation(assign.clone()).await.unwrap().into_inner().revision;
    assert_eq!(world.grpc.assign_conversation(assign).await.unwrap().into_inner().revision, assigned);
    let unassigned = world
        .grpc
        .unassign_conversation(ask!(UnassignConversationRequest, conversation))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert!(unassigned > assigned);
    let again = world
        .grpc
        .unassign_conversation(ask!(UnassignConversationRequest, conversation))
        .await
        .unwrap()
        .into_inner()
        .revision;
    assert_eq!(again, unassigned);

    let bad = ask!(AddNoteRequest, conversation, text: "x".repeat(64 * 1024 + 1));
    assert_eq!(fields(&world.grpc.add_note(bad).await.unwrap_err()), ["text"]);
    assert_eq!(fields(&world.grpc.add_note(ask!(AddNoteRequest, conversation)).await.unwrap_err()), ["text"]);
    for tag in [String::new(), "x".repeat(65), "a\nb".to_owned()] {
        let bad = ask!(AddTagRequest, conversation, tag: tag.clone());
        assert_eq!(fields(&world.grpc.add_tag(bad).await.unwrap_err()), ["tag"]);
        assert_eq!(
            fields(&world.grpc.remove_tag(ask!(RemoveTagRequest, conversation, tag: tag)).await.unwrap_err()),
            ["tag"]
        );
    }
    for bad in [None, assignee("", "")] {
        let bad = ask!(AssignConversationRequest, conversation, assignee: bad);
        assert_eq!(fields(&world.grpc.assign_conversation(bad).await.unwrap_err()), ["assignee"]);
    }
    let bad = ask!(OpenTicketRequest, conversation, topic: "x".repeat(257), assignee: assignee("", ""), command_id: "a\n".to_owned());
    assert_eq!(fields(&world.grpc.open_ticket(bad).await.unwrap_err()), ["command_id", "topic", "assignee"]);
    for n in 0..64 {
        world.grpc.add_tag(ask!(AddTagRequest, conversation, tag: format!("t{n}"))).await.unwrap();
    }
    let full = ask!(AddTagRequest, conversation, tag: "one more".to_owned());
    assert_eq!(
        reason(&world.grpc.add_tag(full).await.unwrap_err()),
        (Code::ResourceExhausted, "TOO_MANY_TAGS".to_owned())
    );
}

#[tokio::test]
async fn without_a_decision_a_no_op_has_revision_0() {
    let (mut world, conversation) = with_conversation().await;
    let nothing = world.grpc.resume_bot(ask!(ResumeBotRequest, conversation)).await.unwrap().into_inner();
    assert_eq!(nothing.revision, 0);
}

#[tokio::test]
async fn reading_is_a_fact_up_to_what_is_recorded() {
    let (mut world, conversation) = with_conversation().await;
    let read = world.grpc.mark_read(ask!(MarkReadRequest, conversation)).await.unwrap().into_inner().revision;
    let events = world.events().await;
    let last = events.last().unwrap();
    assert_eq!(
        (last.revision, last.event.channel.as_str(), last.event.actor.clone()),
        (u64::try_from(read).unwrap(), CHANNEL, agent())
    );
    let through = |event: &v1::Event| match &event.event {
        Some(Kind::MessagesRead(read)) => read.through_revision,
        other => panic!("{other:?}"),
    };
    assert_eq!(through(&last.event), 1);
    world.grpc.mark_read(ask!(MarkReadRequest, conversation, through_revision: 1)).await.unwrap();
    world.grpc.mark_read(ask!(MarkReadRequest, conversation, through_revision: 1_000_000)).await.unwrap();
    let read: Vec<i64> = world.distinct().await.iter().skip(1).map(through).collect();
    assert!(
        read.len() == 2 && read[0] == 1 && read[1] < 10,
        "a repeat has the same id, the future is not read: {read:?}"
    );
    let bad = ask!(MarkReadRequest, conversation, through_revision: -1);
    assert_eq!(fields(&world.grpc.mark_read(bad).await.unwrap_err()), ["through_revision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_bus_commands_are_unavailable() {
    let (mut world, conversation) = with_conversation().await;
    world.grpc.pause_bot(ask!(PauseBotRequest, conversation)).await.unwrap();
    world.nats.kill();
    let away = (Code::Unavailable, "BUS_AWAY".to_owned());
    let say = v1::SendMessageRequest { command_id: "say".to_owned(), ..text(&conversation, "hi") };
    let (mut one, mut two) = (world.grpc.clone(), world.grpc.clone());
    let (said, received) = tokio::join!(one.send_message(say.clone()), two.receive_message(received("m-7")));
    assert_eq!(reason(&said.unwrap_err()), away);
    assert_eq!(reason(&received.unwrap_err()), away);
    world.nats.restart().await;
    let said = testkit::eventually("the command to be decided", std::time::Duration::from_secs(30), async || {
        world.grpc.send_message(say.clone()).await.ok()
    });
    let id = said.await.into_inner().message_id;
    assert_eq!(id, format!("{conversation}-m1"), "decided once");
}
