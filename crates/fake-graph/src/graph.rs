//! The fake as tests hold it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::courier::{self, Posted, Target};
use crate::line::{Line, Scissors, Switch};
use crate::media::{File, FileCall};
use crate::state::{State, lock};
use crate::{Act, Fate, Limits, Seen, Sent, Which, routes, webhook};

/// How many messages are remembered, unless told otherwise.
const REMEMBERED: usize = 200_000;

/// How a fake begins.
#[derive(Debug)]
pub struct Builder {
    token: String,
    webhook: Option<Target>,
    remembered: usize,
}

impl Builder {
    /// Takes calls that show this token; "token" otherwise.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Builder {
        Builder { token: token.into(), ..self }
    }

    /// Posts webhooks to this address, signed under this secret. Without one, nobody is told what becomes of a message.
    #[must_use]
    pub fn webhook(self, url: impl Into<String>, app_secret: impl Into<String>) -> Builder {
        Builder { webhook: Some(Target { url: url.into(), secret: app_secret.into() }), ..self }
    }

    /// Remembers the last so many messages; 200,000 otherwise.
    #[must_use]
    pub fn remember(self, messages: usize) -> Builder {
        Builder { remembered: messages.max(1), ..self }
    }

    /// Answers on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(self) -> io::Result<FakeGraph> {
        let switch = Switch::new();
        let line = Line::open(switch.clone()).await?;
        let (address, closing, posted) = (line.address(), CancellationToken::new(), Arc::new(Posted::default()));
        let mut tasks = Vec::new();
        let letters = self.webhook.map(|target| {
            let (letters, delivering) = courier::start(target, posted.clone());
            tasks.push(tokio::spawn(delivering));
            letters
        });
        let state = Arc::new(State::new(self.token, self.remembered, letters, closing.clone()));
        let service = routes::router(state.clone()).into_make_service_with_connect_info::<Scissors>();
        tasks.push(tokio::spawn(async move {
            let _ = axum::serve(line, service).await;
        }));
        Ok(FakeGraph { address, state, switch, posted, closing, tasks })
    }
}

/// A Graph API. It ends when this is dropped.
#[derive(Debug)]
pub struct FakeGraph {
    address: SocketAddr,
    state: Arc<State>,
    switch: Switch,
    posted: Arc<Posted>,
    closing: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl FakeGraph {
    /// One that is to be told more before it begins.
    pub fn builder() -> Builder {
        Builder { token: "token".to_owned(), webhook: None, remembered: REMEMBERED }
    }

    /// What clients take as `api_base`.
    pub fn url(&self) -> String {
        format!("http://{}/v23.0", self.address)
    }

    /// Waits so long before every answer.
    pub fn set_latency(&self, latency: Duration) {
        *lock(&self.state.latency) = latency;
    }

    /// Limits every number and every pair from now on.
    pub fn set_limits(&self, limits: Limits) {
        lock(&self.state.gauge).set(limits);
    }

    /// Does this with the next so many calls that send a message, after what was said before about the same calls.
    pub fn next(&self, which: Which, times: u32, act: Act) {
        lock(&self.state.script).add(which, Some(times), act);
    }

    /// Does this with all calls that send a message, after what was said before about the same calls.
    pub fn always(&self, which: Which, act: Act) {
        lock(&self.state.script).add(which, None, act);
    }

    /// Everything is as usual again.
    pub fn usual(&self) {
        lock(&self.state.script).clear();
    }

    /// What becomes of messages from now on, before what was said earlier. Without a word they are sent, delivered and
    /// read.
    pub fn fate(&self, which: Which, fate: Fate) {
        lock(&self.state.fates).insert(0, (which, fate));
    }

    /// A template that exists, and how many values its body takes. Until one is named, every template exists.
    pub fn template(&self, name: &str, language: &str, values: usize) {
        lock(&self.state.templates).add(name, language, values);
    }

    /// Keeps a file, as if a customer had sent it, and answers its id.
    pub fn put_media(&self, mime_type: &str, bytes: impl Into<Bytes>) -> String {
        self.put(File { mime_type: mime_type.to_owned(), bytes: bytes.into(), said: None })
    }

    /// Keeps a file, and says of it what `said` says instead of the truth: `sha256`, `file_size`, `mime_type`, `url`.
    pub fn put_false_media(&self, mime_type: &str, bytes: impl Into<Bytes>, said: Value) -> String {
        self.put(File { mime_type: mime_type.to_owned(), bytes: bytes.into(), said: Some(said) })
    }

    fn put(&self, file: File) -> String {
        let id = self.state.fresh();
        lock(&self.state.media).put(id.clone(), file);
        id
    }

    /// A file that is kept: its type and bytes.
    pub fn media(&self, id: &str) -> Option<(String, Bytes)> {
        lock(&self.state.media).get(id).map(|file| (file.mime_type.clone(), file.bytes.clone()))
    }

    /// The next so many calls of this kind about a file fail with this status: 404 for bytes is an address that expired.
    pub fn fail_media(&self, id: &str, call: FileCall, times: u32, status: u16) {
        lock(&self.state.media).fail(id, call, times, status);
    }

    /// How many calls of this kind about a file came.
    pub fn media_calls(&self, id: &str, call: FileCall) -> u64 {
        lock(&self.state.media).asked(id, call)
    }

    /// How many files are kept.
    pub fn media_count(&self) -> usize {
        lock(&self.state.media).len()
    }

    /// No token is taken any more: every call is refused with 190.
    pub fn expire_token(&self) {
        *lock(&self.state.token) = None;
    }

    /// Takes calls that show this token.
    pub fn set_token(&self, token: impl Into<String>) {
        *lock(&self.state.token) = Some(token.into());
    }

    /// Ends all connections and refuses new ones, as a machine that is not there.
    pub fn go_down(&self) {
        self.switch.down();
    }

    /// Answers again, at the same address.
    pub fn come_back(&self) {
        self.switch.up();
    }

    /// The messages that were accepted, oldest first, as many as are remembered.
    pub fn sent(&self) -> Vec<Sent> {
        lock(&self.state.sent).iter().cloned().collect()
    }

    /// How many messages were accepted.
    pub fn sent_count(&self) -> u64 {
        self.state.accepted()
    }

    /// The receipts that were accepted, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).iter().cloned().collect()
    }

    /// How often each error code was answered.
    pub fn refused(&self) -> BTreeMap<i64, u64> {
        lock(&self.state.refused).clone()
    }

    /// How many calls came in, of whatever kind.
    pub fn calls(&self) -> u64 {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// How many webhooks were answered 200, and how many were given up.
    pub fn webhooks(&self) -> (u64, u64) {
        (self.posted.taken.load(Ordering::Relaxed), self.posted.given_up.load(Ordering::Relaxed))
    }

    /// A customer writes to a number of the business. Answers the channel's id of the message.
    pub async fn customer_writes(&self, number: &str, from: &str, name: &str, text: &str) -> String {
        let id = format!("wamid.{}", self.state.fresh());
        let (message, contact) = (webhook::message(&id, from, text), webhook::contact(from, name));
        self.happens(number, json!({ "contacts": [contact], "messages": [message] })).await;
        id
    }

    /// Something happens at a number: the `value` of a change of the field "messages".
    pub async fn happens(&self, number: &str, value: Value) {
        self.state.tell(webhook::body(number, value)).await;
    }

    /// Posts a whole body as it is.
    pub async fn post(&self, body: Value) {
        self.state.tell(body).await;
    }
}

impl Drop for FakeGraph {
    fn drop(&mut self) {
        self.closing.cancel();
        self.switch.down();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
