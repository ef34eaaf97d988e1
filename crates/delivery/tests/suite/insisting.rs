//! Webhooks hold on to what they have: whatever dies, is erased, or asks for time.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use bus::TraceParent;
use delivery::HookOptions;
use proto::v1;
use proto::v1::webhook_service_server::WebhookService;
use testkit::{Process, eventually};
use tonic::Request;

use crate::receiver::{Answer, Receiver};
use crate::webhooks::{ACME, DEADLINE, World, create, options, wait_for};

#[tokio::test]
async fn an_endpoint_that_asks_for_time_gets_it() {
    let world = World::start(options()).await;
    let (receiver, url) = Receiver::start(&[Answer::After(429, 3)], Answer::Status(200)).await;
    let (webhook, _) = world.create(&url, &["message.received"]).await;
    world.receive("m1", "hello").await;
    wait_for("the second try", &receiver, 2).await;
    let failed = eventually("the log", DEADLINE, async || {
        let log = world.log(&webhook.id).await;
        log.into_iter().find(|tried| tried.outcome() == v1::webhook_delivery::Outcome::Failed)
    })
    .await;
    let nanos = |time: Option<prost_types::Timestamp>| proto::time(&time.unwrap()).unwrap();
    assert!(nanos(failed.next_time).since(nanos(failed.time)) > Duration::from_secs(2), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_being_posted_at_a_kill_comes_again_under_the_same_id() {
    let world = World::start(options()).await;
    world.supervisor.shutdown().begin();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("threadmark.toml");
    let url = world.nats.url();
    let config = format!(
        "[nats]\nurl = \"{url}\"\n[grpc]\nlisten = \"127.0.0.1:0\"\n[webhooks]\nallow_private_targets = true\n\
         pause_ms = 50\ntimeout_ms = 50000\n[[workspaces]]\nname = \"{ACME}\"\n"
    );
    std::fs::write(&file, config).unwrap();
    let start = || Process::spawn(Command::new(env!("CARGO_BIN_EXE_delivery")).arg("--config").arg(&file)).unwrap();
    let (receiver, url) = Receiver::start(&[], Answer::Hang).await;
    world.create(&url, &["message.received"]).await;
    let program = start();
    for nth in 0..5 {
        world.receive(&format!("m{nth}"), "hello").await;
    }
    wait_for("all under way", &receiver, 5).await;
    // SIGKILL.
    drop(program);
    receiver.answer(Answer::Status(200));
    let _program = start();
    // What a process had in hand is handed out again after a minute.
    let again = eventually("all of them again", 3 * DEADLINE, async || {
        Some(receiver.got().split_off(5)).filter(|got| got.len() >= 5)
    })
    .await;
    let ids: BTreeSet<_> = again.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!(ids, (0..5).map(|nth| format!("m{nth}.0")).collect());
}

#[tokio::test]
async fn an_event_whose_key_is_gone_is_told_as_erased_and_holds_up_nothing() {
    let world = World::start(options()).await;
    let (receiver, url) = Receiver::start(&[], Answer::Status(200)).await;
    world.create(&url, &["message.received"]).await;
    let sealed = vec![7; 80].into();
    let erased = v1::Event {
        id: "e1".to_owned(),
        workspace: ACME.to_owned(),
        conversation: "cerased0000000000000000".to_owned(),
        channel: "web:1".to_owned(),
        occur_time: Some(proto::timestamp(bus::now())),
        record_time: Some(proto::timestamp(bus::now())),
        event: Some(v1::event::Event::MessageReceived(v1::MessageReceived {
            r#type: "text".to_owned(),
            sealed,
            names_contact: false,
        })),
        ..v1::Event::default()
    };
    world.bus.publish_facts(vec![erased], &TraceParent::start()).await.remove(0).unwrap();
    world.receive("m1", "hello").await;
    let got = wait_for("both", &receiver, 2).await;
    let of = |id: &str| got.iter().find(|got| got.header("webhook-id") == id).unwrap().json();
    assert_eq!(of("e1.0")["data"]["erased"], true);
    assert_eq!(of("m1.0")["data"]["text"], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_dead_endpoints_hold_up_no_live_one() {
    let workspaces: Vec<String> = (0..6).map(|nth| format!("dead{nth}")).collect();
    let all: BTreeSet<String> = workspaces.iter().cloned().chain([ACME.to_owned()]).collect();
    let world = World::start(HookOptions { workspaces: all, ..options() }).await;
    // Twenty beside the live one are of its workspace but one, as many as it may have.
    let mut dead = 0;
    for workspace in std::iter::once(ACME).chain(workspaces.iter().map(String::as_str)) {
        for _ in 0..19 {
            let request =
                v1::CreateWebhookRequest { workspace: workspace.to_owned(), ..create("http://127.0.0.1:1/", &["*"]) };
            world.service.create_webhook(Request::new(request)).await.unwrap();
            dead += 1;
        }
    }
    assert!(dead >= 100);
    let (receiver, url) = Receiver::start(&[], Answer::Status(200)).await;
    world.create(&url, &["message.received"]).await;
    for nth in 0..50 {
        world.receive(&format!("m{nth}"), "hello").await;
    }
    let got = wait_for("all of them", &receiver, 50).await;
    let ids: BTreeSet<_> = got.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), got.len()), (50, 50), "each came once");
}

#[tokio::test]
async fn the_python_of_the_docs_verifies_what_is_posted() {
    let docs = include_str!("../../../../docs/webhooks.md");
    let snippet = docs.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    if Command::new("python3").arg("--version").output().is_err() {
        println!("SKIPPED: there is no python3");
        return;
    }
    let world = World::start(options()).await;
    let (receiver, url) = Receiver::start(&[], Answer::Status(200)).await;
    let (_, secret) = world.create(&url, &["message.received"]).await;
    world.receive("m1", "Grüße").await;
    let got = wait_for("the post", &receiver, 1).await.remove(0);
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name, got.header(name)));
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let program = format!(
        "{snippet}\nimport json, sys\ngiven = json.load(sys.stdin)\nbody = given[\"body\"].encode()\n\
         print(verified(given[\"secret\"], given[\"headers\"], body), \
         verified(given[\"secret\"], given[\"headers\"], body + b\" \"))"
    );
    let given = serde_json::json!({ "secret": secret, "headers": headers, "body": String::from_utf8_lossy(&got.body) });
    let mut python =
        Command::new("python3").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let printed = python.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&printed.stdout).trim(), "True False");
}
