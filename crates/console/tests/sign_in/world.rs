use std::time::Duration;

use bus::Bus;
use proto::v1;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use proto::v1::token::Role;
use reqwest::Response;
use service::access::{Bearer, NewToken, TokenBook, Tokens};
use service::{Config, Doors, Grpc, Secret, Shutdown, Supervisor};
use tempfile::TempDir;
use testkit::NatsServer;
use threadmark_console::{Console, Options};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

type Line = InterceptedService<Channel, Bearer>;

/// Ingest, a view and the console, behind doors, with the workspaces "acme" and "rival".
pub(crate) struct World {
    pub(crate) tokens: Tokens,
    conversations: ConversationServiceClient<Line>,
    tickets: TicketServiceClient<Line>,
    page: String,
    http: reqwest::Client,
    _supervisor: Supervisor,
    _nats: NatsServer,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn start() -> World {
        let (nats, dir) = (NatsServer::start().await, tempfile::tempdir().unwrap());
        let text = format!(
            "data_dir = {:?}\n[nats]\nurl = \"{}\"\n[[workspaces]]\nname = \"acme\"\n[[workspaces]]\nname = \"rival\"\n",
            dir.path(),
            nats.url(),
        );
        let file = dir.path().join("threadmark.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let bus = Bus::connect(&config.bus(&nats.url(), "test")).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        let book = TokenBook::read(bus.clone(), &config.access).await.unwrap();
        book.follow(&supervisor);
        let any = "127.0.0.1:0".parse().unwrap();
        let mut grpc = Grpc::bind(any, Doors::kept(book)).await.unwrap();
        let services = format!("http://{}", grpc.address().unwrap());
        let ingest = ingest::Options::from_config(&config);
        grpc.add(ingest::conversation_service(bus.clone(), &ingest)).await;
        grpc.add(ingest::directory_service(&bus, &ingest)).await;
        grpc.add(ingest::access_service(&bus, &ingest)).await;
        let options = projection::Options::from_config(&config, dir.path().join("projection"));
        let projection = projection::Projection::open(bus.clone(), options).await.unwrap();
        grpc.add(projection.ticket_service(supervisor.shutdown())).await;
        projection.start(&supervisor);
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let options = Options::from_config(&config, &services).unwrap();
        let console = Console::bind(any, options, supervisor.shutdown().clone()).await.unwrap();
        let page = format!("http://{}", console.address().unwrap());
        supervisor.essential("console", console.serve());
        let tokens = Tokens::of(&bus);
        let new = NewToken { role: Role::Service, ..NewToken::default() };
        let (_, token) = tokens.create(new).await.unwrap();
        let bearer = Bearer::of(&token, "a new token").unwrap();
        let line = InterceptedService::new(Channel::from_shared(services).unwrap().connect_lazy(), bearer);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE);
        World {
            tokens,
            conversations: ConversationServiceClient::new(line.clone()),
            tickets: TicketServiceClient::new(line),
            page,
            http: http.build().unwrap(),
            _supervisor: supervisor,
            _nats: nats,
            _dir: dir,
        }
    }

    pub(crate) async fn token(&self, workspace: &str, role: Role) -> (v1::Token, Secret) {
        let agent = if role == Role::Agent { "ana" } else { "" };
        let new = NewToken {
            workspace: workspace.to_owned(),
            name: "test".to_owned(),
            role,
            agent_id: agent.to_owned(),
            agent_name: agent.to_owned(),
            ttl: None,
        };
        self.tokens.create(new).await.unwrap()
    }

    /// A chat in which somebody said something.
    pub(crate) async fn chat(&self, workspace: &str, words: &str) -> String {
        let contact = v1::Contact { id: words.to_owned(), ..v1::Contact::default() };
        let message = v1::ReceivedMessage { id: words.to_owned(), text: words.to_owned(), ..Default::default() };
        let request = v1::ReceiveMessageRequest {
            workspace: workspace.to_owned(),
            channel: "web:shop".to_owned(),
            contact: Some(contact),
            message: Some(message),
            ..v1::ReceiveMessageRequest::default()
        };
        let answer = self.conversations.clone().receive_message(request).await.unwrap().into_inner();
        let seen = v1::CountConversationsRequest { workspace: workspace.to_owned(), min_revision: answer.revision };
        self.tickets.clone().count_conversations(seen).await.unwrap();
        answer.conversation_id
    }

    /// What was said in a chat.
    pub(crate) async fn said(&self, workspace: &str, conversation: &str) -> Vec<String> {
        let request = v1::ListTimelineRequest {
            workspace: workspace.to_owned(),
            conversation_id: conversation.to_owned(),
            ..v1::ListTimelineRequest::default()
        };
        let entries = self.tickets.clone().list_timeline(request).await.unwrap().into_inner().entries;
        let text = |entry: v1::TimelineEntry| match entry.entry {
            Some(v1::timeline_entry::Entry::Message(message)) => Some(message.text),
            _ => None,
        };
        entries.into_iter().filter_map(text).collect()
    }

    pub(crate) async fn get(&self, path: &str, cookie: Option<&str>) -> Response {
        let request = self.http.get(format!("{}{path}", self.page)).header("cookie", cookie.unwrap_or_default());
        request.send().await.unwrap()
    }

    /// As a form of a page of ours.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)], cookie: Option<&str>) -> Response {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let request = self.http.post(format!("{}{path}", self.page)).header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("cookie", cookie.unwrap_or_default()).body(body.join("&")).send().await.unwrap()
    }
}

/// What a browser sends back.
pub(crate) fn cookie(set: &str) -> String {
    set.split(';').next().unwrap().to_owned()
}
