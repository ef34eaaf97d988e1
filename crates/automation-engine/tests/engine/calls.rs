use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use hmac::{Hmac, Mac};
use proto::v1;
use proto::v1::run::Outcome;
use proto::v1::run_action::Outcome as Of;
use sha2::Sha256;

use crate::world::{SECRET, World, outcome};

/// What a target was asked: path, headers, body.
type Asked = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

async fn answer(State(asked): State<Asked>, uri: Uri, headers: HeaderMap, body: Bytes) -> StatusCode {
    let path = uri.path().to_owned();
    let before = {
        let mut asked = asked.lock().unwrap();
        asked.push((path.clone(), headers, body));
        asked.iter().filter(|(other, ..)| *other == path).count()
    };
    match path.as_str() {
        "/hangs" => std::future::pending().await,
        "/fails-twice" if before <= 2 => StatusCode::INTERNAL_SERVER_ERROR,
        "/fails" => StatusCode::INTERNAL_SERVER_ERROR,
        "/gone" => StatusCode::GONE,
        _ => StatusCode::OK,
    }
}

/// A target on loopback.
async fn target() -> (String, Asked) {
    let asked = Asked::default();
    let app = Router::new().fallback(answer).with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, asked)
}

fn rule(name: &str, url: &str, more: &str) -> String {
    format!("  - {{ name: {name}, on: message.received, do: [call_webhook: {{ url: '{url}'{more} }}] }}\n")
}

fn settled(run: &v1::Run) -> bool {
    run.actions[0].outcome() != Of::Waiting
}

#[tokio::test]
async fn calls_are_signed_tried_again_and_told_and_a_target_that_hangs_holds_up_nothing() {
    let mut world = World::start("[automation]\nallow_private_targets = true\nwebhook_pause_ms = 100").await;
    let (url, asked) = target().await;
    let body = ", body: { text: '{{message.text}}', from: '{{contact.display_name}}' }";
    let rules = [
        rule("answers", &format!("{url}/answers"), body),
        rule("fails-twice", &format!("{url}/fails-twice"), ""),
        rule("fails", &format!("{url}/fails"), ", attempts: 2"),
        rule("gone", &format!("{url}/gone"), ""),
        rule("hangs", &format!("{url}/hangs"), ", timeout: 1s, attempts: 2"),
    ];
    world
        .apply(&format!("rules:\n{}  - {{ name: tags, on: message.received, do: [add_tag: seen] }}\n", rules.concat()))
        .await;
    for n in 0..30 {
        world.receive(&format!("c{n}"), &format!("m{n}"), "hello").await;
    }
    let done = world.await_runs("answers", 30, settled).await;
    assert!(
        done.iter().all(|run| outcome(run) == Outcome::Done
            && run.actions[0].attempts == 1
            && run.actions[0].sealed.is_empty())
    );
    world.await_runs("tags", 30, |_| true).await;
    for run in world.await_runs("fails-twice", 30, settled).await {
        assert_eq!((outcome(&run), run.actions[0].detail.as_str()), (Outcome::Done, "answered 200"), "{run:#?}");
    }
    for run in world.await_runs("fails", 30, settled).await {
        assert_eq!((outcome(&run), run.actions[0].attempts), (Outcome::Failed, 2));
        assert!(run.reason.contains("gave up after 2 tries: answered 500"), "{}", run.reason);
    }
    for run in world.await_runs("gone", 30, settled).await {
        assert_eq!((run.actions[0].attempts, run.actions[0].detail.as_str()), (1, "answered 410"));
    }
    let hung = world.await_runs("hangs", 1, settled).await.remove(0);
    assert!(hung.reason.contains("no answer within 1 s"), "{}", hung.reason);
    let asked = asked.lock().unwrap().clone();
    let (_, headers, body) = asked.iter().find(|(path, ..)| path == "/answers").unwrap();
    let json: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(json["text"], "hello");
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(headers["x-threadmark-signature"], format!("sha256={hex}"));
    let about: serde_json::Value = asked
        .iter()
        .find(|(path, ..)| path == "/gone")
        .map(|(.., body)| serde_json::from_slice(body).unwrap())
        .unwrap();
    assert_eq!((about["event"]["type"].as_str(), about["rule"].as_str()), (Some("message.received"), Some("gone")));
    world.stop().await;
}

#[tokio::test]
async fn private_targets_are_refused_and_other_rules_go_on() {
    let mut world = World::start("").await;
    let (url, asked) = target().await;
    let by_name = url.replace("127.0.0.1", "localhost");
    world
        .apply(&format!(
            "rules:\n{}{}  - {{ name: tags, on: message.received, do: [add_tag: seen] }}\n",
            rule("digits", &url, ""),
            rule("by-name", &by_name, "")
        ))
        .await;
    world.receive("ana", "m1", "hello").await;
    for name in ["digits", "by-name"] {
        let run = world.await_runs(name, 1, settled).await.remove(0);
        assert_eq!(outcome(&run), Outcome::Failed);
        assert!(run.reason.contains("private address"), "{}", run.reason);
    }
    world.await_run("tags").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(asked.lock().unwrap().is_empty());
    world.stop().await;
}
