//! One trace from a webhook to the call that answers it, across processes, told to a collector that takes OTLP.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span as Told;
use proto::v1;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use serde_json::json;
use testkit::{FakeGraph, NatsServer, eventually};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::deployment::{DEADLINE, SECRET, Settings};
use crate::programs::{Program, free_port, run};
use crate::signed;

const WORKSPACE: &str = "acme";
const NUMBER: &str = "106";
const CUSTOMER: &str = "4915112345678";
const API_TOKEN: &str = "EAAtoken4711";
const RULES: &str = "rules:
  - name: refunds
    on: message.received
    when: conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - send_message: { text: \"A colleague is on it.\" }
";
/// What a client of gRPC says that its trace is.
const CLIENTS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Keeps all that it is told.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

/// A span, and the service that told it.
#[derive(Clone, Debug)]
struct Step {
    service: String,
    span: Told,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Collector, String) {
        let collector = Collector::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (collector, url)
    }

    fn steps(&self) -> Vec<Step> {
        let told = self.0.lock().unwrap();
        let resources = told.iter().flat_map(|request| &request.resource_spans);
        resources
            .flat_map(|of| {
                let attributes =
                    of.resource.as_ref().map(|resource| resource.attributes.as_slice()).unwrap_or_default();
                let name = attributes.iter().find(|attribute| attribute.key == "service.name");
                let service = format!("{:?}", name.and_then(|name| name.value.clone()));
                of.scope_spans
                    .iter()
                    .flat_map(|scope| &scope.spans)
                    .map(move |span| Step { service: service.clone(), span: span.clone() })
            })
            .collect()
    }

    /// The step of a service that goes on from another.
    async fn child(&self, of: &Told, service: &str, name: &str) -> Told {
        eventually(&format!("{name} of {service}"), DEADLINE, async || {
            let is = |step: &Step| {
                step.span.parent_span_id == of.span_id
                    && step.span.trace_id == of.trace_id
                    && step.span.name == name
                    && step.service.contains(&format!("\"{service}\""))
            };
            self.steps().into_iter().find(is).map(|step| step.span)
        })
        .await
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn attribute(span: &Told, name: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    format!("{:?}", found.unwrap_or_else(|| panic!("{name}: {span:?}")).value)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_trace_leads_from_a_webhook_by_a_rule_to_the_call_that_sends() {
    let dir = tempfile::tempdir().unwrap();
    let (nats, (collector, endpoint)) = (NatsServer::start().await, Collector::start().await);
    let (http, ports) = (free_port(), [(); 4].map(|()| free_port()));
    let graph = FakeGraph::builder().token(API_TOKEN).start().await.unwrap();
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let program = |(name, grpc): (&str, u16)| {
        let http = if name == "ingest" { http } else { free_port() };
        let settings = Settings::new(&nats.url(), &dir.path().join(name), "sled").listening(grpc, http);
        // A collector that is away is nothing to anybody.
        let endpoint = if name == "projection" { "http://127.0.0.1:1" } else { &endpoint };
        let text = format!(
            "{}[automation]\nticket_service = \"{}\"\n[traces]\nendpoint = \"{endpoint}\"\n\
             [[workspaces]]\nname = \"{WORKSPACE}\"\n[[channels]]\nkind = \"whatsapp\"\nworkspace = \"{WORKSPACE}\"\n\
             phone_number_id = \"{NUMBER}\"\napp_secret = \"{SECRET}\"\naccess_token = \"{API_TOKEN}\"\n\
             api_base = \"{}\"\n",
            settings.text(),
            url(ports[1]),
            graph.url(),
        );
        let file = dir.path().join(format!("{name}.toml"));
        std::fs::write(&file, text).unwrap();
        Program::start(name, &["--config", file.to_str().unwrap()], dir.path())
    };
    let names = ["ingest", "projection", "automation-engine", "delivery"];
    let mut programs: Vec<Program> = names.into_iter().zip(ports).map(program).collect();
    let command = |port: u16, arguments: &[&str]| {
        let done = run("threadmark", &[arguments, &["--server", &url(port), "--workspace", WORKSPACE]].concat());
        done.status.success().then_some(())
    };
    for (name, port) in names.into_iter().zip(ports) {
        eventually(&format!("{name} to be well"), DEADLINE, async || command(port, &["health"])).await;
    }
    let rules = dir.path().join("rules.yaml");
    std::fs::write(&rules, RULES).unwrap();
    command(ports[2], &["rules", "apply", "--file", rules.to_str().unwrap()]).expect("rules");

    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let parts = json!({"messaging_product": "whatsapp",
        "messages": [{"from": CUSTOMER, "id": "wamid.maya1", "timestamp": now.to_string(), "type": "text",
            "text": {"body": "I want a refund"}}],
        "contacts": [{"profile": {"name": "Maya"}, "wa_id": CUSTOMER}]});
    let sender = signed::Sender::new(&url(http), SECRET);
    sender.deliver(signed::body(&[signed::change("messages", NUMBER, &parts)])).await;
    eventually("the message at the channel", DEADLINE, async || (graph.sent_count() > 0).then_some(())).await;

    let webhook = eventually("the webhook's step", DEADLINE, async || {
        let taken = |step: &Step| step.span.name == "POST /webhooks" && step.span.parent_span_id.is_empty();
        collector.steps().into_iter().find(taken).map(|step| step.span)
    })
    .await;
    assert!(attribute(&webhook, "http.response.status_code").contains("200"));
    let fact = collector.child(&webhook, "ingest", "send EVENTS").await;
    assert!(attribute(&fact, "messaging.system").contains("nats"));
    let processed = collector.child(&fact, "automation-engine", "process EVENTS").await;
    let rule = collector.child(&processed, "automation-engine", "run rule").await;
    assert!(attribute(&rule, "threadmark.rule.name").contains("refunds"));
    let decision = collector.child(&rule, "automation-engine", "send EVENTS").await;
    let call = collector.child(&decision, "delivery", "POST").await;
    assert!(attribute(&call, "threadmark.channel.kind").contains("whatsapp"));
    collector.child(&call, "delivery", "send EVENTS").await;

    // A client's trace goes on in what it asks for.
    let mut tickets = TicketServiceClient::connect(url(ports[1])).await.unwrap();
    let asked = v1::ListConversationsRequest { workspace: WORKSPACE.to_owned(), ..Default::default() };
    let chat = tickets.list_conversations(asked).await.unwrap().into_inner().conversations.remove(0).id;
    let actor = v1::Actor { kind: v1::actor::Kind::Agent.into(), id: "ana".to_owned(), ..Default::default() };
    let mut note = Request::new(v1::AddNoteRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: chat,
        actor: Some(actor),
        text: "she sounded upset".to_owned(),
        ..Default::default()
    });
    note.metadata_mut().insert("traceparent", CLIENTS.parse().unwrap());
    ConversationServiceClient::connect(url(ports[0])).await.unwrap().add_note(note).await.unwrap();
    let client = Told { trace_id: hex(&CLIENTS[3..35]), span_id: hex(&CLIENTS[36..52]), ..Told::default() };
    let asked = collector.child(&client, "ingest", "threadmark.v1.ConversationService/AddNote").await;
    assert!(attribute(&asked, "rpc.system").contains("grpc"));
    collector.child(&asked, "ingest", "send EVENTS").await;

    let told = format!("{:?}", collector.0.lock().unwrap());
    let secrets = [CUSTOMER, "Maya", "refund\"", "I want", "A colleague", "upset", SECRET, API_TOKEN, "wamid"];
    for secret in secrets {
        assert!(!told.contains(secret), "a collector is told {secret:?}");
    }
    // The ends are in order, with a collector and without one.
    for program in &mut programs {
        program.interrupt();
        assert!(program.ended().await.success());
    }
}
