//! Ingest, a projection and two bots as processes.

use bus::Bus;
use proto::v1;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::conversation_service_client::ConversationServiceClient;
use tempfile::TempDir;
use testkit::NatsServer;
use tonic::transport::{Channel, Endpoint};

use crate::deployment::{DEADLINE, Settings, is_away, patiently};
use crate::programs::{Program, free_port};

pub(super) const WORKSPACE: &str = "acme";
/// Of the bots: names their consumers.
const CONSUMERS: std::ops::Range<u32> = 0..8;

/// All processes.
pub(super) struct Town {
    pub(super) bots: Vec<Program>,
    _ingest: Program,
    _projection: Program,
    pub(super) bus: Bus,
    conversations: ConversationServiceClient<Channel>,
    _nats: NatsServer,
    _dir: TempDir,
}

impl Town {
    /// With so many bots, and more lines of configuration for them.
    pub(super) async fn start(bots: usize, more: &str) -> Town {
        let nats = NatsServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let (commands, queries) = (free_port(), free_port());
        let program = |own: &str, name: &str, grpc: u16| {
            let settings = Settings::new(&nats.url(), &dir.path().join(own), "sled").listening(grpc, free_port());
            let bot = format!("[bot]\nticket_service = \"http://127.0.0.1:{queries}\"\npause_ms = 200\n{more}\n");
            let workspace = format!("[[workspaces]]\nname = \"{WORKSPACE}\"\n[workspaces.bot]\nenabled = true\n");
            let config = dir.path().join(format!("{own}.toml"));
            std::fs::write(&config, format!("{}{bot}{workspace}", settings.text())).unwrap();
            Program::start_as(own, name, &["--config", config.to_str().unwrap()], dir.path())
        };
        let ingest = program("ingest", "ingest", commands);
        let projection = program("projection", "projection", queries);
        let ports: Vec<u16> = (0..bots).map(|_| free_port()).collect();
        let start = |(nth, port): (usize, &u16)| program(&format!("bot-{nth}"), "bot", *port);
        let bots: Vec<Program> = ports.iter().enumerate().map(start).collect();
        let bus = Bus::connect(&bus::Options::new(nats.url())).await.unwrap();
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{commands}")).unwrap().timeout(DEADLINE);
        let conversations = ConversationServiceClient::new(endpoint.connect_lazy());
        let town = Town { bots, _ingest: ingest, _projection: projection, bus, conversations, _nats: nats, _dir: dir };
        // What is said before there is a bot is not its to answer.
        testkit::eventually("the consumers of the bots", DEADLINE, async || town.pending().await).await;
        teach(&format!("http://127.0.0.1:{}", ports[0])).await;
        town
    }

    /// The customer writes. Returns the conversation.
    pub(super) async fn receive(&self, contact: &str, id: &str, text: &str) -> String {
        let request = v1::ReceiveMessageRequest {
            workspace: WORKSPACE.to_owned(),
            channel: "web:1".to_owned(),
            contact: Some(v1::Contact { id: contact.to_owned(), ..v1::Contact::default() }),
            message: Some(v1::ReceivedMessage { id: id.to_owned(), text: text.to_owned(), ..Default::default() }),
            ..v1::ReceiveMessageRequest::default()
        };
        patiently("receive_message", || {
            let (mut client, request) = (self.conversations.clone(), request.clone());
            async move {
                match client.receive_message(request).await {
                    Ok(answer) => Some(answer.into_inner().conversation_id),
                    Err(status) if is_away(&status) => None,
                    Err(status) => panic!("{status:?}"),
                }
            }
        })
        .await
    }

    /// Messages that no bot has acknowledged; `None` before there are consumers.
    pub(super) async fn pending(&self) -> Option<u64> {
        let stream = self.bus.jetstream().get_stream("EVENTS").await.ok()?;
        let mut pending = 0;
        for group in CONSUMERS {
            let info = stream.consumer_info(format!("bot-{group}")).await.ok()?;
            pending += info.num_pending + u64::try_from(info.num_ack_pending).unwrap();
        }
        Some(pending)
    }
}

/// What the bots know.
async fn teach(bot: &str) {
    let channel = Endpoint::from_shared(bot.to_owned()).unwrap().timeout(DEADLINE).connect_lazy();
    let request = v1::ImportKnowledgeRequest {
        workspace: WORKSPACE.to_owned(),
        name: "shop".to_owned(),
        format: v1::knowledge_document::Format::Jsonl.into(),
        data: include_bytes!("../../../../cli/src/up/demo_knowledge.jsonl").as_slice().into(),
        ..v1::ImportKnowledgeRequest::default()
    };
    patiently("import_knowledge", || {
        let (mut client, request) = (BotServiceClient::new(channel.clone()), request.clone());
        async move {
            match client.import_knowledge(request).await {
                Ok(_) => Some(()),
                Err(status) if is_away(&status) => None,
                Err(status) => panic!("{status:?}"),
            }
        }
    })
    .await;
}
