//! Every service in this process, and as many engines as a test wants.

use std::path::Path;
use std::time::Duration;

use automation_engine::{Engine, Options, automation_service};
use bus::Bus;
use proto::v1;
use proto::v1::automation_service_client::AutomationServiceClient;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tempfile::TempDir;
use testkit::NatsServer;
use tonic::transport::Channel;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const WORKSPACE: &str = "acme";
pub(crate) const CHANNEL: &str = "web:1";
pub(crate) const SECRET: &str = "what calls are signed with";

pub(crate) struct World {
    pub(crate) nats: NatsServer,
    pub(crate) bus: Bus,
    pub(crate) rules: AutomationServiceClient<Channel>,
    pub(crate) conversations: ConversationServiceClient<Channel>,
    pub(crate) tickets: TicketServiceClient<Channel>,
    pub(crate) grpc: String,
    config: Config,
    supervisor: Supervisor,
    _dir: TempDir,
}

/// Everything with one engine.
pub(crate) async fn world() -> World {
    World::start("").await
}

impl World {
    /// With more lines of configuration.
    pub(crate) async fn start(more: &str) -> World {
        let nats = NatsServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let config = config(&nats.url(), dir.path(), more);
        let bus = Bus::connect(&config.bus(&nats.url(), "test")).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap();
        let address = format!("http://{}", grpc.address().unwrap());
        let ingest = ingest::Options::from_config(&config);
        grpc.add(ingest::conversation_service(bus.clone(), &ingest)).await;
        let options = projection::Options::from_config(&config, dir.path().join("projection"));
        let projection = projection::Projection::open(bus.clone(), options).await.unwrap();
        grpc.add(projection.ticket_service(supervisor.shutdown())).await;
        projection.start(&supervisor);
        let engine = Engine::new(bus.clone(), Options::from_config(&config, &address).unwrap()).unwrap();
        engine.prepare().await.unwrap();
        grpc.add(automation_service(engine.clone())).await;
        engine.start(&supervisor);
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let channel = Channel::from_shared(address.clone()).unwrap().connect_lazy();
        World {
            rules: AutomationServiceClient::new(channel.clone()),
            conversations: ConversationServiceClient::new(channel.clone()),
            tickets: TicketServiceClient::new(channel),
            grpc: address,
            nats,
            bus,
            config,
            supervisor,
            _dir: dir,
        }
    }

    /// One more engine, as in another process: it shares nothing with the first.
    pub(crate) async fn another_engine(&self) -> Supervisor {
        let bus = Bus::connect(&self.config.bus(&self.nats.url(), "another")).await.unwrap();
        let engine = Engine::new(bus, Options::from_config(&self.config, &self.grpc).unwrap()).unwrap();
        engine.prepare().await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        engine.start(&supervisor);
        supervisor
    }

    /// Ends all that works, and leaves one service of rules that only answers.
    pub(crate) async fn quiet(&self) -> (AutomationServiceClient<Channel>, Supervisor) {
        let bus = Bus::connect(&self.config.bus(&self.nats.url(), "quiet")).await.unwrap();
        let engine = Engine::new(bus, Options::from_config(&self.config, &self.grpc).unwrap()).unwrap();
        engine.prepare().await.unwrap();
        let (working, serving) = (Supervisor::new(Shutdown::new()), Supervisor::new(Shutdown::new()));
        engine.start(&working);
        let mut grpc = Grpc::bind(self.config.grpc.listen, Doors::open()).await.unwrap();
        let address = format!("http://{}", grpc.address().unwrap());
        grpc.add(automation_service(engine)).await;
        serving.essential("grpc", grpc.serve(serving.shutdown().clone()));
        let mut rules = AutomationServiceClient::new(Channel::from_shared(address).unwrap().connect_lazy());
        // Once it has read the directory.
        let request = v1::ApplyRulesRequest {
            workspace: WORKSPACE.to_owned(),
            yaml: "{ name: x, on: manual, do: [add_tag: x] }".to_owned(),
            validate_only: true,
            ..v1::ApplyRulesRequest::default()
        };
        rules.apply_rules(request).await.unwrap();
        for supervisor in [&working, &self.supervisor] {
            supervisor.shutdown().begin();
            assert!(supervisor.finish().await, "some tasks did not end in time");
        }
        (rules, serving)
    }

    /// Puts rules in force.
    pub(crate) async fn apply(&mut self, yaml: &str) -> v1::ApplyRulesResponse {
        let request = v1::ApplyRulesRequest {
            workspace: WORKSPACE.to_owned(),
            yaml: yaml.to_owned(),
            ..v1::ApplyRulesRequest::default()
        };
        self.rules.apply_rules(request).await.unwrap().into_inner()
    }

    /// The customer `contact` writes. Returns the conversation and the revision of the message.
    pub(crate) async fn receive(&mut self, contact: &str, id: &str, text: &str) -> (String, i64) {
        let request = v1::ReceiveMessageRequest {
            workspace: WORKSPACE.to_owned(),
            channel: CHANNEL.to_owned(),
            contact: Some(v1::Contact {
                id: contact.to_owned(),
                display_name: format!("Customer {contact}"),
                ..v1::Contact::default()
            }),
            message: Some(v1::ReceivedMessage { id: id.to_owned(), text: text.to_owned(), ..Default::default() }),
            ..v1::ReceiveMessageRequest::default()
        };
        let answer = self.conversations.receive_message(request).await.unwrap().into_inner();
        (answer.conversation_id, answer.revision)
    }

    /// Agent `agent` writes.
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

    pub(crate) async fn open_ticket(&mut self, conversation: &str, topic: &str) -> v1::Ticket {
        let request = v1::OpenTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person("ann")),
            topic: topic.to_owned(),
            ..v1::OpenTicketRequest::default()
        };
        self.conversations.open_ticket(request).await.unwrap().into_inner().ticket.unwrap()
    }

    pub(crate) async fn close_all(&mut self, conversation: &str) {
        let request = v1::CloseTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person("ann")),
            all: true,
            ..v1::CloseTicketRequest::default()
        };
        self.conversations.close_ticket(request).await.unwrap();
    }

    /// An agent who is there, and a team of such agents.
    pub(crate) async fn staff(&self, team: &str, agents: &[(&str, u32)]) {
        for (id, capacity) in agents {
            let agent = v1::Agent { id: (*id).to_owned(), capacity: *capacity, ..v1::Agent::default() };
            self.bus.roster().upsert_agent(WORKSPACE, agent, None).await.unwrap();
        }
        let agent_ids = agents.iter().map(|(id, _)| (*id).to_owned()).collect();
        let team = v1::Team { id: team.to_owned(), agent_ids, ..v1::Team::default() };
        self.bus.roster().upsert_team(WORKSPACE, team, None).await.unwrap().unwrap();
        for (id, _) in agents {
            self.presence(id, v1::presence::State::Online).await;
        }
    }

    pub(crate) async fn presence(&self, agent: &str, state: v1::presence::State) {
        self.bus.roster().set_presence(WORKSPACE, agent, state, None, bus::now()).await.unwrap();
    }

    /// The runs that a request asks for, newest first.
    pub(crate) async fn list(&mut self, request: v1::ListRunsRequest) -> Vec<v1::Run> {
        let mut request = v1::ListRunsRequest { workspace: WORKSPACE.to_owned(), ..request };
        let mut runs = Vec::new();
        loop {
            let page = self.rules.list_runs(request.clone()).await.unwrap().into_inner();
            runs.extend(page.runs);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return runs;
            }
        }
    }

    /// The runs of a rule, newest first.
    pub(crate) async fn runs_of(&mut self, rule: &str) -> Vec<v1::Run> {
        self.list(v1::ListRunsRequest { rule: rule.to_owned(), ..Default::default() }).await
    }

    /// Waits until a rule has so many runs that a test is true of.
    pub(crate) async fn await_runs(
        &mut self,
        rule: &str,
        count: usize,
        test: impl Fn(&v1::Run) -> bool,
    ) -> Vec<v1::Run> {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let all = self.runs_of(rule).await;
            let fits: Vec<v1::Run> = all.iter().filter(|run| test(run)).cloned().collect();
            if fits.len() >= count {
                return fits;
            }
            assert!(tokio::time::Instant::now() < deadline, "waited in vain for {count} runs of {rule}: {all:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for the first run of a rule.
    pub(crate) async fn await_run(&mut self, rule: &str) -> v1::Run {
        self.await_runs(rule, 1, |_| true).await.remove(0)
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
            Entry::Message(message) => format!("{}: {}", message.actor.unwrap_or_default().id, message.text),
            Entry::Stamp(stamp) => stamp.text,
            Entry::Note(note) => format!("note: {}", note.text),
        };
        self.timeline(conversation).await.into_iter().map(entry).collect()
    }

    pub(crate) async fn conversation(&mut self, conversation: &str) -> v1::Conversation {
        let min_revision = i64::try_from(self.bus.events_info().await.unwrap().state.last_sequence).unwrap();
        let request = v1::GetConversationRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            min_revision,
        };
        self.tickets.get_conversation(request).await.unwrap().into_inner()
    }

    pub(crate) async fn dead_letters(&self) -> Vec<v1::DeadLetter> {
        let stream = self.bus.jetstream().get_stream("DEAD").await.unwrap();
        let mut letters = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            letters.push(prost::Message::decode(stream.get_raw_message(sequence).await.unwrap().payload).unwrap());
        }
        letters
    }

    /// Ends everything in order.
    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        assert!(self.supervisor.finish().await, "some tasks did not end in time");
    }
}

pub(crate) fn config(nats: &str, dir: &Path, more: &str) -> Config {
    let text = format!(
        "data_dir = {dir:?}\n\
         [nats]\nurl = \"{nats}\"\nduplicate_window_ms = 100\n\
         [grpc]\nlisten = \"127.0.0.1:0\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         {more}\n\
         [[workspaces]]\nname = \"{WORKSPACE}\"\nwebhook_secret = \"{SECRET}\"\n\
         [[workspaces]]\nname = \"rival\"\nbusiness_hours = {{}}\n"
    );
    let file = dir.join("threadmark.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file)).unwrap()
}

pub(crate) fn person(id: &str) -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: id.to_owned(), ..v1::Actor::default() }
}

pub(crate) fn outcome(run: &v1::Run) -> v1::run::Outcome {
    run.outcome()
}

/// What became of each action: "open_ticket DONE".
pub(crate) fn actions(run: &v1::Run) -> Vec<String> {
    run.actions.iter().map(|action| format!("{} {}", action.action, action.outcome().as_str_name())).collect()
}
