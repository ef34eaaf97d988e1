//! Ingest and the view in this process, a Graph API that posts webhooks to them, and delivery as each test wants it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use bus::Bus;
use delivery::{Delivery, Options};
use proto::v1;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use serde_json::json;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tempfile::TempDir;
use testkit::{FakeGraph, NatsServer, Process};
use tonic::transport::{Channel, Endpoint};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const WORKSPACE: &str = "acme";
const SECRET: &str = "s3cret";
/// Numbers of the business.
pub(crate) const NUMBERS: [&str; 2] = ["106", "107"];
/// Of the tests: soon enough to wait for.
const PACE: &str = "[delivery]\npause_ms = 50\nreconcile_ms = 1500\n";
/// The same, unless a test says otherwise.
const ANSWER: &str = "answer_timeout_ms = 2000\n";

pub(crate) struct World {
    pub(crate) nats: NatsServer,
    pub(crate) graph: FakeGraph,
    pub(crate) conversations: ConversationServiceClient<Channel>,
    pub(crate) tickets: TicketServiceClient<Channel>,
    config: PathBuf,
    http: String,
    supervisor: Supervisor,
    written: u64,
    _dir: TempDir,
}

impl World {
    /// Everything but delivery, with more settings of `[delivery]`.
    pub(crate) async fn start(more: &str) -> World {
        let nats = NatsServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let config = load(&dir, &text(&nats.url(), "", more));
        let bus = Bus::connect(&config.bus(&nats.url(), "test")).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap();
        let ingest = ingest::Options::from_config(&config);
        grpc.add(ingest::conversation_service(bus.clone(), &ingest)).await;
        let intake = ingest::Intake::new(bus.clone(), ingest.clone());
        let webhooks = ingest::Webhooks::bind(config.http.listen, intake, ingest.http).await.unwrap();
        let options = projection::Options::from_config(&config, dir.path().join("projection"));
        let projection = projection::Projection::open(bus.clone(), options).await.unwrap();
        grpc.add(projection.ticket_service(supervisor.shutdown())).await;
        projection.start(&supervisor);
        let http = format!("http://{}/webhooks/whatsapp", webhooks.address().unwrap());
        let address = format!("http://{}", grpc.address().unwrap());
        supervisor.essential("webhooks", webhooks.serve(supervisor.shutdown().clone()));
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let graph = FakeGraph::builder().webhook(http.clone(), SECRET).start().await.unwrap();
        load(&dir, &text(&nats.url(), &graph.url(), more));
        let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
        let world = World {
            nats,
            graph,
            conversations: ConversationServiceClient::new(channel.clone()),
            tickets: TicketServiceClient::new(channel),
            config: dir.path().join("threadmark.toml"),
            http,
            supervisor,
            written: 0,
            _dir: dir,
        };
        // What is decided before there ever was delivery stays where it is.
        let prepared = world.delivery().await;
        prepared.prepare().await.unwrap();
        world
    }

    /// Delivery in this process.
    pub(crate) async fn deliver(&self) -> Supervisor {
        let supervisor = Supervisor::new(Shutdown::new());
        self.delivery().await.start(&supervisor);
        supervisor
    }

    async fn delivery(&self) -> Delivery {
        let config = Config::load(Some(&self.config)).unwrap();
        let bus = Bus::connect(&config.bus(&config.nats.url, "delivery")).await.unwrap();
        let health = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap().health();
        let mut options = Options::from_config(&config);
        options.probe = (Duration::from_millis(200), Duration::from_secs(1));
        Delivery::new(bus, options, health)
    }

    /// The operator writes another token into the configuration.
    pub(crate) fn renew_token(&self, token: &str) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let (old, new) = ("access_token = \"token\"", format!("access_token = \"{token}\""));
        std::fs::write(&self.config, text.replace(old, &new)).unwrap();
    }

    /// The program.
    pub(crate) fn program(&self) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_delivery"));
        Process::spawn(command.arg("--config").arg(&self.config)).unwrap()
    }

    /// A customer writes, by a signed webhook. Returns the conversation.
    pub(crate) async fn receive(&mut self, number: &str, customer: &str, text: &str) -> String {
        self.written += 1;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let id = format!("wamid.in{}", self.written);
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{
            "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": number, "phone_number_id": number},
                "contacts": [{"profile": {"name": customer}, "wa_id": customer}],
                "messages": [{"from": customer, "id": id, "timestamp": now.to_string(), "type": "text",
                    "text": {"body": text}}]}}]}]})
        .to_string();
        let signature = testkit::signature(SECRET, body.as_bytes());
        let posted = reqwest::Client::new().post(&self.http).header("X-Hub-Signature-256", signature).body(body);
        assert_eq!(posted.send().await.unwrap().status(), 200);
        self.conversation(customer).await
    }

    async fn conversation(&self, customer: &str) -> String {
        testkit::eventually("the conversation", DEADLINE, async || {
            let request = v1::ListConversationsRequest {
                workspace: WORKSPACE.to_owned(),
                query: customer.to_owned(),
                ..Default::default()
            };
            let found = self.tickets.clone().list_conversations(request).await.ok()?.into_inner();
            found.conversations.into_iter().next().map(|conversation| conversation.id)
        })
        .await
    }

    /// An agent answers. Returns the message's id.
    pub(crate) async fn say(&self, conversation: &str, text: &str) -> String {
        self.send(conversation, v1::actor::Kind::Agent, text).await
    }

    /// Somebody says something.
    pub(crate) async fn send(&self, conversation: &str, who: v1::actor::Kind, text: &str) -> String {
        let request = v1::SendMessageRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(actor(who)),
            content: Some(v1::send_message_request::Content::Text(text.to_owned())),
            ..Default::default()
        };
        self.conversations.clone().send_message(request).await.unwrap().into_inner().message_id
    }

    /// An agent takes the chat.
    pub(crate) async fn assign(&self, conversation: &str) {
        let request = v1::AssignConversationRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(actor(v1::actor::Kind::Agent)),
            assignee: Some(v1::Assignee { agent_id: "ana".to_owned(), team_id: String::new() }),
            ..Default::default()
        };
        self.conversations.clone().assign_conversation(request).await.unwrap();
    }

    /// A message as the timeline shows it.
    pub(crate) async fn message(&self, conversation: &str, id: &str) -> v1::Message {
        let (messages, _) = self.page(conversation, String::new()).await;
        messages.into_iter().find(|message| message.id == id).unwrap_or_default()
    }

    /// All messages of a conversation, by their ids.
    pub(crate) async fn messages(&self, conversation: &str) -> BTreeMap<String, v1::Message> {
        let (mut all, mut token) = (BTreeMap::new(), String::new());
        loop {
            let (messages, next) = self.page(conversation, token).await;
            all.extend(messages.into_iter().map(|message| (message.id.clone(), message)));
            if next.is_empty() {
                return all;
            }
            token = next;
        }
    }

    /// The messages of a page, newest first, and what the next is asked for with.
    async fn page(&self, conversation: &str, page_token: String) -> (Vec<v1::Message>, String) {
        let request = v1::ListTimelineRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        let page = self.tickets.clone().list_timeline(request).await.unwrap().into_inner();
        let messages = page.entries.into_iter().filter_map(|entry| match entry.entry {
            Some(v1::timeline_entry::Entry::Message(message)) => Some(message),
            _ => None,
        });
        (messages.collect(), page.next_page_token)
    }

    /// Waits until so many messages stand in the queues of the channels.
    pub(crate) async fn queued(&self, count: usize) {
        let bus = Bus::connect(&bus::Options::new(self.nats.url())).await.unwrap();
        testkit::eventually(&format!("{count} in the queue"), 2 * DEADLINE, async || {
            let stream = bus.jetstream().get_stream("OUTBOX").await.ok()?;
            (stream.cached_info().state.messages == count as u64).then_some(())
        })
        .await;
    }

    /// Waits until a message has a status.
    pub(crate) async fn comes_to(&self, conversation: &str, id: &str, status: v1::MessageStatus) -> v1::Message {
        testkit::eventually(&format!("{id} {}", status.as_str_name()), DEADLINE, async || {
            let message = self.message(conversation, id).await;
            (message.status() == status).then_some(message)
        })
        .await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.supervisor.shutdown().begin();
    }
}

/// The words that a channel was given for a customer, in the order of their coming.
pub(crate) fn told(graph: &FakeGraph, customer: &str) -> Vec<String> {
    let sent = graph.sent().into_iter().filter(|sent| sent.recipient == customer);
    sent.map(|sent| sent.body()["text"]["body"].as_str().unwrap_or_default().to_owned()).collect()
}

fn actor(kind: v1::actor::Kind) -> v1::Actor {
    v1::Actor { kind: kind.into(), id: "ana".to_owned(), display_name: String::new() }
}

fn load(dir: &TempDir, text: &str) -> Config {
    let file = dir.path().join("threadmark.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file)).unwrap()
}

fn text(nats: &str, api_base: &str, more: &str) -> String {
    let answer = if more.contains("answer_timeout_ms") { "" } else { ANSWER };
    let mut text = format!(
        "[nats]\nurl = \"{nats}\"\nduplicate_window_ms = 100\n[grpc]\nlisten = \"127.0.0.1:0\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n{PACE}{answer}{more}\n"
    );
    for number in NUMBERS {
        text.push_str(&format!(
            "[[channels]]\nworkspace = \"{WORKSPACE}\"\nphone_number_id = \"{number}\"\napp_secret = \"{SECRET}\"\n\
             access_token = \"token\"\napi_base = \"{api_base}\"\n"
        ));
    }
    text
}
