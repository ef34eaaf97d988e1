//! `BotService` in this process, as often as a test wants.

use bot::{Library, Options, bot_service};
use bus::Bus;
use proto::v1;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::knowledge_document::Format;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use testkit::NatsServer;
use tonic::transport::Channel;

/// The largest index is built by then, on a busy machine and without optimization.
const BUILT: std::time::Duration = std::time::Duration::from_secs(120);
pub(crate) const WORKSPACE: &str = "acme";

pub(crate) struct World {
    pub(crate) nats: NatsServer,
    pub(crate) bot: BotServiceClient<Channel>,
    _supervisor: Supervisor,
}

pub(crate) async fn world() -> World {
    let nats = NatsServer::start().await;
    let (bot, supervisor) = serve(&nats).await;
    World { nats, bot, _supervisor: supervisor }
}

/// One more process: it shares nothing with others but the bus.
pub(crate) async fn serve(nats: &NatsServer) -> (BotServiceClient<Channel>, Supervisor) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("threadmark.toml");
    let text = format!(
        "[nats]\nurl = {:?}\n[grpc]\nlisten = \"127.0.0.1:0\"\n[[workspaces]]\nname = {WORKSPACE:?}\n[[workspaces]]\nname = \"other\"\n",
        nats.url()
    );
    std::fs::write(&file, text).unwrap();
    let config = Config::load(Some(&file)).unwrap();
    let bus = Bus::connect(&config.bus(&nats.url(), "bot")).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let supervisor = Supervisor::new(Shutdown::new());
    let library = Library::new(bus.clone());
    library.start(&supervisor);
    let mut grpc = Grpc::bind(config.grpc.listen, Doors::open()).await.unwrap();
    let address = format!("http://{}", grpc.address().unwrap());
    grpc.add(bot_service(bus, library, Options::from_config(&config))).await;
    supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
    let channel = Channel::from_shared(address).unwrap().connect_lazy();
    (BotServiceClient::new(channel).max_encoding_message_size(32 << 20), supervisor)
}

pub(crate) fn document(name: &str, format: Format, data: impl Into<Vec<u8>>) -> v1::ImportKnowledgeRequest {
    v1::ImportKnowledgeRequest {
        workspace: WORKSPACE.to_owned(),
        name: name.to_owned(),
        format: format.into(),
        data: data.into().into(),
        ..Default::default()
    }
}

impl World {
    pub(crate) async fn import(
        &mut self,
        name: &str,
        format: Format,
        data: impl Into<Vec<u8>>,
    ) -> v1::KnowledgeDocument {
        let answer = self.bot.import_knowledge(document(name, format, data)).await;
        answer.unwrap().into_inner().document.unwrap()
    }

    /// What is wrong with a document, as `line:column reason`.
    pub(crate) async fn mistakes(&mut self, format: Format, data: impl Into<Vec<u8>>) -> Vec<String> {
        use tonic_types::StatusExt;
        let refused = self.bot.import_knowledge(document("wrong", format, data)).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
        let violations = refused.get_details_bad_request().unwrap().field_violations;
        violations.into_iter().map(|it| format!("{} {}", it.field, it.description)).collect()
    }

    pub(crate) async fn ask(&mut self, text: &str) -> v1::AnswerResponse {
        ask(&mut self.bot, text).await
    }
}

/// Asks, and asks again as long as what was imported last is not in force yet: a large index takes its time to build.
pub(crate) async fn ask(bot: &mut BotServiceClient<Channel>, text: &str) -> v1::AnswerResponse {
    let request =
        v1::AnswerRequest { workspace: WORKSPACE.to_owned(), text: text.to_owned(), ..v1::AnswerRequest::default() };
    let deadline = tokio::time::Instant::now() + BUILT;
    loop {
        match bot.answer(request.clone()).await {
            Err(status) if may_pass(&status) && tokio::time::Instant::now() < deadline => {}
            answer => return answer.unwrap().into_inner(),
        }
    }
}

/// Each such answer took 20 s to come.
fn may_pass(status: &tonic::Status) -> bool {
    matches!(status.code(), tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Cancelled)
}

/// What is said, or why it is handed off.
pub(crate) fn outcome(answer: &v1::AnswerResponse) -> String {
    use proto::v1::answer_response::Outcome;
    match answer.outcome.as_ref().unwrap() {
        Outcome::Reply(reply) => reply.text.clone(),
        Outcome::Handoff(handoff) => format!("{:?}", handoff.reason()),
    }
}
