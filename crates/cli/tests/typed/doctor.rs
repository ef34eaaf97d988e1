use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Handler, HandlerError, Options, Recorded, TraceParent, WorkerOptions};
use proto::v1;
use serde_json::Value;
use testkit::NatsServer;

use crate::commands::{text, threadmark};
use crate::stand_in::StandIn;

struct GivesUp;

impl Handler for GivesUp {
    async fn handle(&self, _: &Recorded) -> Result<(), HandlerError> {
        Err(HandlerError::GiveUp("no".to_owned()))
    }
}

/// What it says of what, and what it ends with.
async fn findings(nats: &str, server: &str) -> (Option<i32>, Vec<(String, String, String)>) {
    let output = threadmark(server, &["doctor", "--json", "--nats", nats]).await;
    let parsed =
        text(&output.stdout).lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let of = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let all = parsed.iter().map(|found| (of(found, "state"), of(found, "what"), of(found, "says")));
    (output.status.code(), all.collect())
}

#[tokio::test]
async fn what_is_broken_is_said() {
    let server = NatsServer::start().await;
    let bus = Bus::connect(&Options::new(server.url())).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let worker = bus.clone();
    tokio::spawn(async move { worker.work(&WorkerOptions::new("pump"), Arc::new(GivesUp), stopping).await.unwrap() });
    let (_, grpc) = StandIn::start().await;
    let url = server.url();
    let said = async |state: &str, what: &str, says: &str| {
        testkit::eventually(&format!("{state} {what} {says}"), Duration::from_secs(60), async || {
            let (code, found) = findings(&url, &grpc).await;
            assert_eq!(code, Some(1), "the stand-in has no services but one");
            found.iter().any(|found| found.0 == state && found.1 == what && found.2.contains(says)).then_some(())
        })
        .await;
    };
    said("ok", "stream EVENTS", "0 messages").await;
    said("ok", "dead letters", "none").await;
    said("ok", "consumer EVENTS pump-3", "0 waiting").await;
    said("fail", "view", "").await;

    let event = v1::Event {
        id: "m1".to_owned(),
        workspace: "acme".to_owned(),
        conversation: "c1".to_owned(),
        event: Some(v1::event::Event::MessageReceived(v1::MessageReceived::default())),
        ..v1::Event::default()
    };
    bus.publish_facts([event], &TraceParent::start()).await.remove(0).unwrap();
    said("warn", "dead letters", "1").await;
    let stream = bus.jetstream().get_stream("EVENTS").await.unwrap();
    stream.delete_consumer("pump-3").await.unwrap();
    said("fail", "consumer EVENTS pump-3", "is not there").await;
    bus.jetstream().delete_stream("HOOKLOG").await.unwrap();
    said("fail", "stream HOOKLOG", "is not there").await;
}
