use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::body::{Item, body, signature};
use super::run::End;
use super::tally::Tally;
use super::{Error, Options};

/// How long a body may wait for others to share it.
const LINGER: Duration = Duration::from_millis(5);
/// How long an answer may take: the channel itself is less patient.
const ANSWER: Duration = Duration::from_secs(30);
/// Pauses between attempts: the first and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where customers leave what they send. Cheap to clone; when the last clone is gone, the postman ends.
#[derive(Clone)]
pub(super) struct Post {
    letters: mpsc::Sender<Letter>,
    end: End,
}

struct Letter {
    item: Item,
    acknowledged: oneshot::Sender<bool>,
}

impl Post {
    /// Sends an item, and waits until its body is answered 200. `false` when that did not happen before the end, after
    /// which nothing new is sent.
    pub(super) async fn send(&self, item: Item) -> bool {
        if self.end.stop.is_begun() {
            return false;
        }
        let (acknowledged, answer) = oneshot::channel();
        let handed_over = self.letters.send(Letter { item, acknowledged }).await.is_ok();
        handed_over && answer.await.unwrap_or(false)
    }
}

/// Puts items into bodies, signs and sends these, and sends them again until they are answered 200.
pub(super) struct Postman {
    letters: mpsc::Receiver<Letter>,
    route: Arc<Route>,
}

/// All that one body needs.
struct Route {
    http: reqwest::Client,
    options: Options,
    tally: Arc<Tally>,
    end: End,
    error: Arc<OnceLock<Error>>,
}

/// A body that was answered 200.
struct Delivered {
    /// The id of its first item: what decides whether it comes again.
    first: String,
    items: usize,
    body: Vec<u8>,
}

/// What one attempt came to.
enum Answer {
    Acknowledged,
    /// Try again, after this long at least.
    Later(Duration),
    Refused(u16),
}

impl Postman {
    /// A postman and his letter box. An answer that is final goes to `error`, and stops everything.
    pub(super) fn new(options: &Options, tally: Arc<Tally>, end: End, error: Arc<OnceLock<Error>>) -> (Post, Postman) {
        let (sender, letters) = mpsc::channel(options.batch.clamp(16, 10_000));
        let http = reqwest::Client::builder().pool_max_idle_per_host(options.concurrency).timeout(ANSWER).build();
        let route = Route { http: http.unwrap_or_default(), options: options.clone(), tally, end: end.clone(), error };
        (Post { letters: sender, end }, Postman { letters, route: Arc::new(route) })
    }

    /// Works until every letter box is gone and everything is answered or given up.
    pub(super) async fn run(mut self) {
        let permits = Arc::new(Semaphore::new(self.route.options.concurrency));
        let mut under_way = JoinSet::new();
        while let Some(first) = self.letters.recv().await {
            let letters = self.gather(first).await;
            let Ok(permit) = permits.clone().acquire_owned().await else { break };
            let (route, permits) = (self.route.clone(), permits.clone());
            under_way.spawn(async move {
                let delivered = route.deliver(letters).await;
                drop(permit);
                if let Some(delivered) = delivered {
                    route.perhaps_again(delivered, &permits).await;
                }
            });
            while under_way.try_join_next().is_some() {}
        }
        while under_way.join_next().await.is_some() {}
    }

    /// What goes into one body.
    async fn gather(&mut self, first: Letter) -> Vec<Letter> {
        let mut letters = vec![first];
        let until = Instant::now() + LINGER;
        while letters.len() < self.route.options.batch {
            match tokio::time::timeout_at(until, self.letters.recv()).await {
                Ok(Some(letter)) => letters.push(letter),
                Ok(None) | Err(_) => break,
            }
        }
        letters
    }
}

impl Route {
    /// Delivers what goes into one body. `None` if it was not acknowledged before the end.
    async fn deliver(&self, letters: Vec<Letter>) -> Option<Delivered> {
        let (items, waiting): (Vec<Item>, Vec<_>) =
            letters.into_iter().map(|letter| (letter.item, letter.acknowledged)).unzip();
        items.iter().for_each(|item| self.tally.sent(item));
        let body = body(&self.options.phone_number_id, &items);
        let begun = Instant::now();
        let done = self.insist(&body).await;
        match done {
            true => {
                self.tally.answers.record(begun.elapsed());
                self.tally.acknowledged(&items);
            }
            false => self.tally.unsure(&items),
        }
        // Customers who gave up waiting need no answer.
        for waiting in waiting {
            let _ = waiting.send(done);
        }
        let first = items.first()?.id.clone();
        done.then_some(Delivered { first, items: items.len(), body })
    }

    /// The channel repeats what was answered, too: now and then the same bytes come once more.
    async fn perhaps_again(&self, delivered: Delivered, permits: &Semaphore) {
        let seed = delivered.first.bytes().fold(7, |seed, b| (seed * 31 + u64::from(b)) % (1 << 50));
        let mut dice = fastrand::Rng::with_seed(seed);
        if dice.f64() >= self.options.duplicates {
            return;
        }
        let pause = Duration::from_millis(dice.u64(20..1_000));
        tokio::select! {
            () = sleep(pause) => {}
            () = self.end.stop.begun() => return,
        }
        let Ok(_permit) = permits.acquire().await else { return };
        if self.insist(&delivered.body).await {
            self.tally.copies_acknowledged.add(delivered.items);
        }
    }

    /// Sends a body until it is answered 200, refused for good, or time is up.
    async fn insist(&self, body: &[u8]) -> bool {
        let signature = signature(self.options.secret.expose(), body);
        let mut pause = PAUSE;
        let attempts = async {
            loop {
                match self.attempt(body, &signature).await {
                    Answer::Acknowledged => {
                        self.tally.bodies_acknowledged.add(1);
                        return true;
                    }
                    Answer::Refused(status) => {
                        let error = Error::refused(&self.options.webhook_url, status);
                        let _ = self.error.set(error);
                        self.end.stop.begin();
                        return false;
                    }
                    Answer::Later(wish) => {
                        self.tally.retries.add(1);
                        sleep(pause.max(wish).min(LONGEST_PAUSE)).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        };
        tokio::select! {
            done = attempts => done,
            () = self.end.give_up.begun() => false,
        }
    }

    async fn attempt(&self, body: &[u8], signature: &str) -> Answer {
        let request = self.http.post(&self.options.webhook_url).header("X-Hub-Signature-256", signature);
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_vec());
        let Ok(Ok(response)) = timeout(ANSWER, request.send()).await else { return Answer::Later(Duration::ZERO) };
        match response.status().as_u16() {
            200 => Answer::Acknowledged,
            408 | 425 | 429 | 500.. => {
                let wish = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                Answer::Later(Duration::from_secs(wish.unwrap_or(0)))
            }
            status => Answer::Refused(status),
        }
    }
}
