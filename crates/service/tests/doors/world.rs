use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bus::{Bus, Options};
use prost::Message;
use prost_types::FileDescriptorSet;
use proto::v1;
use proto::v1::token::Role;
use service::access::{NewToken, TokenBook, Tokens};
use service::{Config, Doors, Grpc, Secret, Shutdown, Supervisor};
use testkit::NatsServer;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::metadata::MetadataValue;
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A server whose every method says that it was reached.
pub(crate) struct World {
    pub(crate) tokens: Tokens,
    pub(crate) bus: Bus,
    pub(crate) nats: NatsServer,
    pub(crate) reached: Arc<AtomicUsize>,
    channel: Channel,
    _supervisor: Supervisor,
}

impl World {
    pub(crate) async fn start() -> World {
        World::with(|_| {}).await
    }

    pub(crate) async fn with(set: impl FnOnce(&mut Config)) -> World {
        let nats = NatsServer::start().await;
        let bus = Bus::connect(&Options::new(nats.url())).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let mut config = Config::load(None).unwrap();
        set(&mut config);
        let supervisor = Supervisor::new(Shutdown::new());
        let book = TokenBook::read(bus.clone(), &config.access).await.unwrap();
        book.follow(&supervisor);
        let mut grpc = Grpc::bind("127.0.0.1:0".parse().unwrap(), Doors::kept(book)).await.unwrap();
        let reached = Arc::new(AtomicUsize::new(0));
        stand_ins(&mut grpc, &reached).await;
        let channel = Channel::from_shared(format!("http://{}", grpc.address().unwrap())).unwrap().connect_lazy();
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        World { tokens: Tokens::of(&bus), bus, nats, reached, channel, _supervisor: supervisor }
    }

    pub(crate) async fn token(&self, workspace: &str, role: Role) -> Secret {
        self.made(workspace, role).await.1
    }

    pub(crate) async fn made(&self, workspace: &str, role: Role) -> (v1::Token, Secret) {
        let agent_id = if role == Role::Agent { "ana" } else { "" };
        let new = NewToken {
            workspace: workspace.to_owned(),
            name: format!("{role:?}"),
            role,
            agent_id: agent_id.to_owned(),
            ..NewToken::default()
        };
        self.tokens.create(new).await.unwrap()
    }

    /// Calls a method with a message, and the metadata `authorization` if any is given.
    pub(crate) async fn call(
        &self,
        path: &str,
        message: Vec<u8>,
        authorization: Option<&str>,
    ) -> Result<Vec<u8>, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut request = tonic::Request::new(message);
        request.set_timeout(DEADLINE);
        if let Some(text) = authorization {
            request.metadata_mut().insert("authorization", MetadataValue::try_from(text).unwrap());
        }
        let path = tonic::codegen::http::uri::PathAndQuery::try_from(path).unwrap();
        Ok(client.unary(request, path, Raw).await?.into_inner())
    }

    /// The same with a token.
    pub(crate) async fn with_token(
        &self,
        path: &str,
        message: &impl Message,
        token: &Secret,
    ) -> Result<Vec<u8>, Status> {
        self.call(path, message.encode_to_vec(), Some(&format!("Bearer {}", token.expose()))).await
    }

    /// A query of a workspace.
    pub(crate) async fn ask(&self, workspace: &str, token: &Secret) -> Result<(), Status> {
        let request = v1::GetTicketRequest { workspace: workspace.to_owned(), ..v1::GetTicketRequest::default() };
        self.with_token("/threadmark.v1.TicketService/GetTicket", &request, token).await.map(drop)
    }
}

/// The code and the reason of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    (status.code(), reason)
}

/// Every method of the contract: its path, and its request's fields by name.
pub(crate) fn contract() -> Vec<(String, Vec<String>)> {
    let files = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap().file;
    let ours: Vec<_> = files.into_iter().filter(|file| file.package() == "threadmark.v1").collect();
    let fields = |kind: &str| {
        let message =
            ours.iter().flat_map(|file| &file.message_type).find(|m| kind.ends_with(&format!(".{}", m.name())));
        message.unwrap().field.iter().map(|field| field.name().to_owned()).collect()
    };
    let services = ours.iter().flat_map(|file| &file.service);
    let methods = services.flat_map(|s| s.method.iter().map(move |method| (s.name().to_owned(), method.clone())));
    methods
        .map(|(service, method)| (format!("/threadmark.v1.{service}/{}", method.name()), fields(method.input_type())))
        .collect()
}

/// Bytes as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(to, &item);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(from);
        Ok(Some(bytes::Buf::copy_to_bytes(from, length).to_vec()))
    }
}

/// Answers with the request, as it came through the doors.
macro_rules! stand_ins {
    ($($name:ident)*) => {
        $(
            #[derive(Clone)]
            struct $name(Arc<AtomicUsize>);

            impl NamedService for $name {
                const NAME: &'static str = concat!("threadmark.v1.", stringify!($name));
            }

            impl Service<Request<Body>> for $name {
                type Response = Response<Body>;
                type Error = Infallible;
                type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

                fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
                    std::task::Poll::Ready(Ok(()))
                }

                fn call(&mut self, request: Request<Body>) -> Self::Future {
                    self.0.fetch_add(1, Ordering::SeqCst);
                    Box::pin(async move { Ok(echo(request)) })
                }
            }
        )*

        async fn stand_ins(grpc: &mut Grpc, reached: &Arc<AtomicUsize>) {
            $(grpc.add($name(reached.clone())).await;)*
        }
    };
}

stand_ins!(AccessService AuditService AutomationService BotService ContactService ConversationService DirectoryService
    ProjectionService TicketService WebhookService);

/// Watches go on for ever.
fn echo(request: Request<Body>) -> Response<Body> {
    let watches = request.uri().path().ends_with("WatchTickets");
    let body = match watches {
        true => Body::new(Endless),
        false => Body::new(Ending(Some(request.into_body()))),
    };
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

struct Endless;

impl http_body::Body for Endless {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Status>>> {
        std::task::Poll::Pending
    }
}

/// A body, and behind it that all went well.
struct Ending(Option<Body>);

impl http_body::Body for Ending {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Status>>> {
        use std::task::{Poll, ready};
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        match ready!(std::pin::Pin::new(body).poll_frame(cx)) {
            Some(frame) => Poll::Ready(Some(frame)),
            None => {
                self.0 = None;
                let mut trailers = tonic::codegen::http::HeaderMap::new();
                trailers.insert("grpc-status", "0".parse().unwrap());
                Poll::Ready(Some(Ok(http_body::Frame::trailers(trailers))))
            }
        }
    }
}
