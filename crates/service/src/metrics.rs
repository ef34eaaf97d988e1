//! Where Prometheus reads what the process counts.

use std::net::SocketAddr;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::Supervisor;
use crate::config::{Config, ConfigError};

/// Why there are no metrics to read.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is taken, or not ours.
    #[error("can't listen on {address} for metrics: {source}. Is it in use? Set metrics.listen to another.")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// Answers `GET /metrics` where `metrics.listen` says, as a task that the supervisor watches. Where that is; `None` where
/// it says nothing.
///
/// # Errors
/// [`MetricsError`].
pub async fn serve_metrics(config: &Config, supervisor: &Supervisor) -> Result<Option<SocketAddr>, MetricsError> {
    let Some(address) = config.metrics.address()? else { return Ok(None) };
    let failed = |source| MetricsError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let listening = listener.local_addr().map_err(failed)?;
    let text = async || ([(CONTENT_TYPE, meter::CONTENT_TYPE)], meter::meter().text());
    let router = Router::new().route("/metrics", get(text));
    let shutdown = supervisor.shutdown().clone();
    supervisor.essential("metrics", async move {
        axum::serve(listener, router).with_graceful_shutdown(async move { shutdown.begun().await }).await
    });
    Ok(Some(listening))
}
