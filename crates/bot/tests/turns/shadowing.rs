//! A candidate over what was recorded.

use conversation::Time;
use proto::v1;
use proto::v1::ShadowActual as Actual;
use proto::v1::bot_turn::Deed;
use proto::v1::knowledge_document::Format;
use proto::v1::shadow_response::Part;
use serde_json::json;
use testkit::{ChatAnswer, ChatServer};
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{BOT, World, person, world};

const KNOWN: &str = concat!(
    r#"{"text":"where is my order","intent":"tracking","answer":"On its way."}"#,
    "\n",
    r#"{"text":"a refund please","intent":"refunds","answer":"30 days."}"#,
);

#[tokio::test]
async fn a_candidate_is_asked_about_every_turn_and_nothing_is_recorded() {
    let mut world = world().await;
    let began = bus::now();
    world.say("ana", "a refund please").await;
    let (asked, asked_run) = world.say("bob", "where is my order").await;
    world.send(&asked, "ann", "let me see").await;
    world.receive("bob", "b2", "are you there").await;
    world.say("eve", "thanks").await;
    let (wants, _) = world.say("joe", "can I talk to a human").await;
    // Two messages of one turn, answered by a human before the bot can.
    let (mia, _) = world.receive("mia", "m1", "hm").await;
    let (_, last) = world.receive("mia", "m2", "where is my order").await;
    world.send(&mia, "ann", "it is here").await;
    world.idle().await;
    let before = world.bus.events_info().await.unwrap().state.last_sequence;

    let report = shadow(&mut world, request(began)).await;

    let mut cells: Vec<_> =
        report.cells.iter().map(|cell| (cell.deed(), cell.actual(), cell.count, cell.agrees)).collect();
    cells.sort_by_key(|cell| format!("{cell:?}"));
    let want = [
        (Deed::HandedOff, Actual::BotHandedOff, 1, true),
        (Deed::Replied, Actual::BotHandedOff, 1, false),
        (Deed::Replied, Actual::BotReplied, 1, true),
        (Deed::Replied, Actual::HumanAnswered, 1, false),
        (Deed::Replied, Actual::Nobody, 1, false),
    ];
    assert_eq!(cells, want, "{report:#?}");
    assert_eq!((report.turns, report.compared, report.agreed, report.turns_with_humans), (5, 5, 2, 1), "{report:#?}");
    let found = |conversation: &str| report.examples.iter().find(|example| example.conversation_id == conversation);
    let differs = found(&asked).unwrap();
    assert_eq!((differs.deed(), differs.actual()), (Deed::Replied, Actual::BotHandedOff));
    assert_eq!((differs.revision, differs.intent.as_str()), (asked_run.event_revision, "tracking"));
    assert_eq!((differs.text.as_str(), differs.words.as_str()), ("where is my order", "On its way."));
    let joined = found(&mia).unwrap();
    assert_eq!((joined.text.as_str(), joined.revision), ("hm\nwhere is my order", last));
    assert!(found(&wants).is_none(), "{report:#?}");
    let tracking = report.intents.iter().find(|intent| intent.intent == "tracking").unwrap();
    assert_eq!((tracking.turns, tracking.handoffs), (2, 0), "{report:#?}");

    assert_eq!(world.bus.events_info().await.unwrap().state.last_sequence, before);
    let limited = shadow(&mut world, v1::ShadowRequest { max_examples: 1, ..request(began) }).await;
    assert_eq!((limited.examples.len(), limited.turns), (1, 5));
    assert!(report.examples.contains(&limited.examples[0]));
    world.stop().await;
}

#[tokio::test]
async fn what_is_known_now_is_tried_where_nothing_else_is_given() {
    let mut world = world().await;
    let began = bus::now();
    // No bot answers there.
    let (conversation, revision) = receive_in_rival(&mut world, "a", "where is my order").await;
    send_in_rival(&mut world, &conversation).await;
    let asked = v1::ShadowRequest { workspace: "rival".to_owned(), documents: Vec::new(), ..request(began) };
    let ignorant = shadow(&mut world, asked.clone()).await;
    assert_eq!((ignorant.turns, ignorant.agreed), (1, 1), "who knows nothing hands off: {ignorant:#?}");
    let import = v1::ImportKnowledgeRequest {
        workspace: "rival".to_owned(),
        name: "faq".to_owned(),
        format: Format::Jsonl.into(),
        data: KNOWN.into(),
        ..v1::ImportKnowledgeRequest::default()
    };
    world.service.import_knowledge(import).await.unwrap();
    let knowing = shadow(&mut world, asked.clone()).await;
    assert_eq!((knowing.turns, knowing.agreed), (1, 0), "{knowing:#?}");
    assert_eq!((knowing.examples[0].revision, knowing.examples[0].deed()), (revision, Deed::Replied));
    assert_eq!(knowing.examples[0].actual(), Actual::HumanAnswered);
    let later = v1::ShadowRequest { start_time: Some(proto::timestamp(bus::now())), end_time: end(), ..asked };
    assert_eq!(shadow(&mut world, later).await.turns, 0, "nothing was said since");
    world.stop().await;
}

#[tokio::test]
async fn a_model_is_asked_within_a_budget_of_each_run_and_none_of_the_workspace_s() {
    let server = ChatServer::start().await;
    server.otherwise(ChatAnswer::call("reply", &json!({ "text": "Soon.", "sources": [1] })));
    let llm = format!("[bot.llm]\nbase_url = {:?}\nmodel = \"scripted\"\ntokens_per_day = 2500", server.url());
    let mut world = World::start(&format!("{BOT}\n{llm}\nanswer_tokens = 100")).await;
    let began = bus::now();
    for nth in 0..40 {
        world.receive(&format!("c{nth}"), &format!("m{nth}"), "where is my order").await;
    }
    world.idle().await;
    let mut asked = 0;
    for _ in 0..2 {
        let report = shadow(&mut world, request(began)).await;
        assert_eq!(report.turns, 40, "{report:#?}");
        let now = server.asked().len() - asked;
        assert!((1..=25).contains(&now), "each costs 100 of 2,500: {now}");
        asked += now;
    }
    let spent = world.bus.bucket(bus::BucketName::Once).get::<v1::SpentTokens>("acme.tokens").await.unwrap();
    assert!(spent.value.is_none(), "{spent:?}");
    world.stop().await;
}

#[tokio::test]
async fn what_it_asked_back_is_remembered_until_humans_come() {
    let mut world = world().await;
    let began = bus::now();
    // The bot of the time says hello; the candidate comes near an answer.
    for _ in 0..2 {
        world.say("ana", "hello parcels delivered spain balloon").await;
    }
    let text = "Parcels are delivered within two days.\n\nBicycles have to be fetched at a shop.";
    let near = v1::ShadowDocument { format: Format::Text.into(), data: text.into(), ..document() };
    let report = shadow(&mut world, v1::ShadowRequest { documents: vec![near], ..request(began) }).await;
    let mut deeds: Vec<(Deed, i64)> = report.cells.iter().map(|cell| (cell.deed(), cell.count)).collect();
    deeds.sort();
    assert_eq!(deeds, [(Deed::Clarified, 1), (Deed::HandedOff, 1)], "{report:#?}");
    world.stop().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_place() {
    let mut world = world().await;
    let now = bus::now();
    let backwards = v1::ShadowRequest { start_time: end(), end_time: Some(proto::timestamp(now)), ..request(now) };
    assert_eq!(fields(&mut world, backwards).await, ["end_time", "start_time"]);
    let nothing = v1::ShadowRequest { start_time: None, end_time: None, max_examples: 101, ..request(now) };
    assert_eq!(fields(&mut world, nothing).await, ["start_time", "end_time", "max_examples"]);
    let broken = v1::ShadowDocument { data: "{\"text\":\"a\",\"answer\":\"b\"}\n{".into(), ..document() };
    let broken = v1::ShadowRequest { documents: vec![broken], ..request(now) };
    let places = fields(&mut world, broken).await;
    assert!(places[0].starts_with("faq:2:"), "{places:?}");
    let unknown = v1::ShadowRequest { workspace: "nobody".to_owned(), ..request(now) };
    assert_eq!(world.service.shadow(unknown).await.unwrap_err().code(), Code::NotFound);
    world.stop().await;
}

fn document() -> v1::ShadowDocument {
    v1::ShadowDocument { name: "faq".to_owned(), format: Format::Jsonl.into(), data: KNOWN.into() }
}

fn end() -> Option<prost_types::Timestamp> {
    Some(proto::timestamp(Time(bus::now().0 + 60_000_000_000)))
}

fn request(since: Time) -> v1::ShadowRequest {
    v1::ShadowRequest {
        workspace: "acme".to_owned(),
        start_time: Some(proto::timestamp(since)),
        end_time: end(),
        documents: vec![document()],
        max_examples: 0,
    }
}

async fn shadow(world: &mut World, request: v1::ShadowRequest) -> v1::ShadowReport {
    let mut answers = world.service.shadow(request).await.unwrap().into_inner();
    let (mut report, mut progress) = (None, None);
    while let Some(answer) = answers.message().await.unwrap() {
        match answer.part.unwrap() {
            Part::Progress(told) => progress = Some(told),
            Part::Report(found) => report = Some(found),
        }
    }
    assert!(progress.is_some(), "it says how far it has come");
    report.unwrap()
}

async fn fields(world: &mut World, request: v1::ShadowRequest) -> Vec<String> {
    let refused = world.service.shadow(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    refused.get_details_bad_request().unwrap().field_violations.into_iter().map(|it| it.field).collect()
}

async fn receive_in_rival(world: &mut World, contact: &str, text: &str) -> (String, i64) {
    let request = v1::ReceiveMessageRequest {
        workspace: "rival".to_owned(),
        channel: "web:2".to_owned(),
        contact: Some(v1::Contact { id: contact.to_owned(), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage { id: contact.to_owned(), text: text.to_owned(), ..Default::default() }),
        ..v1::ReceiveMessageRequest::default()
    };
    let answer = world.conversations.receive_message(request).await.unwrap().into_inner();
    (answer.conversation_id, answer.revision)
}

async fn send_in_rival(world: &mut World, conversation: &str) {
    let request = v1::SendMessageRequest {
        workspace: "rival".to_owned(),
        conversation_id: conversation.to_owned(),
        actor: Some(person("ann")),
        content: Some(v1::send_message_request::Content::Text("on its way".to_owned())),
        ..v1::SendMessageRequest::default()
    };
    world.conversations.send_message(request).await.unwrap();
}
