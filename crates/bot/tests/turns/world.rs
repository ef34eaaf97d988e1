//! Every service in this process, and as many bots as a test wants.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bot::{Brain, Library, TurnOptions, Turns, bot_service};
use bus::Bus;
use proto::v1;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::bot_turn::Deed;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tempfile::TempDir;
use testkit::NatsServer;
use tonic::transport::Channel;

use crate::brain::Scripted;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const WORKSPACE: &str = "acme";
const CHANNEL: &str = "web:1";
/// Pause within a turn.
pub(crate) const PAUSE: Duration = Duration::from_millis(300);

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) brain: Scripted,
    pub(crate) conversations: ConversationServiceClient<Channel>,
    pub(crate) tickets: TicketServiceClient<Channel>,
    pub(crate) service: BotServiceClient<Channel>,
    config: Config,
    grpc: String,
    supervisor: Supervisor,
    /// Kept alive.
    _servers: Box<dyn Any + Send>,
    _dir: TempDir,
}

/// What stands in the workspace's `[workspaces.bot]` unless a test says otherwise.
pub(crate) const BOT: &str = "enabled = true\nname = \"Robo\"\nhumans_only = [\"complaint\"]";

/// Everything with one bot.
pub(crate) async fn world() -> World {
    World::start(BOT).await
}

impl World {
    pub(crate) async fn start(bot: &str) -> World {
        let nats = NatsServer::start().await;
        let url = nats.url();
        World::at(&url, 1, Box::new(nats), PAUSE, bot, |_, brain| Arc::new(brain)).await
    }

    /// With a brain that is made of the scripted one.
    pub(crate) async fn thinking(brain: impl FnOnce(Bus, Scripted) -> Arc<dyn Brain>) -> World {
        let nats = NatsServer::start().await;
        let url = nats.url();
        World::at(&url, 1, Box::new(nats), PAUSE, BOT, brain).await
    }

    /// On servers that are there already.
    pub(crate) async fn at(
        url: &str,
        replicas: usize,
        servers: Box<dyn Any + Send>,
        pause: Duration,
        bot: &str,
        thinking: impl FnOnce(Bus, Scripted) -> Arc<dyn Brain>,
    ) -> World {
        let dir = tempfile::tempdir().unwrap();
        let config = config(url, replicas, dir.path(), pause, bot);
        let bus = Bus::connect(&config.bus(url, "test")).await.unwrap();
        // A cluster that has just formed may say that it is not ready.
        testkit::eventually("the streams", DEADLINE, async || bus.ensure_streams().await.ok()).await;
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap();
        let address = format!("http://{}", grpc.address().unwrap());
        let ingest = ingest::Options::from_config(&config);
        grpc.add(ingest::conversation_service(bus.clone(), &ingest)).await;
        let options = projection::Options::from_config(&config, dir.path().join("projection"));
        let projection = projection::Projection::open(bus.clone(), options).await.unwrap();
        grpc.add(projection.ticket_service(supervisor.shutdown())).await;
        projection.start(&supervisor);
        let library = Library::new(bus.clone());
        library.start(&supervisor);
        grpc.add(bot_service(bus.clone(), library, bot::Options::from_config(&config))).await;
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let brain = Scripted::default();
        let channel = Channel::from_shared(address.clone()).unwrap().connect_lazy();
        let world = World {
            conversations: ConversationServiceClient::new(channel.clone()),
            tickets: TicketServiceClient::new(channel.clone()),
            service: BotServiceClient::new(channel),
            brain: brain.clone(),
            grpc: address,
            bus: bus.clone(),
            config,
            supervisor,
            _servers: servers,
            _dir: dir,
        };
        world.bot(bus.clone(), thinking(bus, brain), &world.supervisor).await;
        world
    }

    async fn bot(&self, bus: Bus, brain: Arc<dyn Brain>, supervisor: &Supervisor) {
        let turns = Turns::new(bus, brain, TurnOptions::from_config(&self.config, &self.grpc)).unwrap();
        turns.prepare().await.unwrap();
        turns.start(supervisor);
    }

    /// One more bot, as in another process: it shares nothing with the first.
    pub(crate) async fn another_bot(&self) -> Supervisor {
        let bus = Bus::connect(&self.config.bus(&self.config.nats.url, "another")).await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        self.bot(bus, Arc::new(self.brain.clone()), &supervisor).await;
        supervisor
    }

    /// An agent, and a team whose default assignee that is.
    pub(crate) async fn staff(&self, team: &str, agent: &str) {
        let one = v1::Agent { id: agent.to_owned(), ..v1::Agent::default() };
        self.bus.roster().upsert_agent(WORKSPACE, one, None).await.unwrap();
        let team = v1::Team {
            id: team.to_owned(),
            agent_ids: vec![agent.to_owned()],
            default_assignee: agent.to_owned(),
            ..v1::Team::default()
        };
        self.bus.roster().upsert_team(WORKSPACE, team, None).await.unwrap().unwrap();
    }

    /// The customer `contact` writes. Returns the conversation and the revision of the message.
    pub(crate) async fn receive(&mut self, contact: &str, id: &str, text: &str) -> (String, i64) {
        self.receive_message(
            contact,
            v1::ReceivedMessage { id: id.to_owned(), text: text.to_owned(), ..Default::default() },
        )
        .await
    }

    pub(crate) async fn receive_message(&mut self, contact: &str, message: v1::ReceivedMessage) -> (String, i64) {
        let request = v1::ReceiveMessageRequest {
            workspace: WORKSPACE.to_owned(),
            channel: CHANNEL.to_owned(),
            contact: Some(v1::Contact { id: contact.to_owned(), ..v1::Contact::default() }),
            message: Some(message),
            ..v1::ReceiveMessageRequest::default()
        };
        let answer = self.conversations.receive_message(request).await.unwrap().into_inner();
        (answer.conversation_id, answer.revision)
    }

    /// Says something and waits for what the bot did about it.
    pub(crate) async fn say(&mut self, contact: &str, text: &str) -> (String, v1::Run) {
        let id = format!("{contact}-{}", nuid());
        let (conversation, revision) = self.receive(contact, &id, text).await;
        let run = self.run_of(revision).await;
        (conversation, run)
    }

    /// Waits for what the bot did about the message at a revision.
    pub(crate) async fn run_of(&self, revision: i64) -> v1::Run {
        let event = self.bus.event_at(u64::try_from(revision).unwrap()).await.unwrap().unwrap();
        testkit::eventually("the record of a turn", DEADLINE, async || self.recorded(&event).await).await
    }

    /// What the bot did about a message, if it did.
    pub(crate) async fn recorded(&self, event: &v1::Event) -> Option<v1::Run> {
        let named = v1::Run {
            rule: "bot".to_owned(),
            event_id: event.id.clone(),
            conversation_id: event.conversation.clone(),
            ..v1::Run::default()
        };
        self.bus.recorded_run(WORKSPACE, &named).await.unwrap().map(|(_, run)| run)
    }

    pub(crate) async fn send(&mut self, conversation: &str, agent: &str, text: &str) -> i64 {
        let request = v1::SendMessageRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            content: Some(v1::send_message_request::Content::Text(text.to_owned())),
            ..v1::SendMessageRequest::default()
        };
        self.conversations.send_message(request).await.unwrap().into_inner().revision
    }

    pub(crate) async fn open_ticket(&mut self, conversation: &str) -> i64 {
        let request = v1::OpenTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person("ann")),
            ..v1::OpenTicketRequest::default()
        };
        self.conversations.open_ticket(request).await.unwrap().into_inner().revision
    }

    pub(crate) async fn close_all(&mut self, conversation: &str) -> i64 {
        let request = v1::CloseTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person("ann")),
            all: true,
            ..v1::CloseTicketRequest::default()
        };
        self.conversations.close_ticket(request).await.unwrap().into_inner().revision
    }

    /// The chat, oldest first.
    pub(crate) async fn timeline(&mut self, conversation: &str) -> Vec<v1::TimelineEntry> {
        let min_revision = i64::try_from(self.bus.events_info().await.unwrap().state.last_sequence).unwrap();
        let request = v1::ListTimelineRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            page_size: 1_000,
            min_revision,
            direction: v1::list_timeline_request::Direction::Newer.into(),
            ..v1::ListTimelineRequest::default()
        };
        self.tickets.list_timeline(request).await.unwrap().into_inner().entries
    }

    /// What stands in the chat, in words.
    pub(crate) async fn chat(&mut self, conversation: &str) -> Vec<String> {
        use v1::timeline_entry::Entry;
        let entry = |entry: v1::TimelineEntry| match entry.entry.unwrap() {
            Entry::Message(message) => format!("{}: {}", speaker(&message), message.text),
            Entry::Stamp(stamp) => stamp.text,
            Entry::Note(_) => "note".to_owned(),
        };
        self.timeline(conversation).await.into_iter().map(entry).collect()
    }

    /// Waits until the bot has nothing to work on.
    pub(crate) async fn idle(&self) {
        testkit::eventually("every message to be worked on", DEADLINE * 5, async || {
            let stream = self.bus.jetstream().get_stream("EVENTS").await.ok()?;
            for group in 0..8 {
                let info = stream.consumer_info(format!("bot-{group}")).await.ok()?;
                if info.num_pending > 0 || info.num_ack_pending > 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// Ends everything in order.
    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        assert!(self.supervisor.finish().await, "some tasks did not end in time");
    }
}

fn speaker(message: &v1::Message) -> &str {
    match &message.actor {
        Some(actor) if actor.kind() != v1::actor::Kind::Customer => &actor.id,
        _ => "customer",
    }
}

fn nuid() -> u64 {
    fastrand::u64(..)
}

pub(crate) fn person(id: &str) -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: id.to_owned(), ..v1::Actor::default() }
}

pub(crate) fn deed(run: &v1::Run) -> Deed {
    run.turn.as_ref().unwrap().deed()
}

fn config(nats: &str, replicas: usize, dir: &Path, pause: Duration, bot: &str) -> Config {
    let text = format!(
        "data_dir = {dir:?}\n\
         [nats]\nurl = \"{nats}\"\nduplicate_window_ms = 100\nreplicas = {replicas}\n\
         [grpc]\nlisten = \"127.0.0.1:0\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         [bot]\npause_ms = {}\nthink_ms = 5000\n\
         [[workspaces]]\nname = \"{WORKSPACE}\"\n[workspaces.bot]\n{bot}\n\
         [[workspaces]]\nname = \"rival\"\n",
        pause.as_millis()
    );
    let file = dir.join("threadmark.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file)).unwrap()
}
