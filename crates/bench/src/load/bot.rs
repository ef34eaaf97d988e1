//! A bot with its view and its knowledge, and customers who ask it something.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bot::{Library, Retrieval, TurnOptions, Turns, bot_service};
use bus::{Bus, Keyring, TraceParent, now};
use conversation::ConversationId;
use futures::{StreamExt as _, TryStreamExt as _};
use projection::Projection;
use proto::v1;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::knowledge_document::Format;
use service::config::Workspace;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tempfile::TempDir;
use tonic::transport::Channel;

pub(crate) const WORKSPACE: &str = "bench";
/// Questions that it knows.
const KNOWN: usize = 150;
/// Passages of one document.
const OF_ONE: usize = 10_000;
/// Keys made at once.
const AT_ONCE: usize = 64;
/// Tokens in the names of what is sold: rare words, as documents have them.
const NAMES: usize = 20_000;

/// A running bot, which answers without a pause.
pub(crate) struct Answering {
    bus: Bus,
    supervisor: Supervisor,
    asked: usize,
    _dir: TempDir,
}

impl Answering {
    pub(crate) async fn start(bus: &Bus) -> anyhow::Result<Answering> {
        let dir = tempfile::Builder::new().prefix("threadmark-bench-").tempdir()?;
        let mut config = configuration()?;
        config.bot.enabled = true;
        config.bot.pause_ms = 0;
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(SocketAddr::from(([127, 0, 0, 1], 0)), Doors::open()).await?;
        let address = format!("http://{}", grpc.address()?);
        let options = projection::Options::from_config(&config, dir.path().to_owned());
        let projection = Projection::open(bus.clone(), options).await?;
        grpc.add(projection.ticket_service(supervisor.shutdown())).await;
        projection.start(&supervisor);
        let library = Library::new(bus.clone());
        library.start(&supervisor);
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let retrieval = std::sync::Arc::new(Retrieval::new(library));
        let turns = Turns::new(bus.clone(), retrieval, TurnOptions::from_config(&config, &address))?;
        turns.prepare().await?;
        turns.start(&supervisor);
        let rows = |nth: usize| {
            let (thing, place) = (name(nth), name(nth + 7_000));
            format!(
                "{{\"text\":\"how do I return {thing} at {place}\",\"intent\":\"i{nth}\",\"answer\":\"Send it back.\"}}\n"
            )
        };
        import(bus, "faq", (0..KNOWN).map(rows).collect::<String>()).await?;
        Ok(Answering { bus: bus.clone(), supervisor, asked: 0, _dir: dir })
    }

    /// The first messages of so many customers, each with a question that is known. Nothing is recorded yet.
    pub(crate) async fn questions(&mut self, count: usize) -> anyhow::Result<Vec<v1::Event>> {
        let numbers = self.asked..self.asked + count;
        self.asked += count;
        let made = futures::stream::iter(numbers).map(|nth| {
            let bus = self.bus.clone();
            async move {
                let conversation = ConversationId::parse(&format!("cbot{nth:019}")).context("no id")?;
                let keyring = bus.keyring(WORKSPACE, &conversation).await?;
                anyhow::Ok(question(nth, &conversation, &keyring))
            }
        });
        made.buffered(AT_ONCE).try_collect().await
    }

    /// Records messages.
    pub(crate) async fn record(&self, events: &[v1::Event]) -> anyhow::Result<()> {
        let recorded = self.bus.publish_facts(events, &TraceParent::start()).await;
        recorded.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(())
    }

    /// Ends it in order.
    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        self.supervisor.finish().await;
    }
}

fn question(nth: usize, conversation: &ConversationId, keyring: &Keyring) -> v1::Event {
    let known = nth % KNOWN;
    let message = v1::Message {
        channel_message_id: format!("m{nth}"),
        r#type: "text".to_owned(),
        text: format!("how do I return {} at {}", name(known), name(known + 7_000)),
        ..v1::Message::default()
    };
    let sealed = keyring.seal(&v1::SealedMessage { contact: None, message: Some(message) }).into();
    let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: false };
    v1::Event {
        id: format!("{:032x}", nth + 1),
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

/// Puts so many passages in force, of a sentence or two each.
pub(crate) async fn passages(bus: &Bus, count: usize) -> anyhow::Result<()> {
    let mut dice = fastrand::Rng::with_seed(7);
    for document in 0..count.div_ceil(OF_ONE) {
        let lines = (document * OF_ONE..count.min((document + 1) * OF_ONE)).map(|_| {
            let words: Vec<String> = (0..12).map(|_| name(dice.usize(0..NAMES))).collect();
            format!("{{\"text\":\"The {} of our {} is {}.\"}}\n", words[0], words[1], words[2..].join(" "))
        });
        import(bus, &format!("handbook-{document}"), lines.collect()).await?;
    }
    Ok(())
}

/// What a process needs to have an index of all that is known: how long that takes, and what it has resident then and at
/// the most, in megabytes.
pub(crate) async fn index(url: &str) -> anyhow::Result<(Duration, f64, f64)> {
    let bus = Bus::connect(&bus::Options::new(url)).await?;
    let supervisor = Supervisor::new(Shutdown::new());
    let library = Library::new(bus);
    let before = resident("VmRSS:")?;
    let started = Instant::now();
    library.start(&supervisor);
    let retrieval = Retrieval::new(library);
    while retrieval.search(WORKSPACE, &name(1), 1).await.is_err() {}
    let took = started.elapsed();
    let figures = (took, resident("VmRSS:")? - before, resident("VmHWM:")? - before);
    supervisor.shutdown().begin();
    supervisor.finish().await;
    Ok(figures)
}

fn resident(line: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let found = status.lines().find_map(|text| text.strip_prefix(line)).with_context(|| format!("no {line}"))?;
    let kibibytes: f64 = found.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}

fn configuration() -> anyhow::Result<Config> {
    let mut config = Config::load(None)?;
    config.workspaces = vec![Workspace::new(WORKSPACE)];
    Ok(config)
}

async fn import(bus: &Bus, name: &str, data: String) -> anyhow::Result<()> {
    let supervisor = Supervisor::new(Shutdown::new());
    let mut grpc = Grpc::bind(SocketAddr::from(([127, 0, 0, 1], 0)), Doors::open()).await?;
    let options = bot::Options::from_config(&configuration()?);
    grpc.add(bot_service(bus.clone(), Library::new(bus.clone()), options)).await;
    let channel = Channel::from_shared(format!("http://{}", grpc.address()?))?.connect_lazy();
    supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
    let request = v1::ImportKnowledgeRequest {
        workspace: WORKSPACE.to_owned(),
        name: name.to_owned(),
        format: Format::Jsonl.into(),
        data: data.into(),
        ..v1::ImportKnowledgeRequest::default()
    };
    let client = BotServiceClient::new(channel).max_encoding_message_size(service::MAX_REQUEST_BYTES);
    client.clone().import_knowledge(request).await.context("importing knowledge")?;
    supervisor.shutdown().begin();
    supervisor.finish().await;
    Ok(())
}

/// The name of a thing: a word that no other thing has.
fn name(nth: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va"];
    let mut rest = nth % NAMES;
    let mut word = String::new();
    for _ in 0..4 {
        word.push_str(SYLLABLES[rest % 16]);
        rest /= 16;
    }
    word
}
