//! Erasing a contact, looked for in every file that the server keeps.

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::stream;
use bus::{Address, AddressKind, Bus, EraseError, Error, Files, Owner, TraceParent};
use conversation::ConversationId;
use futures::future::join_all;
use proto::v1;
use proto::v1::erase_contact_response::Step;
use proto::v1::event::Event as Kind;
use testkit::{NatsServer, holders};

use crate::common::{agent, bus, connect, conversation, open, proposal};

const WORDS: &str = "the porcupine of Zwickau never arrived";
const NAME: &str = "Persephone Quillfeather";
const NUMBER: &str = "34600987123";

fn number(value: &str) -> Address {
    Address { kind: AddressKind::Number, value: value.to_owned() }
}

fn message(text: &str) -> v1::SealedMessage {
    let contact = v1::Contact { id: NUMBER.to_owned(), display_name: NAME.to_owned(), ..v1::Contact::default() };
    let message = v1::Message { text: text.to_owned(), ..v1::Message::default() };
    v1::SealedMessage { contact: Some(contact), message: Some(message) }
}

async fn write(bus: &Bus, from: &str, text: &str) -> ConversationId {
    let found = bus.resolve("acme", "whatsapp:1", &[number(from)]).await.unwrap().conversation;
    let sealed = bus.keyring("acme", &found).await.unwrap().seal(&message(text)).into();
    let event = v1::Event {
        id: nuid(),
        workspace: "acme".to_owned(),
        conversation: found.as_str().to_owned(),
        channel: "whatsapp:1".to_owned(),
        event: Some(Kind::MessageReceived(v1::MessageReceived { sealed, ..v1::MessageReceived::default() })),
        ..v1::Event::default()
    };
    bus.publish_facts([event], &TraceParent::start()).await.pop().unwrap().unwrap();
    found
}

fn nuid() -> String {
    bus::random::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn erase(bus: &Bus, of: &ConversationId) -> Result<Vec<(Step, u64)>, EraseError> {
    let actor = proto::actor_to(&agent("ana"));
    let mut steps = Vec::new();
    let files = Files::new(bus.clone(), None);
    let told = |removed: bus::Removed| steps.push((removed.step, removed.count));
    bus.erase(&files, "acme", of, &actor, &TraceParent::start(), told).await?;
    Ok(steps)
}

async fn key_of(bus: &Bus, of: &ConversationId) -> Vec<u8> {
    let keys = bus.jetstream().get_key_value("keys").await.unwrap();
    keys.get(format!("acme.{of}")).await.unwrap().unwrap()[1..].to_vec()
}

#[tokio::test]
async fn what_could_not_be_finished_is_not_begun() {
    let server = NatsServer::start().await;
    let bus = connect(&server.url()).await;
    let earlier = stream::Config {
        name: "KV_aliases".to_owned(),
        subjects: vec!["$KV.aliases.>".to_owned()],
        max_messages_per_subject: 1,
        discard: stream::DiscardPolicy::New,
        allow_rollup: true,
        allow_direct: true,
        deny_delete: true,
        ..stream::Config::default()
    };
    bus.jetstream().create_stream(earlier).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let of = write(&bus, NUMBER, WORDS).await;
    let refused = erase(&bus, &of).await.unwrap_err();
    assert!(matches!(refused, EraseError::Bus(Error::Refused { .. })), "{refused}");
    bus.keyring("acme", &of).await.unwrap();
}

#[tokio::test]
async fn nothing_of_an_erased_contact_is_left_in_any_file() {
    let (mut server, bus) = bus().await;
    let erased = write(&bus, NUMBER, WORDS).await;
    let numbers: Vec<String> = (0..20).map(|n| format!("3460011122{n}")).collect();
    let others = join_all(numbers.iter().map(|number| write(&bus, number, "hello"))).await;
    let files = Files::new(bus.clone(), None);
    let owner = Owner { workspace: "acme", conversation: Some(&erased) };
    let name = files.name(owner, "media-1").await.unwrap();
    files.put(owner, &name, &v1::SealedFile::default(), WORDS.as_bytes()).await.unwrap();
    // What others wrote of the contact in the clear, and an item that could not be read.
    let json = format!("{{\"phone\":\"+{NUMBER}\",\"said\":\"{WORDS}\"}}");
    for (id, json) in [("1", json.as_str()), ("2", "{\"phone\":\"+3460098712\"}")] {
        let json = json.to_owned().into();
        bus.publish_external("acme", "order.shipped", id, json, &TraceParent::start()).await.unwrap();
    }
    let raw = bus.workspace("acme").await.unwrap().seal(json.as_bytes()).into();
    let rejected = v1::Rejected {
        id: "r1".to_owned(),
        workspace: "acme".to_owned(),
        source: "whatsapp".to_owned(),
        sealed: raw,
        ..v1::Rejected::default()
    };
    bus.publish_rejected(vec![rejected], &TraceParent::start()).await.pop().unwrap().unwrap();
    let run = v1::Run {
        id: "greet@1/e1".to_owned(),
        rule: "greet".to_owned(),
        rule_version: 1,
        event_id: "e1".to_owned(),
        conversation_id: erased.to_string(),
        reason: format!("said {WORDS}"),
        ..v1::Run::default()
    };
    bus.record_run("acme", &run).await.unwrap();
    let key = key_of(&bus, &erased).await;
    let other_key = key_of(&bus, &others[3]).await;
    assert_eq!(holders(&server.store_dir(), &key).len(), 1, "the search finds what is there");
    assert!(!holders(&server.store_dir(), WORDS.as_bytes()).is_empty());

    let steps = erase(&bus, &erased).await.unwrap();
    let removed = |step| steps.iter().find(|(found, _)| *found == step).map(|(_, count)| *count);
    for step in [Step::Media, Step::Runs, Step::External, Step::Rejected, Step::Aliases, Step::Key] {
        assert_eq!(removed(step), Some(1), "{step:?} of {steps:?}");
    }
    assert_eq!(steps.last(), Some(&(Step::Erased, 1)));

    let look = |when: &str, store: &Path| {
        for bytes in [WORDS.as_bytes(), NAME.as_bytes(), NUMBER.as_bytes(), &key] {
            assert_eq!(holders(store, bytes), [""; 0], "{when}: {:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(holders(store, &other_key).len(), 1, "the others have theirs");
    };
    look("while the server runs", &server.store_dir());
    server.restart().await;
    look("after it was started again", &server.store_dir());
    assert!(bus.conversation("acme", others[3].as_str()).await.unwrap().is_some());
    server.kill();
    look("after everything stopped", &server.store_dir());
}

#[tokio::test]
async fn an_erased_key_is_gone_from_every_process_and_is_never_made_again() {
    let (server, bus) = bus().await;
    let other = connect(&server.url()).await;
    let erased = write(&bus, NUMBER, WORDS).await;
    // Both have it at hand.
    assert_eq!(write(&other, NUMBER, WORDS).await, erased);
    let lookup = async || other.known("acme", "whatsapp:1", &[number(NUMBER)]);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while lookup().await.is_none() {
        assert!(tokio::time::Instant::now() < deadline, "it is at hand once erasures are told of");
        other.conversation("acme", erased.as_str()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    erase(&bus, &erased).await.unwrap();
    assert!(lookup().await.is_none());
    for bus in [&bus, &other, &connect(&server.url()).await] {
        assert!(bus.conversation("acme", erased.as_str()).await.unwrap().is_none());
        assert!(matches!(bus.keyring("acme", &erased).await, Err(Error::Erased)));
    }
    // Whoever was erased and writes again is somebody new.
    let again = write(&other, NUMBER, "hello again").await;
    assert_ne!(again, erased);
    assert_eq!(write(&bus, NUMBER, "and again").await, again);
    assert!(bus.keyring("acme", &again).await.is_ok());
    // Asked for again it finds nothing more to do, and leaves the new one alone.
    let steps = erase(&bus, &erased).await.unwrap();
    assert!(steps.iter().all(|(step, count)| *count == 0 || matches!(step, Step::Marked | Step::Erased)), "{steps:?}");
    assert!(bus.conversation("acme", again.as_str()).await.unwrap().is_some());
}

#[tokio::test]
async fn an_erasure_that_broke_off_is_finished_when_it_is_asked_for_again() {
    let (server, bus) = bus().await;
    let erased = write(&bus, NUMBER, WORDS).await;
    let json = format!("{{\"phone\":\"{NUMBER}\"}}");
    for nth in 0..12 {
        let json = json.clone().into();
        bus.publish_external("acme", "order", &nth.to_string(), json, &TraceParent::start()).await.unwrap();
    }
    let key = key_of(&bus, &erased).await;
    // It breaks off after every step in turn, and once in the middle of everything: when the step before was told.
    for last in [Step::Marked, Step::Media, Step::External, Step::Aliases, Step::Key] {
        let one = connect(&server.url()).await;
        let (actor, files) = (proto::actor_to(&agent("ana")), Files::new(one.clone(), None));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let mut stop = Some(stop);
        let told = |removed: bus::Removed| {
            if removed.step == last
                && let Some(stop) = stop.take()
            {
                stop.send(()).unwrap();
            }
        };
        let trace = TraceParent::start();
        let erasing = one.erase(&files, "acme", &erased, &actor, &trace, told);
        tokio::select! {
            biased;
            stopped = stopped => stopped.unwrap(),
            done = erasing => panic!("it did not break off: {done:?}"),
        }
        // Every process hears of the mark by its watch.
        testkit::eventually("marked to be erased for everybody", Duration::from_secs(10), async || {
            bus.conversation("acme", erased.as_str()).await.unwrap().is_none().then_some(())
        })
        .await;
    }
    erase(&bus, &erased).await.unwrap();
    for bytes in [key.as_slice(), NUMBER.as_bytes()] {
        assert_eq!(holders(&server.store_dir(), bytes), [""; 0]);
    }
}

#[tokio::test]
async fn with_a_ticket_open_nobody_is_erased() {
    let (_server, bus) = bus().await;
    let nobody = erase(&bus, &ConversationId::parse("c404").unwrap()).await;
    assert!(matches!(nobody, Err(EraseError::Unknown)));
    bus.keyring("acme", &conversation()).await.unwrap();
    bus.decide(&proposal("1", "", vec![open(conversation::IfOpen::Nest)])).await.unwrap();
    assert!(matches!(erase(&bus, &conversation()).await, Err(EraseError::TicketOpen)));
    assert!(bus.conversation("acme", "c1").await.unwrap().is_some());
}
