use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::layer::layer_fn;
use tower::util::MapResponseLayer;

use crate::grpc_meter::Metered;
use crate::{Certificates, Doors, Shutdown, unreadable};

/// The longest request: 16 MiB, room for a file of knowledge.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// The longest that an answer may take to begin: queries wait 10 s for a revision, commands 8 s for the bus.
const ANSWER: Duration = Duration::from_secs(20);
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Calls of one connection at once.
const CALLS: u32 = 1_024;

/// Why gRPC is not served.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The address is taken, or not ours.
    #[error("can't listen on {address}: {source}. Is it in use? Choose another with --grpc.")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Reflection could not be built.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Serving ended.
    #[error("serving gRPC: {0}")]
    Serve(#[from] tonic::transport::Error),
    /// The listener has no address.
    #[error("the listener: {0}")]
    Io(#[from] std::io::Error),
}

/// Says how things are that are no gRPC services themselves. Cheap to clone.
#[derive(Clone)]
pub struct Health(tonic_health::server::HealthReporter);

impl Health {
    /// Says whether a thing is well, under a name that can be asked for.
    pub async fn set(&self, name: &str, well: bool) {
        let status = if well { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
        self.0.set_service_status(name, status).await;
    }
}

/// The gRPC services that answer on one address, behind doors, with health and reflection.
pub struct Grpc {
    doors: Doors,
    routes: RoutesBuilder,
    health: tonic_health::server::HealthReporter,
    listener: TcpListener,
    certificates: Certificates,
}

impl Grpc {
    /// Takes the address.
    ///
    /// # Errors
    /// [`GrpcError::Listen`].
    pub async fn bind(address: SocketAddr, doors: Doors) -> Result<Grpc, GrpcError> {
        let listener = TcpListener::bind(address).await.map_err(|source| GrpcError::Listen { address, source })?;
        let (health, service) = tonic_health::server::health_reporter();
        let mut routes = RoutesBuilder::default();
        routes.add_service(service);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        routes.add_service(reflection.build_v1()?);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        routes.add_service(reflection.build_v1alpha()?);
        Ok(Grpc { doors, routes, health, listener, certificates: Certificates::default() })
    }

    /// The same, over TLS where there is a certificate.
    pub fn secured(self, certificates: &Certificates) -> Grpc {
        Grpc { certificates: certificates.clone(), ..self }
    }

    /// Where it answers.
    ///
    /// # Errors
    /// [`GrpcError::Io`].
    pub fn address(&self) -> Result<SocketAddr, GrpcError> {
        Ok(self.listener.local_addr()?)
    }

    /// What whoever asks for health is told.
    pub fn health(&self) -> Health {
        Health(self.health.clone())
    }

    /// Adds a service, and says that it is healthy.
    pub async fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.health.set_serving::<S>().await;
        self.routes.add_service(service);
    }

    /// Answers until shutdown begins and the calls under way have ended.
    ///
    /// # Errors
    /// [`GrpcError::Serve`].
    pub async fn serve(self, shutdown: Shutdown) -> Result<(), GrpcError> {
        self.health.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let mut server = Server::builder();
        if let Some(tls) = self.certificates.server() {
            server = server.tls_config(tls)?;
        }
        let server = server
            .layer(layer_fn(Metered::new))
            .layer(self.doors.layer())
            .layer(MapResponseLayer::new(unreadable::explain))
            .timeout(ANSWER)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .max_concurrent_streams(CALLS)
            .add_routes(self.routes.routes());
        let stop = async move { shutdown.begun().await };
        // The server's own setting of this is ignored for listeners that it did not make; without it, answers wait
        // up to 40 ms for the client to acknowledge their headers.
        let connections = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        Ok(server.serve_with_incoming_shutdown(connections, stop).await?)
    }
}
