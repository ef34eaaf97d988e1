//! Files of customers come in, uploaded ones go out, through a real bus.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Files};
use conversation::Settings;
use delivery::channel::whatsapp::WhatsApp;
use delivery::channel::{Advice, Channel, Outgoing, Recipient, Upload};
use delivery::media::{Find, Inbound, InboundOptions, WithFiles};
use proto::v1;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::get_media_response::Part;
use serde_json::json;
use service::{Config, Doors, Grpc, Shutdown};
use testkit::{FakeGraph, NatsServer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::transport;
use tonic::{Code, Status};

use crate::whatsapp::options;

const CHANNEL: &str = "whatsapp:106";
const MOST: usize = 500_000;

pub(crate) struct World {
    pub(crate) graph: FakeGraph,
    bus: Bus,
    pub(crate) grpc: Client,
    pub(crate) stop: watch::Sender<bool>,
    worker: JoinHandle<()>,
    _nats: NatsServer,
}

type Client = ConversationServiceClient<transport::Channel>;

async fn get(grpc: &mut Client, conversation: &str, id: &str) -> Result<(v1::MediaInfo, Vec<u8>), Status> {
    let (conversation_id, media_id) = (conversation.to_owned(), id.to_owned());
    let request = v1::GetMediaRequest { workspace: "acme".to_owned(), conversation_id, media_id };
    let mut parts = grpc.get_media(request).await?.into_inner();
    let Some(Part::Info(info)) = parts.message().await?.unwrap().part else { panic!("no info") };
    let mut bytes = Vec::new();
    while let Some(v1::GetMediaResponse { part: Some(Part::Data(data)) }) = parts.message().await? {
        bytes.extend_from_slice(&data);
    }
    Ok((info, bytes))
}

/// The bytes of a file, as soon as they can be had.
pub(crate) async fn get_until(grpc: &mut Client, conversation: &str, id: &str) -> Vec<u8> {
    testkit::eventually("a file", Duration::from_secs(20), async || get(grpc, conversation, id).await.ok()).await.1
}

pub(crate) fn media(id: &str, mime_type: &str) -> v1::Media {
    v1::Media { id: id.to_owned(), mime_type: mime_type.to_owned(), ..v1::Media::default() }
}

fn whatsapp(graph: &FakeGraph) -> Arc<dyn Channel> {
    Arc::new(WhatsApp::new(&options(graph)).unwrap())
}

impl World {
    /// Ingest's commands, and a worker that fetches files.
    pub(crate) async fn start() -> World {
        let (nats, graph) = (NatsServer::start().await, FakeGraph::builder().start().await.unwrap());
        let bus = Bus::connect(&bus::Options::new(nats.url())).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let workspaces: BTreeMap<String, Settings> = [("acme".to_owned(), Settings::default())].into();
        let ingest = ingest::Options { workspaces, ..ingest::Options::from_config(&Config::load(None).unwrap()) };
        let mut server = Grpc::bind("127.0.0.1:0".parse().unwrap(), Doors::open()).await.unwrap();
        let target = format!("http://{}", server.address().unwrap());
        server.add(ingest::conversation_service(bus.clone(), &ingest)).await;
        tokio::spawn(server.serve(Shutdown::new()));
        let (stop, _) = watch::channel(false);
        let grpc = ConversationServiceClient::connect(target).await.unwrap();
        let mut world = World { graph, bus, grpc, stop, worker: tokio::spawn(async {}), _nats: nats };
        world.work().await;
        world
    }

    /// A process that fetches, in place of the one before, which is killed.
    pub(crate) async fn work(&mut self) {
        self.worker.abort();
        let channel = whatsapp(&self.graph);
        let find: Find =
            Arc::new(move |workspace, address| (workspace == "acme" && address == CHANNEL).then(|| channel.clone()));
        let options = InboundOptions { max_bytes: MOST };
        let inbound = Inbound::new(self.bus.clone(), Files::new(self.bus.clone(), None), find, options);
        inbound.prepare().await.unwrap();
        let stopping = self.stop.subscribe();
        self.worker = tokio::spawn(async move { drop(inbound.work(stopping).await) });
    }

    /// A customer sends a file; answers the conversation.
    pub(crate) async fn receive(&mut self, kind: &str, media: v1::Media) -> String {
        let message = v1::ReceivedMessage {
            id: format!("wamid.{}", media.id),
            r#type: kind.to_owned(),
            media: Some(media),
            ..v1::ReceivedMessage::default()
        };
        let request = v1::ReceiveMessageRequest {
            workspace: "acme".to_owned(),
            channel: CHANNEL.to_owned(),
            contact: Some(v1::Contact { id: "4915".to_owned(), ..v1::Contact::default() }),
            message: Some(message),
            ..v1::ReceiveMessageRequest::default()
        };
        self.grpc.receive_message(request).await.unwrap().into_inner().conversation_id
    }

    pub(crate) async fn get(&mut self, conversation: &str, id: &str) -> Result<(v1::MediaInfo, Vec<u8>), Status> {
        get(&mut self.grpc, conversation, id).await
    }

    /// Waits until something is known of a file.
    pub(crate) async fn settled(&mut self, conversation: &str, id: &str) -> Result<(v1::MediaInfo, Vec<u8>), Status> {
        testkit::eventually("a file", Duration::from_secs(20), async || {
            Some(self.get(conversation, id).await).filter(|got| !matches!(got, Err(s) if s.code() == Code::NotFound))
        })
        .await
    }
}

#[tokio::test]
async fn what_a_customer_sends_is_fetched_and_can_be_read() {
    let mut world = World::start().await;
    let picture = vec![7; 300_000];
    let id = world.graph.put_media("image/jpeg", picture.clone());
    let conversation = world.receive("image", media(&id, "image/jpeg")).await;
    let (info, bytes) = world.settled(&conversation, &id).await.unwrap();
    assert_eq!((info.mime_type.as_str(), info.size, bytes), ("image/jpeg", 300_000, picture));
    world.stop.send_replace(true);
}

#[tokio::test]
async fn what_is_not_what_it_is_said_to_be_is_refused_in_words() {
    let mut world = World::start().await;
    let cases = [
        (world.graph.put_media("image/png", vec![1; MOST + 1]), "image/png", "too large"),
        (
            world.graph.put_false_media("image/png", vec![1; MOST + 1], json!({ "file_size": 5 })),
            "image/png",
            "too long",
        ),
        (world.graph.put_false_media("image/png", "abc", json!({ "sha256": "00".repeat(32) })), "image/png", "SHA-256"),
        (world.graph.put_media("text/html", "<script>"), "image/png", "announced"),
        (world.graph.put_media("text/html", "<script>"), "", "no type"),
        (world.graph.put_false_media("image/png", "abc", json!({ "url": "https://example.com/x" })), "", "elsewhere"),
        ("unknown".to_owned(), "image/png", "100"),
    ];
    for (id, mime_type, why) in cases {
        let conversation = world.receive("image", media(&id, mime_type)).await;
        let refused = world.settled(&conversation, &id).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains(why), "{why}: {refused}");
    }
}

#[tokio::test]
async fn a_channel_that_is_away_is_asked_again() {
    let mut world = World::start().await;
    let id = world.graph.put_media("image/png", "abc");
    world.graph.expire_token();
    let conversation = world.receive("image", media(&id, "image/png")).await;
    testkit::eventually("a refusal", Duration::from_secs(20), async || world.graph.refused().get(&190).copied()).await;
    world.graph.set_token("token");
    assert_eq!(world.settled(&conversation, &id).await.unwrap().1, b"abc");
}

#[tokio::test]
async fn an_uploaded_file_goes_to_the_channel_when_it_is_sent() {
    let mut world = World::start().await;
    let conversation = world.receive("text", v1::Media::default()).await;
    let upload = v1::UploadMediaRequest {
        workspace: "acme".to_owned(),
        conversation_id: conversation.clone(),
        mime_type: "application/pdf".to_owned(),
        file_name: "bill \"1\".pdf".to_owned(),
        data: vec![9; 200_000].into(),
        ..v1::UploadMediaRequest::default()
    };
    let id = world.grpc.upload_media(upload).await.unwrap().into_inner().media_id;
    let channel = WithFiles::new(whatsapp(&world.graph), Files::new(world.bus.clone(), None), "acme");
    let send = |id: &str| Outgoing {
        to: Recipient::Number("4915".to_owned()),
        message: v1::Message { r#type: "document".to_owned(), media: Some(media(id, "")), ..v1::Message::default() },
        reply_to: String::new(),
        message_id: format!("{conversation}-m1"),
    };
    channel.send(&send(&id)).await.unwrap();
    channel.send(&send(&id)).await.unwrap();
    let sent: Vec<String> =
        world.graph.sent().iter().map(|sent| sent.body()["document"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((world.graph.media_count(), &sent[0]), (1, &sent[1]));
    let (mime_type, bytes) = world.graph.media(&sent[0]).unwrap();
    assert_eq!((mime_type.as_str(), bytes.as_ref()), ("application/pdf", &[9; 200_000][..]));
    // What the channel refuses is uploaded anew, and what was never uploaded is not sent.
    world.graph.next(testkit::Which::any(), 1, testkit::Act::error(131_053));
    assert_eq!(channel.send(&send(&id)).await.unwrap_err().advice, Advice::Retry);
    channel.send(&send(&id)).await.unwrap();
    assert_eq!(world.graph.media_count(), 2);
    assert_eq!(channel.send(&send("tm-unknown")).await.unwrap_err().advice, Advice::Reword);
    world.graph.expire_token();
    let other = WithFiles::new(whatsapp(&world.graph), Files::new(world.bus.clone(), None), "acme");
    assert_eq!(other.send(&send(&id)).await.unwrap_err().advice, Advice::StopChannel);
}

#[tokio::test]
async fn an_upload_with_a_strange_name_is_refused_here() {
    let graph = FakeGraph::builder().start().await.unwrap();
    let file = Upload { mime_type: "image/png\r\nX: y".to_owned(), file_name: String::new(), bytes: vec![1] };
    assert_eq!(whatsapp(&graph).upload(&file).await.unwrap_err().advice, Advice::Reword);
    assert_eq!(graph.calls(), 0);
}
