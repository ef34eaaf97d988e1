use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use bus::{Bus, Handler, HandlerError, Options, Recorded, TraceParent, WorkerOptions};
use conversation::ConversationId;
use proto::v1;
use serde_json::Value;
use testkit::NatsServer;

use crate::commands::{text, threadmark};

/// Gives up until it is mended.
struct Broken(Arc<AtomicBool>);

impl Handler for Broken {
    async fn handle(&self, _: &Recorded) -> Result<(), HandlerError> {
        if self.0.load(SeqCst) { Ok(()) } else { Err(HandlerError::GiveUp("the tank is empty".to_owned())) }
    }
}

#[tokio::test]
async fn letters_are_listed_shown_in_the_clear_and_requeued() {
    let server = NatsServer::start().await;
    let bus = Bus::connect(&Options::new(server.url())).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let mended = Arc::new(AtomicBool::new(false));
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let (worker, broken) = (bus.clone(), Arc::new(Broken(mended.clone())));
    tokio::spawn(async move { worker.work(&WorkerOptions::new("pump"), broken, stopping).await.unwrap() });
    let keyring = bus.keyring("acme", &ConversationId::parse("c1").unwrap()).await.unwrap();
    let words = v1::SealedMessage {
        message: Some(v1::Message { text: "where is my order".to_owned(), ..v1::Message::default() }),
        ..v1::SealedMessage::default()
    };
    let received = v1::MessageReceived { sealed: keyring.seal(&words).into(), ..v1::MessageReceived::default() };
    let event = v1::Event {
        id: "m1".to_owned(),
        workspace: "acme".to_owned(),
        conversation: "c1".to_owned(),
        event: Some(v1::event::Event::MessageReceived(received)),
        ..v1::Event::default()
    };
    bus.publish_facts([event], &TraceParent::start()).await.remove(0).unwrap();

    let url = server.url();
    let dead = async |arguments: &[&str]| {
        let output = threadmark("http://127.0.0.1:1", &[&["dead", "--nats", &url], arguments].concat()).await;
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let listed = testkit::eventually("the letter", Duration::from_secs(60), async || {
        let (_, said) = dead(&["--json"]).await;
        said.lines().next().map(|line| serde_json::from_str::<Value>(line).unwrap())
    })
    .await;
    assert_eq!((&listed["consumer"], &listed["revision"]), (&"pump".into(), &1.into()));
    let number = listed["letter"].to_string();
    let (_, said) = dead(&[]).await;
    assert!(said.contains("the tank is empty") && said.contains("pump"), "{said}");
    let (code, said) = dead(&["show", &number]).await;
    assert!(code == Some(0) && said.contains("where is my order"), "{said}");
    assert_eq!(dead(&["show", "99"]).await.0, Some(4));
    assert_eq!(dead(&["requeue"]).await.0, Some(2), "one of them, or all of a consumer");

    mended.store(true, SeqCst);
    let (code, said) = dead(&["requeue", "--all", "pump"]).await;
    assert!(code == Some(0) && said.contains("requeued 1"), "{said}");
    let (code, said) = dead(&["requeue", "--all", "pump"]).await;
    assert!(code == Some(0) && said.contains("requeued 0"), "{said}");
    assert_eq!(dead(&["requeue", &number]).await.0, Some(4), "it is gone");
    let (_, said) = dead(&["list", "--consumer", "pump"]).await;
    assert!(said.contains("nothing was given up on"), "{said}");
}
