//! Every service in this process, behind doors, and the console, which can end and start again on its port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bus::{Bus, Files, Owner};
use conversation::ConversationId;
use ingest::Intake;
use proto::v1;
use proto::v1::automation_service_client::AutomationServiceClient;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::directory_service_client::DirectoryServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use proto::v1::token::Role;
use serde_json::{Value, json};
use service::access::{Bearer, NewToken, TokenBook, Tokens};
use service::{Config, Doors, Grpc, Secret, Shutdown, Supervisor};
use tempfile::TempDir;
use testkit::{NatsServer, Process};
use threadmark_console::{Console, Options};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::browser::{Browser, Driver};

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const WORKSPACE: &str = "acme";
const CHANNEL: &str = "web:shop";
const NUMBER: &str = "106540352242922";
const SECRET: &str = "secret";
pub(crate) const CUSTOMER: &str = "16505551234";

/// A connection on which the token of a service is shown.
type Line = InterceptedService<Channel, Bearer>;

pub(crate) struct World {
    pub(crate) conversations: ConversationServiceClient<Line>,
    pub(crate) tickets: TicketServiceClient<Line>,
    pub(crate) address: SocketAddr,
    bus: Bus,
    intake: Intake,
    tokens: Tokens,
    line: Line,
    services: String,
    config: Config,
    console: Supervisor,
    driver: Option<Driver>,
    _supervisor: Supervisor,
    _nats: NatsServer,
    dir: TempDir,
}

impl World {
    /// Everything, with Ana and Ben, who are of the team "billing"; `None` on a machine without a browser.
    pub(crate) async fn start() -> Option<World> {
        let driver = Driver::start().await?;
        Some(World { driver: Some(driver), ..World::without_browser().await })
    }

    /// The same where the services ask for no token.
    pub(crate) async fn with_open_doors() -> Option<World> {
        let driver = Driver::start().await?;
        Some(World { driver: Some(driver), ..World::behind(false).await })
    }

    /// The same without anybody who could look at it.
    pub(crate) async fn without_browser() -> World {
        World::behind(true).await
    }

    async fn behind(doors: bool) -> World {
        let nats = NatsServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let config = config(&nats.url(), dir.path());
        let bus = Bus::connect(&config.bus(&nats.url(), "test")).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        let tokens = Tokens::of(&bus);
        let doors = match doors {
            true => {
                let book = TokenBook::read(bus.clone(), &config.access).await.unwrap();
                book.follow(&supervisor);
                Doors::kept(book)
            }
            false => Doors::open(),
        };
        let new = NewToken { role: Role::Service, ..NewToken::default() };
        let bearer = Bearer::of(&tokens.create(new).await.unwrap().1, "a new token").unwrap();
        let mut grpc = Grpc::bind(config.grpc.listen, doors).await.unwrap();
        let services = format!("http://{}", grpc.address().unwrap());
        let ingest = ingest::Options::from_config(&config);
        let intake = Intake::new(bus.clone(), ingest.clone());
        grpc.add(ingest::conversation_service(bus.clone(), &ingest)).await;
        grpc.add(ingest::directory_service(&bus, &ingest)).await;
        grpc.add(ingest::access_service(&bus, &ingest)).await;
        let options = projection::Options::from_config(&config, dir.path().join("projection"));
        let projection = projection::Projection::open(bus.clone(), options).await.unwrap();
        grpc.add(projection.ticket_service(supervisor.shutdown())).await;
        projection.start(&supervisor);
        let library = bot::Library::new(bus.clone());
        grpc.add(bot::bot_service(bus.clone(), library.clone(), bot::Options::from_config(&config))).await;
        library.start(&supervisor);
        let options = automation_engine::Options::from_config(&config, &services)
            .unwrap()
            .showing(bearer.clone(), service::Certificates::default());
        let engine = automation_engine::Engine::new(bus.clone(), options).unwrap();
        engine.prepare().await.unwrap();
        grpc.add(automation_engine::automation_service(engine.clone())).await;
        engine.start(&supervisor);
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let channel = Channel::from_shared(services.clone()).unwrap().connect_lazy();
        let line = InterceptedService::new(channel, bearer);
        let (console, address) = serve(&config, &services, "127.0.0.1:0".parse().unwrap()).await;
        let world = World {
            conversations: ConversationServiceClient::new(line.clone()),
            tickets: TicketServiceClient::new(line.clone()),
            address,
            bus,
            intake,
            tokens,
            line,
            services,
            config,
            console,
            driver: None,
            _supervisor: supervisor,
            _nats: nats,
            dir,
        };
        world.staff().await;
        world
    }

    pub(crate) fn automation(&self) -> AutomationServiceClient<Line> {
        AutomationServiceClient::new(self.line.clone())
    }

    pub(crate) fn bot(&self) -> BotServiceClient<Line> {
        BotServiceClient::new(self.line.clone())
    }

    async fn staff(&self) {
        let mut directory = DirectoryServiceClient::new(self.line.clone());
        for (id, name) in [("ana", "Ana"), ("ben", "Ben")] {
            let agent = v1::Agent { id: id.to_owned(), display_name: name.to_owned(), ..v1::Agent::default() };
            let request =
                v1::UpsertAgentRequest { workspace: WORKSPACE.to_owned(), agent: Some(agent), etag: String::new() };
            directory.upsert_agent(request).await.unwrap();
        }
        let team = v1::Team {
            id: "billing".to_owned(),
            display_name: "Billing".to_owned(),
            agent_ids: vec!["ana".to_owned(), "ben".to_owned()],
            ..v1::Team::default()
        };
        let request = v1::UpsertTeamRequest { workspace: WORKSPACE.to_owned(), team: Some(team), etag: String::new() };
        directory.upsert_team(request).await.unwrap();
    }

    /// The console as a process of its own, and where it answers.
    pub(crate) fn console_process(&self) -> (Process, SocketAddr) {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let text = format!(
            "data_dir = {:?}\n[console]\nlisten = \"{address}\"\nservices = \"{}\"\n\
             [[workspaces]]\nname = \"{WORKSPACE}\"\n",
            self.dir.path().join("console"),
            self.services
        );
        let file = self.dir.path().join("console.toml");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_console"));
        command.arg("--config").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        (Process::spawn(&mut command).unwrap(), address)
    }

    /// Ends the console, as when its process ends.
    pub(crate) async fn end_console(&self) {
        self.console.shutdown().begin();
        assert!(self.console.finish().await, "the console does not end while pages are open");
    }

    /// Starts it again where it was.
    pub(crate) async fn start_console(&mut self) {
        let (config, services, address) = (&self.config, &self.services, self.address);
        let (console, _) = serve(config, services, address).await;
        self.console = console;
    }

    /// A browser in which somebody signed in with a token of their own.
    pub(crate) async fn browser(&self, agent: &str) -> Browser {
        self.browser_like(agent, false, true).await
    }

    /// The same in the dark, or without scripts.
    pub(crate) async fn browser_like(&self, agent: &str, dark: bool, scripts: bool) -> Browser {
        let browser = self.open_browser(dark, scripts).await;
        browser.sign_in(&self.token(WORKSPACE, agent).await).await;
        browser.sees("nav.views").await;
        browser
    }

    /// A browser in which somebody of another workspace signed in.
    pub(crate) async fn rival(&self) -> Browser {
        let browser = self.stranger().await;
        browser.sign_in(&self.token("rival", "rita").await).await;
        browser.sees("nav.views").await;
        browser
    }

    /// A browser in which somebody showed the token of an admin, and chose to act as an agent.
    pub(crate) async fn admin(&self, agent: &str) -> Browser {
        let browser = self.stranger().await;
        browser.sign_in(&self.token(WORKSPACE, "").await).await;
        browser.click(&format!("button[value={agent}]")).await;
        browser.sees("nav.views").await;
        browser
    }

    /// A browser in which nobody has signed in.
    pub(crate) async fn stranger(&self) -> Browser {
        self.open_browser(false, true).await
    }

    async fn open_browser(&self, dark: bool, scripts: bool) -> Browser {
        self.driver.as_ref().expect("a world with a browser").open(self.address, dark, scripts).await
    }

    /// A new token of an agent, or of an admin where there is none.
    pub(crate) async fn token(&self, workspace: &str, agent: &str) -> Secret {
        let new = NewToken {
            workspace: workspace.to_owned(),
            name: "test".to_owned(),
            role: if agent.is_empty() { Role::Admin } else { Role::Agent },
            agent_id: agent.to_owned(),
            agent_name: person(agent).display_name,
            ttl: None,
        };
        self.tokens.create(new).await.unwrap().1
    }

    /// WhatsApp tells of something: what stands in the `value` of a change besides whose number it is.
    pub(crate) async fn whatsapp(&self, mut value: Value) {
        value["messaging_product"] = "whatsapp".into();
        value["metadata"] = json!({ "display_phone_number": "1", "phone_number_id": NUMBER });
        let entry = json!({ "id": "1", "changes": [{ "field": "messages", "value": value }] });
        let body = json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string();
        let (signature, trace) = (testkit::signature(SECRET, body.as_bytes()), bus::TraceParent::start());
        let kind = service::config::ChannelKind::Whatsapp;
        self.intake.take(kind, ingest::Path::Bare, &signature, body.as_bytes(), &trace).await.unwrap();
    }

    /// A customer's message by WhatsApp: its type, and what stands under it.
    pub(crate) async fn whatsapp_message(&self, id: &str, at: i64, kind: &str, content: Value) {
        let contact = json!({ "wa_id": CUSTOMER, "profile": { "name": "Maya" } });
        let message = json!({ "from": CUSTOMER, "id": id, "timestamp": at.to_string(), "type": kind, kind: content });
        self.whatsapp(json!({ "contacts": [contact], "messages": [message] })).await;
    }

    /// The chat of the customer who writes by WhatsApp.
    pub(crate) async fn whatsapp_chat(&self) -> String {
        let request = v1::ListConversationsRequest { workspace: WORKSPACE.to_owned(), ..Default::default() };
        testkit::eventually("the chat", DEADLINE, async || {
            let found = self.tickets.clone().list_conversations(request.clone()).await.unwrap().into_inner();
            let chat = found.conversations.into_iter().find(|chat| chat.channel.starts_with("whatsapp:"));
            chat.map(|chat| chat.id)
        })
        .await
    }

    /// The customer `contact` writes.
    pub(crate) async fn say(&self, contact: &str, text: &str) -> (String, i64) {
        let message = v1::ReceivedMessage { text: text.to_owned(), ..v1::ReceivedMessage::default() };
        self.receive(contact, message).await
    }

    pub(crate) async fn receive(&self, contact: &str, message: v1::ReceivedMessage) -> (String, i64) {
        let id = if message.id.is_empty() { format!("m{}", fastrand::u64(..)) } else { message.id.clone() };
        let request = v1::ReceiveMessageRequest {
            workspace: WORKSPACE.to_owned(),
            channel: CHANNEL.to_owned(),
            contact: Some(v1::Contact {
                id: contact.to_lowercase(),
                display_name: contact.to_owned(),
                ..v1::Contact::default()
            }),
            message: Some(v1::ReceivedMessage { id, ..message }),
            ..v1::ReceiveMessageRequest::default()
        };
        let answer = self.conversations.clone().receive_message(request).await.unwrap().into_inner();
        self.until(answer.revision).await;
        (answer.conversation_id, answer.revision)
    }

    /// Waits until the view has come to a revision.
    pub(crate) async fn until(&self, min_revision: i64) {
        let request = v1::CountConversationsRequest { workspace: WORKSPACE.to_owned(), min_revision };
        self.tickets.clone().count_conversations(request).await.unwrap();
    }

    pub(crate) async fn send(&self, conversation: &str, agent: &str, text: &str) -> i64 {
        let request = v1::SendMessageRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            content: Some(v1::send_message_request::Content::Text(text.to_owned())),
            ..v1::SendMessageRequest::default()
        };
        self.conversations.clone().send_message(request).await.unwrap().into_inner().revision
    }

    pub(crate) async fn note(&self, conversation: &str, agent: &str, text: &str) -> i64 {
        let request = v1::AddNoteRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            text: text.to_owned(),
            ..v1::AddNoteRequest::default()
        };
        self.conversations.clone().add_note(request).await.unwrap().into_inner().revision
    }

    pub(crate) async fn open(&self, conversation: &str, agent: &str, topic: &str) -> v1::Ticket {
        let request = v1::OpenTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            topic: topic.to_owned(),
            ..v1::OpenTicketRequest::default()
        };
        let answer = self.conversations.clone().open_ticket(request).await.unwrap().into_inner();
        self.until(answer.revision).await;
        answer.ticket.unwrap()
    }

    /// Closes the ticket opened last, or all.
    pub(crate) async fn close(&self, conversation: &str, agent: &str, all: bool) -> i64 {
        let request = v1::CloseTicketRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            all,
            ..v1::CloseTicketRequest::default()
        };
        let revision = self.conversations.clone().close_ticket(request).await.unwrap().into_inner().revision;
        self.until(revision).await;
        revision
    }

    /// A file is kept for a chat, as those are that customers send.
    pub(crate) async fn keep(&self, conversation: &str, media_id: &str, head: v1::SealedFile, data: &[u8]) {
        let id = ConversationId::parse(conversation).unwrap();
        let (files, owner) =
            (Files::new(self.bus.clone(), None), Owner { workspace: WORKSPACE, conversation: Some(&id) });
        let name = files.name(owner, media_id).await.unwrap();
        let head = v1::SealedFile { size: data.len().try_into().unwrap(), ..head };
        files.put(owner, &name, &head, data).await.unwrap();
    }

    /// The chat in words, oldest first.
    pub(crate) async fn chat(&self, conversation: &str) -> Vec<String> {
        use v1::timeline_entry::Entry;
        let mut request = v1::ListTimelineRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: conversation.to_owned(),
            page_size: 1_000,
            direction: v1::list_timeline_request::Direction::Newer.into(),
            ..v1::ListTimelineRequest::default()
        };
        let mut chat = Vec::new();
        loop {
            let page = self.tickets.clone().list_timeline(request.clone()).await.unwrap().into_inner();
            chat.extend(page.entries.into_iter().map(|entry| match entry.entry.unwrap() {
                Entry::Message(message) => message.text,
                Entry::Stamp(stamp) => stamp.text,
                Entry::Note(note) => note.text,
            }));
            if page.next_page_token.is_empty() {
                return chat;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Two tickets, one nested in the other, in a chat that tells a little story.
    pub(crate) async fn story(&self, contact: &str) -> String {
        let (chat, _) = self.say(contact, "My lamp arrived broken").await;
        self.open(&chat, "ana", "damage").await;
        self.send(&chat, "ana", "I am sorry. We send another one today.").await;
        self.say(contact, "And do I have to send this one back?").await;
        self.open(&chat, "ana", "return").await;
        self.note(&chat, "ana", "The carrier pays").await;
        self.send(&chat, "ana", "Yes, but we collect it. Where?").await;
        self.say(contact, "At the café").await;
        self.close(&chat, "ana", false).await;
        chat
    }
}

async fn serve(config: &Config, services: &str, address: SocketAddr) -> (Supervisor, SocketAddr) {
    let supervisor = Supervisor::new(Shutdown::new());
    let options = Options::from_config(config, services).unwrap();
    let bind = async || Console::bind(address, options.clone(), supervisor.shutdown().clone()).await.ok();
    let console = testkit::eventually("the console's port", DEADLINE, bind).await;
    let address = console.address().unwrap();
    supervisor.essential("console", console.serve());
    (supervisor, address)
}

pub(crate) fn person(id: &str) -> v1::Actor {
    let name: String = id.chars().take(1).flat_map(char::to_uppercase).chain(id.chars().skip(1)).collect();
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: id.to_owned(), display_name: name }
}

fn config(nats: &str, dir: &Path) -> Config {
    let text = format!(
        "data_dir = {dir:?}\n\
         [nats]\nurl = \"{nats}\"\nduplicate_window_ms = 100\n\
         [grpc]\nlisten = \"127.0.0.1:0\"\n\
         [[workspaces]]\nname = \"{WORKSPACE}\"\n\
         [[workspaces]]\nname = \"rival\"\n\
         [[channels]]\nkind = \"whatsapp\"\nworkspace = \"{WORKSPACE}\"\nphone_number_id = \"{NUMBER}\"\n\
         app_secret = \"{SECRET}\"\nverify_token = \"verify\"\n"
    );
    let file = dir.join("threadmark.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file)).unwrap()
}
