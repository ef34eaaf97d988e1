//! Endpoints that subscribed, and customers whose messages are posted to them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bus::{Bus, Keyring, TraceParent, now};
use bytes::Bytes;
use conversation::ConversationId;
use delivery::{HookOptions, Hooks, Webhooks};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _};
use proto::v1;
use proto::v1::webhook_service_server::WebhookService as _;
use service::{Shutdown, Supervisor};

const WORKSPACE: &str = "bench";
/// Customers who write.
const CUSTOMERS: usize = 100;
/// Posts under way to one endpoint: as many as ours has.
const AT_ONCE: usize = 16;
/// Requests that are kept, for the bare client to post again.
const KEPT: usize = 20_000;
/// How often it is looked how many came.
const LOOK: Duration = Duration::from_millis(1);

/// Events and who gets them.
pub(crate) struct Posting {
    bus: Bus,
    supervisor: Supervisor,
    receivers: Vec<(String, Receiver)>,
    customers: Vec<(ConversationId, Keyring)>,
    written: u64,
}

/// Takes everything.
#[derive(Clone, Default)]
struct Receiver {
    taken: Arc<AtomicU64>,
    kept: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Posting {
    pub(crate) async fn start(bus: &Bus, endpoints: usize) -> anyhow::Result<Posting> {
        let options = HookOptions {
            allow_private_targets: true,
            timeout: Duration::from_secs(15),
            pause: Duration::from_secs(5),
            disable_after: Duration::from_secs(3_600),
            workspaces: BTreeSet::from([WORKSPACE.to_owned()]),
        };
        let hooks = Hooks::new(bus.clone(), options)?;
        hooks.prepare().await?;
        let service = Webhooks::new(hooks.clone());
        let mut receivers = Vec::new();
        for _ in 0..endpoints {
            let (url, receiver) = Receiver::start().await?;
            let request = v1::CreateWebhookRequest {
                workspace: WORKSPACE.to_owned(),
                url: url.clone(),
                events: vec!["message.received".to_owned()],
                description: String::new(),
            };
            service.create_webhook(tonic::Request::new(request)).await?;
            receivers.push((url, receiver));
        }
        let supervisor = Supervisor::new(Shutdown::new());
        hooks.start(&supervisor);
        let mut customers = Vec::with_capacity(CUSTOMERS);
        for nth in 0..CUSTOMERS {
            let conversation = ConversationId::parse(&format!("chook{nth:018}")).context("no id")?;
            let keyring = bus.keyring(WORKSPACE, &conversation).await?;
            customers.push((conversation, keyring));
        }
        Ok(Posting { bus: bus.clone(), supervisor, receivers, customers, written: 0 })
    }

    /// Records so many messages and waits until every endpoint has all of them: posts a second.
    pub(crate) async fn post(&mut self, count: usize) -> anyhow::Result<f64> {
        let events: Vec<v1::Event> = (0..count).map(|_| self.message()).collect();
        let wanted: Vec<u64> = self.receivers.iter().map(|(_, to)| to.forget() + count as u64).collect();
        let started = Instant::now();
        for recorded in self.bus.publish_facts(&events, &TraceParent::start()).await {
            recorded?;
        }
        for ((_, receiver), wanted) in self.receivers.iter().zip(wanted) {
            while receiver.taken.load(Ordering::SeqCst) < wanted {
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(crate::measure::rate(count * self.receivers.len(), started.elapsed()))
    }

    /// The same posts once more, with a bare client.
    pub(crate) async fn bare(&self) -> anyhow::Result<f64> {
        let http = &reqwest::Client::new();
        let all: Vec<_> = self.receivers.iter().map(|(url, to)| (url.as_str(), to.kept())).collect();
        let count = all.iter().map(|(_, kept)| kept.len()).sum();
        let started = Instant::now();
        try_join_all(all.into_iter().map(|(url, kept)| {
            let posts = futures::stream::iter(kept).map(move |(headers, body)| {
                let request = http.post(url).headers(headers).body(body);
                let posted = tokio::spawn(async move { request.send().await?.error_for_status() });
                async move { anyhow::Ok(posted.await?.map(drop)?) }
            });
            posts.buffer_unordered(AT_ONCE).try_collect::<()>()
        }))
        .await?;
        Ok(crate::measure::rate(count, started.elapsed()))
    }

    /// Ends it in order.
    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        self.supervisor.finish().await;
    }

    fn message(&mut self) -> v1::Event {
        self.written += 1;
        let (conversation, keyring) = &self.customers[self.written as usize % CUSTOMERS];
        let message = v1::Message {
            channel_message_id: format!("m{}", self.written),
            r#type: "text".to_owned(),
            text: "Where is my parcel? It was to come yesterday.".to_owned(),
            ..v1::Message::default()
        };
        let sealed = keyring.seal(&v1::SealedMessage { contact: None, message: Some(message) }).into();
        let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: false };
        v1::Event {
            id: format!("{:032x}", self.written),
            workspace: WORKSPACE.to_owned(),
            conversation: conversation.as_str().to_owned(),
            channel: "web:1".to_owned(),
            actor: Some(v1::Actor { kind: v1::actor::Kind::Customer.into(), ..v1::Actor::default() }),
            occur_time: Some(proto::timestamp(now())),
            record_time: Some(proto::timestamp(now())),
            event: Some(v1::event::Event::MessageReceived(received)),
            ..v1::Event::default()
        }
    }
}

impl Receiver {
    async fn start() -> anyhow::Result<(String, Receiver)> {
        let receiver = Receiver::default();
        let app = Router::new().route("/", post(take)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let url = format!("http://{}/", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok((url, receiver))
    }

    /// Forgets what came, and says how many there were.
    fn forget(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.taken.load(Ordering::SeqCst)
    }

    fn kept(&self) -> Vec<(HeaderMap, Bytes)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut kept = receiver.kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < KEPT {
        kept.push((headers, body));
    }
    drop(kept);
    receiver.taken.fetch_add(1, Ordering::SeqCst);
    StatusCode::NO_CONTENT
}
