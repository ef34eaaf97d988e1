//! All services in this process, against a nats-server of the test's own.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use bus::Bus;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::projection_service_client::ProjectionServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use service::access::Bearer;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tempfile::TempDir;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::model::Business;
use crate::signed::Sender;

/// What every channel's webhooks are signed with, unless a test says otherwise.
pub(crate) const SECRET: &str = "a-secret-of-the-channel";
/// Nothing may lean on the server's knowing a repeated id.
pub(crate) const DEDUPE_MS: u64 = 100;
/// How long anything may take before a test gives up on it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The engines that keep the view.
pub(crate) const ENGINES: [&str; 2] = ["sled", "fjall"];

/// Doors are tried by tests of their own: see [`Settings::locked`].
const OPEN: &str = "access.required = false";

/// The text of a configuration, to which a test adds what it needs.
pub(crate) struct Settings(String);

impl Settings {
    /// With free ports, at a nats-server, and with the data in a directory.
    pub(crate) fn new(nats: &str, data: &Path, engine: &str) -> Settings {
        Settings(format!(
            "data_dir = {data:?}\n\
             {OPEN}\n\
             [nats]\nurl = \"{nats}\"\nduplicate_window_ms = {DEDUPE_MS}\n\
             [grpc]\nlisten = \"127.0.0.1:0\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n\
             [console]\nlisten = \"127.0.0.1:0\"\n\
             [projection]\nengine = \"{engine}\"\n",
        ))
    }

    /// With doors that take a token, as they are by default.
    pub(crate) fn locked(self) -> Settings {
        Settings(self.0.replace(OPEN, ""))
    }

    pub(crate) fn workspace(mut self, name: &str, settings: &oracle::Settings) -> Settings {
        let oracle::Settings { assign_on_write, unassign_on_close } = settings;
        let text = format!(
            "[[workspaces]]\nname = {name:?}\n\
             assign_on_write = {assign_on_write}\nunassign_on_close = {unassign_on_close}\n",
        );
        self.0.push_str(&text);
        self
    }

    pub(crate) fn channel(mut self, workspace: &str, phone_number_id: &str, secret: &str) -> Settings {
        write!(
            self.0,
            "[[channels]]\nworkspace = {workspace:?}\nphone_number_id = {phone_number_id:?}\napp_secret = {secret:?}\n",
        )
        .unwrap();
        self
    }

    /// A workspace with a number whose webhooks are signed with [`SECRET`].
    pub(crate) fn business(self, business: &Business) -> Settings {
        let Business { workspace, number, settings } = business;
        self.workspace(workspace, settings).channel(workspace, number, SECRET)
    }

    /// On ports of the test's own choice.
    pub(crate) fn listening(self, grpc: u16, http: u16) -> Settings {
        let at = |text: String, section: &str, port: u16| {
            let free = format!("[{section}]\nlisten = \"127.0.0.1:0\"");
            assert!(text.contains(&free));
            text.replace(&free, &format!("[{section}]\nlisten = \"127.0.0.1:{port}\""))
        };
        Settings(at(at(self.0, "grpc", grpc), "http", http))
    }

    /// As containers have it, which reach each other by name and are reached from everywhere.
    pub(crate) fn contained(&self) -> String {
        let view = "\n[automation]\nticket_service = \"http://projection:7070\"\n\
            [bot]\nticket_service = \"http://projection:7070\"\n[[workspaces]]";
        let at = |text: String, listen: &str| text.replacen("listen = \"127.0.0.1:0\"", listen, 1);
        let locked = self.0.replace(OPEN, "access.token_file = \"/access/service.token\"");
        let text = at(at(locked, "listen = \"0.0.0.0:7070\""), "listen = \"0.0.0.0:7080\"");
        let text = at(text, "listen = \"0.0.0.0:7090\"\nservices = \"http://gateway:7070\"");
        text.replacen("\n[[workspaces]]", view, 1)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    fn read(&self, dir: &Path) -> Config {
        let file = dir.join("threadmark.toml");
        std::fs::write(&file, &self.0).unwrap();
        Config::load(Some(&file)).unwrap()
    }
}

/// Where services answer, wherever they run.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    /// ConversationService, as a URL.
    pub(crate) commands: String,
    /// TicketService and ProjectionService.
    pub(crate) queries: String,
    /// Webhooks.
    pub(crate) http: String,
    /// What is shown to the services.
    pub(crate) bearer: Bearer,
}

impl Endpoints {
    /// Connections of one client.
    pub(crate) fn clients(&self) -> Clients {
        Clients::new(self)
    }

    /// Signs webhooks with [`SECRET`].
    pub(crate) fn sender(&self) -> Sender {
        Sender::new(&self.http, SECRET)
    }
}

/// Ingest, and a projection.
pub(crate) struct Deployment {
    pub(crate) bus: Bus,
    pub(crate) endpoints: Endpoints,
    supervisor: Supervisor,
    dir: TempDir,
}

impl Deployment {
    /// Starts ingest and a projection, both as the configuration says.
    pub(crate) async fn start(settings: impl FnOnce(&Path) -> Settings) -> Deployment {
        let dir = tempfile::tempdir().unwrap();
        let config = settings(dir.path()).read(dir.path());
        let bus = Bus::connect(&config.bus(&config.nats.url, "system-test")).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap();

        let options = ingest::Options::from_config(&config);
        grpc.add(ingest::conversation_service(bus.clone(), &options)).await;
        grpc.add(ingest::contact_service(bus.clone(), &options)).await;
        let intake = ingest::Intake::new(bus.clone(), options.clone());
        let webhooks = ingest::Webhooks::bind(config.http.listen, intake, options.http).await.unwrap();

        serve_projection(&config, &bus, dir.path(), &mut grpc, &supervisor).await;

        let (grpc_address, http_address) = (grpc.address().unwrap(), webhooks.address().unwrap());
        supervisor.essential("webhooks", webhooks.serve(supervisor.shutdown().clone()));
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        let (grpc, http) = (format!("http://{grpc_address}"), format!("http://{http_address}"));
        let endpoints = Endpoints { commands: grpc.clone(), queries: grpc, http, bearer: Bearer::none() };
        Deployment { bus, endpoints, supervisor, dir }
    }

    /// Connections of one client.
    pub(crate) fn clients(&self) -> Clients {
        self.endpoints.clients()
    }

    /// Ends everything in order.
    pub(crate) async fn stop(self) {
        drop(self.end().await);
    }

    /// The same, and hands over the directory with all that was kept.
    pub(crate) async fn end(self) -> TempDir {
        self.supervisor.shutdown().begin();
        assert!(self.supervisor.finish().await, "some tasks did not end in time");
        self.dir
    }
}

/// Another projection of the same log, with its own store, that answers for itself.
pub(crate) struct Beside {
    queries: String,
    supervisor: Supervisor,
    _dir: TempDir,
}

impl Beside {
    pub(crate) async fn start(bus: &Bus, settings: impl FnOnce(&Path) -> Settings) -> Beside {
        let dir = tempfile::tempdir().unwrap();
        let config = settings(dir.path()).read(dir.path());
        let supervisor = Supervisor::new(Shutdown::new());
        let mut grpc = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap();
        serve_projection(&config, bus, dir.path(), &mut grpc, &supervisor).await;
        let address = grpc.address().unwrap();
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        Beside { queries: format!("http://{address}"), supervisor, _dir: dir }
    }

    /// A client of this view.
    pub(crate) fn clients(&self, deployment: &Deployment) -> Clients {
        Endpoints { queries: self.queries.clone(), ..deployment.endpoints.clone() }.clients()
    }

    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        assert!(self.supervisor.finish().await, "some tasks did not end in time");
    }
}

async fn serve_projection(config: &Config, bus: &Bus, dir: &Path, grpc: &mut Grpc, supervisor: &Supervisor) {
    let options = projection::Options::from_config(config, dir.join("projection"));
    let projection = projection::Projection::open(bus.clone(), options).await.unwrap();
    grpc.add(projection.ticket_service(supervisor.shutdown())).await;
    grpc.add(projection.projection_service()).await;
    grpc.add(projection.audit_service(supervisor.shutdown())).await;
    projection.start(supervisor);
}

/// A connection on which a token is shown.
pub(crate) type Line = InterceptedService<Channel, Bearer>;

/// The services as one client calls them.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) conversations: ConversationServiceClient<Line>,
    pub(crate) tickets: TicketServiceClient<Line>,
    pub(crate) projection: ProjectionServiceClient<Line>,
    /// To ConversationService.
    pub(crate) channel: Channel,
}

impl Clients {
    /// Connects when it is first used, and again whenever the connection is gone.
    fn new(endpoints: &Endpoints) -> Clients {
        let connect = |url: &String| {
            let endpoint = Endpoint::from_shared(url.clone()).unwrap();
            endpoint.connect_timeout(DEADLINE).timeout(DEADLINE).connect_lazy()
        };
        let (commands, queries) = (connect(&endpoints.commands), connect(&endpoints.queries));
        let line = |channel: &Channel| InterceptedService::new(channel.clone(), endpoints.bearer.clone());
        Clients {
            conversations: ConversationServiceClient::new(line(&commands)),
            tickets: TicketServiceClient::new(line(&queries)),
            projection: ProjectionServiceClient::new(line(&queries)),
            channel: commands,
        }
    }
}

/// Whether nobody answered, or the bus is away: what a client meets while something is killed, and tries again.
pub(crate) fn is_away(status: &Status) -> bool {
    // What a service says has details; what the transport says has none.
    status.code() == Code::Unavailable || status.get_error_details().error_info().is_none()
}

/// Tries until there is an answer, as clients do while the bus is away. [`testkit::eventually`] for tasks that are
/// spawned: its condition borrows in a way that the compiler can't see to be `Send`.
///
/// # Panics
/// After [`DEADLINE`].
pub(crate) async fn patiently<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let trying = async {
        loop {
            if let Some(answer) = attempt().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let tried = tokio::time::timeout(DEADLINE, trying).await;
    tried.unwrap_or_else(|_| panic!("tried for {DEADLINE:?} in vain: {what}"))
}
