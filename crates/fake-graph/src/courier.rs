//! Posts webhooks, one after another, each until it is answered 200.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::webhook;

/// Most updates of a body.
const MAX_UPDATES: usize = 100;
/// Letters that may wait; beyond that, who has something to tell waits.
const MAX_WAITING: usize = 10_000;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Pauses between attempts: the first and the longest.
const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// After that long a body is given up. The real one goes on for days.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where webhooks go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) secret: String,
}

/// What is to be told.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A status at a number of the business: several share a body.
    Status { number: String, status: Value },
    /// A whole body.
    Body(Value),
}

/// How many bodies were answered 200, and how many were given up.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    pub(crate) taken: AtomicU64,
    pub(crate) given_up: AtomicU64,
}

/// Works until every sender is gone.
pub(crate) fn start(target: Target, posted: Arc<Posted>) -> (mpsc::Sender<Letter>, impl Future<Output = ()> + Send) {
    let (sender, letters) = mpsc::channel(MAX_WAITING);
    (sender, run(target, posted, letters))
}

async fn run(target: Target, posted: Arc<Posted>, mut letters: mpsc::Receiver<Letter>) {
    let http = reqwest::Client::builder().timeout(ANSWER).build().unwrap_or_default();
    let mut waiting = Vec::new();
    while letters.recv_many(&mut waiting, MAX_UPDATES).await > 0 {
        for body in bodies(waiting.drain(..)) {
            let count = if insist(&http, &target, &body).await { &posted.taken } else { &posted.given_up };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The bodies of some letters, in order: statuses of one number in a row share one.
fn bodies(letters: impl Iterator<Item = Letter>) -> Vec<Value> {
    let (mut bodies, mut together): (Vec<Value>, Option<(String, Vec<Value>)>) = (Vec::new(), None);
    let close = |bodies: &mut Vec<Value>, together: &mut Option<(String, Vec<Value>)>| {
        if let Some((number, statuses)) = together.take() {
            bodies.push(webhook::body(&number, json!({ "statuses": statuses })));
        }
    };
    for letter in letters {
        match (letter, &mut together) {
            (Letter::Status { number, status }, Some((same, statuses))) if *same == number => statuses.push(status),
            (Letter::Status { number, status }, _) => {
                close(&mut bodies, &mut together);
                together = Some((number, vec![status]));
            }
            (Letter::Body(body), _) => {
                close(&mut bodies, &mut together);
                bodies.push(body);
            }
        }
    }
    close(&mut bodies, &mut together);
    bodies
}

/// Posts a body until it is answered 200; `false` when that takes too long.
async fn insist(http: &reqwest::Client, target: &Target, body: &Value) -> bool {
    let body = body.to_string();
    let signature = webhook::signature(&target.secret, body.as_bytes());
    let (until, mut pause) = (Instant::now() + PATIENCE, PAUSE);
    while Instant::now() < until {
        let request = http.post(&target.url).header("X-Hub-Signature-256", &signature);
        let request = request.header("Content-Type", "application/json").body(body.clone());
        if request.send().await.is_ok_and(|answer| answer.status().as_u16() == 200) {
            return true;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    false
}
