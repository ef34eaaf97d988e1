//! Customers who are written to, the delivery that does it, and a Graph API that answers after 50 ms.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bus::{Bus, Keyring, Proposal, TraceParent, now};
use conversation::{Action, Actor, ActorKind, Command, CommandKey, ConversationId, Settings};
use delivery::{Delivery, Options};
use futures::{StreamExt as _, TryStreamExt as _};
use proto::v1;
use service::config::Channel;
use service::{Config, Grpc, Secret, Shutdown, Supervisor};
use testkit::FakeGraph;

const WORKSPACE: &str = "bench";
const NUMBER: &str = "106540352242922";
const TOKEN: &str = "token";
/// How long the API takes for an answer.
const LATENCY: Duration = Duration::from_millis(50);
/// Recorded at once.
const AT_ONCE: usize = 64;
/// How often it is looked how many calls were answered.
const LOOK: Duration = Duration::from_millis(1);

/// Everything but the delivery, which runs while it is measured.
pub(crate) struct Sending {
    bus: Bus,
    graph: FakeGraph,
    options: Options,
    customers: Vec<(ConversationId, Keyring)>,
    said: u64,
}

/// One call as delivery makes it.
pub(crate) struct Call {
    pub(crate) url: String,
    pub(crate) token: &'static str,
    pub(crate) bodies: Vec<bytes::Bytes>,
}

impl Sending {
    /// So many customers, each of whom has written, to a number that may send so many messages a second.
    pub(crate) async fn start(bus: &Bus, customers: usize, per_second: u32) -> anyhow::Result<Sending> {
        let graph = FakeGraph::builder().token(TOKEN).start().await?;
        graph.set_latency(LATENCY);
        let mut config = Config::load(None)?;
        config.channels = vec![Channel {
            kind: service::config::ChannelKind::Whatsapp,
            workspace: WORKSPACE.to_owned(),
            phone_number_id: NUMBER.to_owned(),
            app_secret: Secret::new("secret"),
            verify_token: Secret::default(),
            access_token: Secret::new(TOKEN),
            api_base: graph.url(),
        }];
        // What is measured is delivery, not its limits.
        config.delivery.per_second = per_second;
        config.delivery.pair_burst = 100_000;
        let options = Options::from_config(&config);
        let delivery = Delivery::new(bus.clone(), options.clone(), health().await?);
        let made = futures::stream::iter(0..customers).map(|nth| customer(bus, nth));
        let customers = made.buffered(AT_ONCE).try_collect().await?;
        delivery.prepare().await?;
        Ok(Sending { bus: bus.clone(), graph, options, customers, said: 0 })
    }

    /// Says `count` messages, to each customer in turn, while nothing is delivered.
    pub(crate) async fn say(&mut self, count: usize) -> anyhow::Result<()> {
        let mut left = count;
        while left > 0 {
            let wave = self.customers.iter().take(left);
            left -= wave.len();
            let proposals: Vec<Proposal> = wave.map(|(id, keyring)| proposal(id, keyring, &mut self.said)).collect();
            let saying = futures::stream::iter(proposals).map(|proposal| {
                let bus = self.bus.clone();
                async move { bus.decide(&proposal).await.map(drop) }
            });
            saying.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
        Ok(())
    }

    /// Delivers what was said: messages a second from the first that the API has taken to the last.
    pub(crate) async fn deliver(&self, count: usize) -> anyhow::Result<f64> {
        let before = self.graph.sent_count();
        let supervisor = Supervisor::new(Shutdown::new());
        Delivery::new(self.bus.clone(), self.options.clone(), health().await?).start(&supervisor);
        let first = self.taken(before + 1).await;
        let at = self.graph.sent_count() - before;
        let last = self.taken(before + count as u64).await;
        supervisor.shutdown().begin();
        supervisor.finish().await;
        let sent = self.graph.sent_count() - before;
        ensure!(sent == count as u64, "{sent} of {count} messages were sent");
        Ok((count as u64 - at) as f64 / (last - first).as_secs_f64())
    }

    /// The last so many calls.
    pub(crate) fn calls(&self, count: usize) -> Call {
        let sent = self.graph.sent();
        let bodies = sent[sent.len() - count..].iter().map(|sent| sent.raw.clone()).collect();
        Call { url: format!("{}/{NUMBER}/messages", self.graph.url()), token: TOKEN, bodies }
    }

    async fn taken(&self, count: u64) -> Instant {
        while self.graph.sent_count() < count {
            tokio::time::sleep(LOOK).await;
        }
        Instant::now()
    }
}

/// A customer who has just written.
async fn customer(bus: &Bus, nth: usize) -> anyhow::Result<(ConversationId, Keyring)> {
    let conversation = ConversationId::parse(&format!("csend{nth:018}")).context("no id")?;
    let keyring = bus.keyring(WORKSPACE, &conversation).await?;
    let contact = v1::Contact { id: format!("{}", 4_915_000_000_000_u64 + nth as u64), ..v1::Contact::default() };
    let message = v1::Message {
        channel_message_id: format!("wamid.{nth}"),
        r#type: "text".to_owned(),
        text: "hello".to_owned(),
        ..v1::Message::default()
    };
    let sealed = keyring.seal(&v1::SealedMessage { contact: Some(contact), message: Some(message) }).into();
    let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: true };
    let event = v1::Event {
        id: format!("{nth:032x}"),
        workspace: WORKSPACE.to_owned(),
        conversation: conversation.as_str().to_owned(),
        channel: channel(),
        actor: Some(v1::Actor { kind: v1::actor::Kind::Customer.into(), ..v1::Actor::default() }),
        occur_time: Some(proto::timestamp(now())),
        record_time: Some(proto::timestamp(now())),
        event: Some(v1::event::Event::MessageReceived(received)),
        ..v1::Event::default()
    };
    for recorded in bus.publish_facts([event], &TraceParent::start()).await {
        recorded?;
    }
    Ok((conversation, keyring))
}

fn proposal(conversation: &ConversationId, keyring: &Keyring, said: &mut u64) -> Proposal {
    *said += 1;
    let message = v1::Message {
        r#type: "text".to_owned(),
        text: format!("Your parcel {said} is on its way, and comes tomorrow before noon."),
        ..v1::Message::default()
    };
    let sealed = keyring.seal(&v1::SealedMessage { contact: None, message: Some(message) });
    Proposal {
        workspace: WORKSPACE.to_owned(),
        conversation: conversation.clone(),
        channel: channel(),
        command: Command {
            actor: Actor::new(ActorKind::Agent, "ana"),
            actions: vec![Action::SendMessage { kind: "text".to_owned(), sealed }],
            key: CommandKey { command: *said, digest: 1, causation: 0 },
            expected_revision: None,
        },
        settings: Settings::default(),
        causation_id: String::new(),
        correlation_id: String::new(),
        depth: 0,
        trace: TraceParent::start(),
    }
}

fn channel() -> String {
    format!("whatsapp:{NUMBER}")
}

async fn health() -> anyhow::Result<service::Health> {
    Ok(Grpc::bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), service::Doors::open()).await?.health())
}

impl Call {
    /// Makes all of them with a bare client, so many at once. How many a second.
    pub(crate) async fn make(self, at_once: usize) -> anyhow::Result<f64> {
        let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
        let (count, url, bearer) = (self.bodies.len(), Arc::new(self.url), format!("Bearer {}", self.token));
        let started = Instant::now();
        let calls = futures::stream::iter(self.bodies).map(|body| {
            let call =
                http.post(url.as_str()).header("authorization", &bearer).header("content-type", "application/json");
            let call = call.body(body);
            // A task each, as delivery has.
            let made = tokio::spawn(async move {
                let answer = call.send().await?.error_for_status()?;
                answer.bytes().await.map(drop)
            });
            async move { anyhow::Ok(made.await??) }
        });
        calls.buffer_unordered(at_once).try_collect::<()>().await?;
        Ok(crate::measure::rate(count, started.elapsed()))
    }
}
