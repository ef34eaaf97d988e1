//! Webhooks over HTTP.

mod answer;
mod body;
mod listener;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bus::{Span, SpanKind, TraceParent};
use service::Shutdown;
use service::config::ChannelKind;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::intake::{Intake, Path};
use crate::options::HttpOptions;
use crate::signature::is_signature;
use answer::Answer;
use listener::Bounded;

/// Why webhooks are not served.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is taken, or not ours.
    #[error("can't listen on {address}: {source}. Is it in use? Choose another with --http.")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Serving ended.
    #[error("serving webhooks: {0}")]
    Serve(#[from] std::io::Error),
}

/// The address that channels call.
pub struct Webhooks {
    listener: TcpListener,
    router: Router,
}

struct Door {
    intake: Intake,
    options: HttpOptions,
    permits: Semaphore,
}

impl Webhooks {
    /// Takes the address.
    ///
    /// # Errors
    /// [`HttpError::Listen`].
    pub async fn bind(address: SocketAddr, intake: Intake, options: HttpOptions) -> Result<Webhooks, HttpError> {
        let listener = TcpListener::bind(address).await.map_err(|source| HttpError::Listen { address, source })?;
        Ok(Webhooks { listener, router: router(intake, options) })
    }

    /// Where it answers.
    ///
    /// # Errors
    /// [`HttpError::Serve`].
    pub fn address(&self) -> Result<SocketAddr, HttpError> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until shutdown begins and the requests under way have ended.
    ///
    /// # Errors
    /// [`HttpError::Serve`].
    pub async fn serve(self, shutdown: Shutdown) -> Result<(), HttpError> {
        let stop = async move { shutdown.begun().await };
        Ok(axum::serve(Bounded::new(self.listener), self.router).with_graceful_shutdown(stop).await?)
    }
}

fn router(intake: Intake, options: HttpOptions) -> Router {
    let permits = Semaphore::new(options.concurrency);
    Router::new()
        .route("/webhooks/{channel}", get(verify_bare).post(take_bare))
        .route("/webhooks/{channel}/{workspace}", get(verify_workspace).post(take_workspace))
        .route("/healthz", get(health))
        .with_state(Arc::new(Door { intake, options, permits }))
}

async fn health(State(door): State<Arc<Door>>) -> StatusCode {
    if door.intake.is_connected() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// What stands after the question mark, in order. Nothing of it is malformed: what is not known is not looked at.
type Asked = Query<Vec<(String, String)>>;

async fn verify_bare(
    State(door): State<Arc<Door>>,
    UrlPath(channel): UrlPath<String>,
    Query(asked): Asked,
) -> Response {
    verify(&door, &channel, Path::Bare, &asked)
}

async fn verify_workspace(
    State(door): State<Arc<Door>>,
    UrlPath((channel, workspace)): UrlPath<(String, String)>,
    Query(asked): Asked,
) -> Response {
    verify(&door, &channel, Path::Workspace(&workspace), &asked)
}

/// The channel asks whether the address is ours: who knows the token gets the challenge back, bare.
fn verify(door: &Door, channel: &str, path: Path<'_>, asked: &[(String, String)]) -> Response {
    let Some(kind) = ChannelKind::named(channel) else { return StatusCode::NOT_FOUND.into_response() };
    let of = |name: &str| asked.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let known = door.intake.verifies(kind, path, of("hub.verify_token"));
    if of("hub.mode") == "subscribe" && known {
        of("hub.challenge").to_owned().into_response()
    } else {
        Answer::Forbidden.into_response()
    }
}

async fn take_bare(State(door): State<Arc<Door>>, UrlPath(channel): UrlPath<String>, request: Request) -> Response {
    take(&door, &channel, Path::Bare, request).await
}

async fn take_workspace(
    State(door): State<Arc<Door>>,
    UrlPath((channel, workspace)): UrlPath<(String, String)>,
    request: Request,
) -> Response {
    take(&door, &channel, Path::Workspace(&workspace), request).await
}

async fn take(door: &Door, channel: &str, path: Path<'_>, request: Request) -> Response {
    let answer = match ChannelKind::named(channel) {
        Some(kind) => door.take(kind, path, request).await.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    };
    meter::meter().http_requests.one([answer.status().as_str()]);
    answer
}

impl Door {
    /// Takes a webhook. What is cheap to refuse is refused before its body is read, and a body is only held with a
    /// permit: so many at once, each bounded in size and time.
    async fn take(&self, kind: ChannelKind, path: Path<'_>, request: Request) -> Answer {
        let (parts, body) = request.into_parts();
        let Some(signature) = signature(&parts.headers) else { return Answer::NotSigned };
        let Ok(_permit) = self.permits.try_acquire() else { return Answer::Busy };
        if !self.intake.is_connected() {
            return Answer::Busy;
        }
        let body = match body::read(body, &parts.headers, &self.options).await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let mut span = span(kind, &parts.headers);
        let taking = self.intake.take(kind, path, signature, &body, span.trace());
        let answer = match tokio::time::timeout(self.options.work_deadline, taking).await {
            Ok(taken) => Answer::of(taken),
            Err(_) => {
                tracing::warn!(trace = %span.trace(), "taking a webhook took too long");
                Answer::Busy
            }
        };
        span.set("http.response.status_code", i64::from(answer.status().as_u16()));
        if answer.status().is_server_error() {
            span.failed("busy");
        }
        answer
    }
}

/// The only signature of a request, if it can be one.
fn signature(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all("x-hub-signature-256").iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    only.to_str().ok().filter(|header| is_signature(header))
}

/// The step that a webhook begins, in the trace of whoever sent it if they say one.
fn span(kind: ChannelKind, headers: &HeaderMap) -> Span {
    let given = headers.get(TraceParent::HEADER).and_then(|header| header.to_str().ok());
    let mut span = Span::start("POST /webhooks", SpanKind::Server, given.and_then(TraceParent::parse).as_ref());
    span.set("http.request.method", "POST");
    span.set("http.route", "/webhooks/{channel}");
    span.set("threadmark.channel.kind", kind.name());
    span
}
