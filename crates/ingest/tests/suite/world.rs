//! A whole ingest on a server of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use bus::Bus;
use conversation::{ConversationId, Settings};
use hmac::{Hmac, Mac};
use ingest::{HttpOptions, Intake, Options, Webhooks, conversation_service, directory_service};
use prost::Message;
use proto::v1;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::directory_service_client::DirectoryServiceClient;
use proto::v1::event::Event as Kind;
use serde_json::Value;
use service::config::Channel;
use service::{Doors, Grpc, Secret, Shutdown};
use sha2::Sha256;
use testkit::NatsServer;
use tonic::transport::Channel as Connection;

/// The workspace that most tests look into.
pub const ACME: &str = "acme";
/// What its channel signs with.
pub const SECRET: &str = "acme-secret";
pub const VERIFY: &str = "acme-verify";

pub struct World {
    pub nats: NatsServer,
    pub bus: Bus,
    pub http: String,
    pub grpc: ConversationServiceClient<Connection>,
    pub directory: DirectoryServiceClient<Connection>,
    pub client: reqwest::Client,
    shutdown: Shutdown,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

pub fn channel(workspace: &str, phone_number_id: &str, secret: &str) -> Channel {
    Channel {
        kind: Default::default(),
        workspace: workspace.to_owned(),
        phone_number_id: phone_number_id.to_owned(),
        app_secret: Secret::new(secret),
        verify_token: Secret::new(format!("{workspace}-verify")),
        access_token: Secret::default(),
        api_base: String::new(),
    }
}

pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// One event and where it stands.
#[derive(Clone, Debug)]
pub struct Found {
    pub revision: u64,
    pub event: v1::Event,
}

impl World {
    /// One workspace whose channel takes any number.
    pub async fn start() -> World {
        World::with(vec![channel(ACME, "*", SECRET)], HttpOptions::default()).await
    }

    pub async fn with(channels: Vec<Channel>, http: HttpOptions) -> World {
        let nats = NatsServer::start().await;
        let window = Duration::from_millis(100);
        let bus =
            Bus::connect(&bus::Options { duplicate_window: window, ..bus::Options::new(nats.url()) }).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let named = channels.iter().map(|channel| (channel.workspace.clone(), Settings::default()));
        let workspaces: BTreeMap<String, Settings> = named.chain([("beta".to_owned(), Settings::default())]).collect();
        let options = Options { channels, workspaces, media_directory: None, http: http.clone() };
        let shutdown = Shutdown::new();
        let any = "127.0.0.1:0".parse().unwrap();
        let webhooks = Webhooks::bind(any, Intake::new(bus.clone(), options.clone()), http).await.unwrap();
        let address = format!("http://{}", webhooks.address().unwrap());
        tokio::spawn(webhooks.serve(shutdown.clone()));
        let mut grpc = Grpc::bind(any, Doors::open()).await.unwrap();
        let target = format!("http://{}", grpc.address().unwrap());
        grpc.add(conversation_service(bus.clone(), &options)).await;
        grpc.add(directory_service(&bus, &options)).await;
        tokio::spawn(grpc.serve(shutdown.clone()));
        let grpc = ConversationServiceClient::connect(target.clone()).await.unwrap();
        let directory = DirectoryServiceClient::connect(target).await.unwrap();
        World { nats, bus, http: address, grpc, directory, client: reqwest::Client::new(), shutdown }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/webhooks/whatsapp{path}", self.http)
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> (u16, String) {
        let answer = self.client.get(self.url(path)).query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn post(&self, path: &str, signature: Option<&str>, body: &[u8]) -> reqwest::Response {
        let mut request = self.client.post(self.url(path)).body(body.to_vec());
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        request.send().await.unwrap()
    }

    /// Sends a body signed by `secret`, and says what was answered.
    pub async fn send_as(&self, path: &str, secret: &str, body: &[u8]) -> u16 {
        self.post(path, Some(&sign(secret, body)), body).await.status().as_u16()
    }

    /// Sends a body as the channel of [`ACME`]; it has to be taken.
    pub async fn send(&self, body: &Value) {
        assert_eq!(self.send_as("", SECRET, body.to_string().as_bytes()).await, 200);
    }

    /// Every event on the stream, in order.
    pub async fn events(&self) -> Vec<Found> {
        let last = self.bus.events_info().await.unwrap().state.last_sequence;
        let mut reader = self.bus.reader(0);
        let mut found = Vec::new();
        while found.last().map_or(0, |found: &Found| found.revision) < last {
            let batch = tokio::time::timeout(Duration::from_secs(20), reader.next()).await.expect("the log goes on");
            found.extend(batch.into_iter().map(|one| Found { revision: one.revision, event: one.event().unwrap() }));
        }
        found
    }

    /// The first of each id, as a consumer takes them.
    pub async fn distinct(&self) -> Vec<v1::Event> {
        let mut ids = std::collections::HashSet::new();
        let events = self.events().await.into_iter().map(|found| found.event);
        events.filter(|event| ids.insert(event.id.clone())).collect()
    }

    /// The payloads of a stream, each with its subject, the first of each message id.
    async fn payloads(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let mut stream = self.bus.jetstream().get_stream(name).await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        let (mut all, mut ids) = (Vec::new(), std::collections::HashSet::new());
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            if ids.insert(message.headers.get("Nats-Msg-Id").unwrap().to_string()) {
                all.push((message.subject.to_string(), message.payload.to_vec()));
            }
        }
        all
    }

    pub async fn rejected(&self) -> Vec<v1::Rejected> {
        let all = self.payloads("REJECTED").await;
        assert!(all.iter().all(|(subject, _)| subject == "rejected.whatsapp"));
        all.iter().map(|(_, payload)| v1::Rejected::decode(payload.as_slice()).unwrap()).collect()
    }

    /// Reason, workspace and bytes of everything rejected.
    pub async fn rejections(&self) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for rejected in self.rejected().await {
            let keys = self.bus.workspace(&rejected.workspace).await.unwrap();
            let raw = String::from_utf8_lossy(&keys.open(&rejected.sealed).unwrap()).into_owned();
            all.push((rejected.reason, rejected.workspace, raw));
        }
        all
    }

    pub async fn externals(&self) -> Vec<(String, Value)> {
        let all = self.payloads("EXTERNAL").await.into_iter();
        all.map(|(subject, payload)| (subject, serde_json::from_slice(&payload).unwrap())).collect()
    }

    /// What stands sealed in an event about a message.
    pub async fn open(&self, event: &v1::Event) -> v1::SealedMessage {
        let sealed = match event.event.as_ref().unwrap() {
            Kind::MessageReceived(event) => &event.sealed,
            Kind::MessageEchoed(event) => &event.sealed,
            Kind::MessageBackfilled(event) => &event.sealed,
            Kind::ReactionChanged(event) => &event.sealed,
            Kind::MessageEdited(event) => &event.sealed,
            Kind::MessageRevoked(event) => &event.sealed,
            Kind::ContactChanged(event) => &event.sealed,
            other => panic!("nothing is sealed in {other:?}"),
        };
        self.unseal(event, sealed).await
    }

    pub async fn unseal<M: Message + Default>(&self, event: &v1::Event, sealed: &[u8]) -> M {
        let conversation = ConversationId::parse(&event.conversation).unwrap();
        self.bus.keyring(&event.workspace, &conversation).await.unwrap().open(sealed).unwrap()
    }
}

/// The name of what an event is.
pub fn name(event: &v1::Event) -> &'static str {
    proto::event_name(event.event.as_ref().unwrap())
}

pub fn names(events: &[v1::Event]) -> Vec<&'static str> {
    events.iter().map(name).collect()
}
