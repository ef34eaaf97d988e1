//! `ReceiveMessage`.

use proto::v1;
use proto::v1::event::Event as Kind;
use tonic::Code;

use crate::asks::{CHANNEL, fields, reason, received};
use crate::world::{ACME, World, names};

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
