use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use service::access::Bearer;
use service::{Secret, Shutdown};

use super::body::signature;
use super::{Error, Limit, Manner, Options, Simulator, run};

const SECRET: &str = "s3cret";
const DEADLINE: Duration = Duration::from_secs(30);

/// What the webhook does with a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Takes,
    /// Keeps it, and answers as if it had not.
    TakesAndFails,
    Fails,
}

/// A webhook that remembers what it was told.
#[derive(Default)]
struct Heard {
    bodies: u64,
    /// How often each item came, and what it said besides its time.
    items: BTreeMap<String, (u64, String)>,
}

struct Webhook {
    heard: Mutex<Heard>,
    mood: fn(u64) -> Mood,
}

impl Webhook {
    /// Answers on a port of its own; the mood goes by the number of the body.
    async fn start(mood: fn(u64) -> Mood) -> (Arc<Webhook>, String) {
        let webhook = Arc::new(Webhook { heard: Mutex::default(), mood });
        let router = Router::new().route("/hook", post(take)).with_state(webhook.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (webhook, url)
    }

    fn ids(&self) -> BTreeSet<String> {
        self.heard.lock().unwrap().items.keys().cloned().collect()
    }

    fn said(&self) -> BTreeMap<String, String> {
        self.heard.lock().unwrap().items.iter().map(|(id, (_, said))| (id.clone(), said.clone())).collect()
    }
}

async fn take(State(webhook): State<Arc<Webhook>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let claimed = headers.get("X-Hub-Signature-256").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if claimed != signature(SECRET, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let mut heard = webhook.heard.lock().unwrap();
    heard.bodies += 1;
    let mood = (webhook.mood)(heard.bodies);
    if mood == Mood::Fails {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    for change in body["entry"][0]["changes"].as_array().unwrap() {
        for message in change["value"]["messages"].as_array().unwrap() {
            let mut message = message.clone();
            message["timestamp"].take();
            let id = message["id"].as_str().unwrap().to_owned();
            heard.items.entry(id).or_insert((0, message.to_string())).0 += 1;
        }
    }
    if mood == Mood::Takes { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

fn options(url: &str) -> Options {
    Options {
        customers: 7,
        limit: Limit { messages: Some(120), duration: None },
        manner: Manner::Steady { rate: 0.0 },
        server: None,
        seed: 7,
        batch: 5,
        keep_ids: true,
        ..Options::demo(url.to_owned(), Secret::new(SECRET), String::new(), Bearer::none().into(), "demo".to_owned())
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_what_arrived() {
    let (webhook, url) = Webhook::start(|body| match body % 4 {
        1 => Mood::Fails,
        2 => Mood::TakesAndFails,
        _ => Mood::Takes,
    })
    .await;
    let summary = tokio::time::timeout(DEADLINE, run(Options { duplicates: 0.5, ..options(&url) }, Shutdown::new()));
    let summary = summary.await.unwrap().unwrap();
    let counted = (summary.messages_sent, summary.messages_acknowledged, summary.ids.messages.len());
    assert_eq!(counted, (120, 120, 120));
    assert_eq!(summary.ids.messages.iter().cloned().collect::<BTreeSet<_>>(), webhook.ids());
    assert!(summary.ids.unsure.is_empty() && summary.retries > 0 && summary.copies_acknowledged > 0, "{summary:?}");
    let came: u64 = webhook.heard.lock().unwrap().items.values().map(|(times, _)| times).sum();
    assert!(came >= 120 + summary.copies_acknowledged, "{came}");
}

#[tokio::test]
async fn a_seed_makes_the_same_customers_say_the_same() {
    let mut said = Vec::new();
    for (seed, batch) in [(7, 1), (7, 5), (8, 1)] {
        let (webhook, url) = Webhook::start(|_| Mood::Takes).await;
        run(Options { seed, batch, ..options(&url) }, Shutdown::new()).await.unwrap();
        said.push(webhook.said());
    }
    assert_eq!(said[0], said[1]);
    assert!(said[2].keys().all(|id| !said[0].contains_key(id)));
}

#[tokio::test]
async fn a_wrong_secret_ends_it_and_says_so() {
    let (webhook, url) = Webhook::start(|_| Mood::Takes).await;
    let options = Options { secret: Secret::new("wrong"), ..options(&url) };
    let outcome = tokio::time::timeout(DEADLINE, run(options, Shutdown::new())).await.unwrap();
    match outcome {
        Err(Error::Refused { status: 401, hint, .. }) => assert!(hint.contains("--secret"), "{hint}"),
        other => panic!("{other:?}"),
    }
    assert!(webhook.ids().is_empty());
}

#[tokio::test]
async fn told_to_end_it_ends_although_nobody_answers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    drop(listener);
    let simulator = Simulator::new(options(&url)).unwrap();
    let (tally, shutdown) = (simulator.tally(), Shutdown::new());
    let running = tokio::spawn(simulator.run(shutdown.clone()));
    testkit::eventually("attempts", DEADLINE, async || (tally.retries.get() > 3).then_some(())).await;
    shutdown.begin();
    let summary = tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(summary.messages_acknowledged, 0);
    assert_eq!(summary.ids.unsure.len() as u64, summary.messages_sent);
    assert!(summary.messages_sent > 0);
}

#[test]
fn options_that_cannot_be_are_refused() {
    let fine = options("http://127.0.0.1:1/hook");
    let wrong = [
        Options { customers: 0, ..fine.clone() },
        Options { batch: 0, ..fine.clone() },
        Options { duplicates: 1.5, ..fine.clone() },
        Options { unanswered: f64::NAN, ..fine.clone() },
        Options { manner: Manner::Steady { rate: -1.0 }, ..fine.clone() },
        Options { manner: Manner::Natural { speed: 0.0 }, ..fine.clone() },
        Options { webhook_url: "ftp://x".to_owned(), ..fine.clone() },
    ];
    for options in wrong {
        assert!(matches!(Simulator::new(options.clone()), Err(Error::Option(_))), "{options:?}");
    }
    assert!(Simulator::new(fine).is_ok());
}
