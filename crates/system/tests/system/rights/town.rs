//! A bus with users, and every service as a process with its own key.

use std::path::Path;

use futures::TryStreamExt as _;
use proto::v1;
use proto::v1::contact_service_client::ContactServiceClient;
use serde_json::json;
use tempfile::TempDir;
use testkit::{FakeGraph, NatsServer};
use tonic::transport::{Channel, Endpoint};

use crate::deployment::{DEADLINE, SECRET, Settings};
use crate::programs::{Program, free_port, run};
use crate::signed;

pub(super) const WORKSPACE: &str = "acme";
const NUMBER: &str = "106";
const SERVICES: [&str; 5] = ["projection", "ingest", "automation-engine", "bot", "delivery"];

/// Makes keys by the command, and starts a server that knows their users.
pub(super) async fn bus_with_users(dir: &Path) -> NatsServer {
    let made = run("threadmark", &["admin", "keys", dir.join("keys").to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let users = std::fs::read_to_string(dir.join("keys/nats/users.conf")).unwrap();
    NatsServer::builder().config(&users).start().await
}

pub(super) struct Town {
    pub(super) graph: FakeGraph,
    pub(super) nats: NatsServer,
    pub(super) programs: Vec<Program>,
    ports: [u16; SERVICES.len()],
    sender: signed::Sender,
    dir: TempDir,
}

impl Town {
    pub(super) async fn start() -> Town {
        let dir = tempfile::tempdir().unwrap();
        let nats = bus_with_users(dir.path()).await;
        let (ports, http) = ([(); SERVICES.len()].map(|()| free_port()), free_port());
        let graph = FakeGraph::builder().webhook(format!("http://127.0.0.1:{http}/webhooks/whatsapp"), SECRET);
        let graph = graph.start().await.unwrap();
        let text = |name: &str, grpc: u16, http: u16| {
            let settings = Settings::new(&nats.url(), &dir.path().join(name), "sled").listening(grpc, http);
            let keys = format!("duplicate_window_ms = 100\nkeys = {:?}", dir.path().join("keys").join(name));
            let view = format!("ticket_service = \"http://127.0.0.1:{}\"", ports[0]);
            format!(
                "{}[automation]\n{view}\n[bot]\n{view}\npause_ms = 200\n\
                 [delivery]\npause_ms = 50\n[webhooks]\nallow_private_targets = true\n\
                 [[workspaces]]\nname = \"{WORKSPACE}\"\n[workspaces.bot]\nenabled = true\n\
                 [[channels]]\nkind = \"whatsapp\"\nworkspace = \"{WORKSPACE}\"\nphone_number_id = \"{NUMBER}\"\n\
                 app_secret = \"{SECRET}\"\naccess_token = \"token\"\napi_base = \"{}\"\n",
                settings.text().replace("duplicate_window_ms = 100", &keys),
                graph.url(),
            )
        };
        let file = |name: &str, grpc: u16, http: u16| {
            let file = dir.path().join(format!("{name}.toml"));
            std::fs::write(&file, text(name, grpc, http)).unwrap();
            file.to_str().unwrap().to_owned()
        };
        // A service that comes before the streams waits for them.
        let programs: Vec<Program> = (SERVICES.iter().zip(ports))
            .map(|(name, port)| {
                let http = if *name == "ingest" { http } else { free_port() };
                Program::start(name, &["--config", &file(name, port, http)], dir.path())
            })
            .collect();
        let made = run("threadmark", &["admin", "streams", "--config", &file("admin", free_port(), free_port())]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let sender = signed::Sender::new(&format!("http://127.0.0.1:{http}"), SECRET);
        let town = Town { graph, nats, programs, ports, sender, dir };
        for name in SERVICES {
            testkit::eventually(&format!("{name} to be well"), DEADLINE, async || {
                town.command(name, &["health"]).is_some().then_some(())
            })
            .await;
        }
        town
    }

    /// Runs a command of the CLI against a service; what it prints, unless it fails.
    pub(super) fn command(&self, service: &str, arguments: &[&str]) -> Option<String> {
        let nth = SERVICES.iter().position(|name| *name == service).unwrap();
        let server = format!("http://127.0.0.1:{}", self.ports[nth]);
        let all = [arguments, &["--server", &server, "--workspace", WORKSPACE]].concat();
        let done = run("threadmark", &all);
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// The same until it prints `sought`.
    pub(super) async fn until(&self, service: &str, arguments: &[&str], sought: &str) -> String {
        let what = format!("{sought:?} from {arguments:?}");
        let look = async || self.command(service, arguments).filter(|said| said.contains(sought));
        testkit::eventually(&what, DEADLINE, look).await
    }

    /// The conversation of a contact.
    pub(super) fn id(&self, name: &str) -> String {
        let all = self.command("projection", &["conversations", "--json"]).unwrap();
        let rows: Vec<serde_json::Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found =
            rows.iter().find(|row| row["contact"]["displayName"] == name || row["contact"]["display_name"] == name);
        found.unwrap_or_else(|| panic!("{all}"))["id"].as_str().unwrap().to_owned()
    }

    /// Everything that is held about a contact.
    pub(super) async fn export(&self, id: &str) -> String {
        let request = v1::ExportContactRequest { workspace: WORKSPACE.to_owned(), conversation_id: id.to_owned() };
        let items = self.contacts().export_contact(request).await.unwrap().into_inner();
        format!("{:?}", items.try_collect::<Vec<_>>().await.unwrap())
    }

    /// Erases a contact.
    pub(super) async fn erase(&self, id: &str) {
        let actor = v1::Actor { kind: v1::actor::Kind::Agent.into(), id: "ana".to_owned(), ..v1::Actor::default() };
        let request = v1::EraseContactRequest {
            workspace: WORKSPACE.to_owned(),
            conversation_id: id.to_owned(),
            actor: Some(actor),
        };
        let steps = self.contacts().erase_contact(request).await.unwrap().into_inner();
        assert!(!steps.try_collect::<Vec<_>>().await.unwrap().is_empty());
    }

    fn contacts(&self) -> ContactServiceClient<Channel> {
        let nth = SERVICES.iter().position(|name| *name == "ingest").unwrap();
        let server = format!("http://127.0.0.1:{}", self.ports[nth]);
        ContactServiceClient::new(Endpoint::from_shared(server).unwrap().timeout(DEADLINE).connect_lazy())
    }

    /// A file of the town's own.
    pub(super) fn file(&self, name: &str, text: &str) -> String {
        let file = self.dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// A customer writes, by a signed webhook.
    pub(super) async fn receive(&self, customer: &str, name: &str, text: &str) {
        self.graph_says(customer, name, json!({"type": "text", "text": {"body": text}})).await;
    }

    pub(super) async fn graph_says(&self, customer: &str, name: &str, content: serde_json::Value) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut message = json!({"from": customer, "id": format!("wamid.{}", nuid()), "timestamp": now.to_string()});
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        let parts = json!({"messaging_product": "whatsapp", "messages": [message],
            "contacts": [{"profile": {"name": name}, "wa_id": customer}]});
        self.sender.deliver(signed::body(&[signed::change("messages", NUMBER, &parts)])).await;
    }

    /// What the server refused and the services heard of it.
    pub(super) fn denied(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.nats.log_file()).unwrap();
        let said = self.programs.iter().map(Program::said).collect::<String>();
        let denial = |line: &&str| line.contains("Violation") || line.contains("the bus denies");
        log.lines().chain(said.lines()).filter(denial).map(str::to_owned).collect()
    }
}

fn nuid() -> String {
    format!("{:016x}", fastrand::u64(..))
}
