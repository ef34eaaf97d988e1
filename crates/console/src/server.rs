use std::convert::Infallible;
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::Redirect;
use axum::routing::{get, post};
use service::Shutdown;
use tokio::net::TcpListener;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::inbox::Changes;
use crate::services::Services;
use crate::session::Sessions;
use crate::{Options, assets, bot, chat, dashboard, failure, guard, inbox, me, rules, sign_in};

/// The longest form: a draft of rules may have 1 MiB, and grows when it is encoded.
const MAX_FORM_BYTES: usize = 4 * 1024 * 1024;
/// How often sessions whose time is over are looked for.
const SWEEP: Duration = Duration::from_secs(3_600);

/// Why the page is not served.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The address is taken, or not ours.
    #[error("can't listen on {address}: {source}. Is it in use? Choose another with --console.")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// What should be the address of the services is none.
    #[error("console.services is no address: {0}. It looks like http://127.0.0.1:7070.")]
    Services(#[from] tonic::transport::Error),
    /// Serving ended.
    #[error("serving the console: {0}")]
    Serve(#[from] std::io::Error),
}

/// What every page is made from.
pub(crate) struct App {
    /// Asked without a token: each person's own are in [`crate::session::Who`].
    pub(crate) services: Services,
    pub(crate) sessions: Sessions,
    pub(crate) options: Options,
    pub(crate) shutdown: Shutdown,
    pub(crate) changes: Changes,
}

/// [`App`], as handlers get it.
pub(crate) type Shared = Arc<App>;

/// The page, on its address.
pub struct Console {
    listener: TcpListener,
    app: Shared,
}

impl Console {
    /// Takes the address. Live pages end when `shutdown` begins.
    ///
    /// # Errors
    /// [`ConsoleError::Listen`], [`ConsoleError::Services`].
    pub async fn bind(address: SocketAddr, options: Options, shutdown: Shutdown) -> Result<Console, ConsoleError> {
        let listener = TcpListener::bind(address).await.map_err(|source| ConsoleError::Listen { address, source })?;
        let services = Services::at(&options.services, &options.certificates)?;
        let sessions = Sessions::new(&options.sessions);
        let app = Arc::new(App { services, sessions, options, shutdown, changes: Changes::default() });
        Ok(Console { listener, app })
    }

    /// Where it answers.
    ///
    /// # Errors
    /// [`ConsoleError::Serve`].
    pub fn address(&self) -> Result<SocketAddr, ConsoleError> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until shutdown begins and the requests under way have ended.
    ///
    /// # Errors
    /// [`ConsoleError::Serve`].
    pub async fn serve(self) -> Result<(), ConsoleError> {
        let shutdown = self.app.shutdown.clone();
        let stop = async move { shutdown.begun().await };
        let serving = axum::serve(self.listener, router(Arc::clone(&self.app))).with_graceful_shutdown(stop);
        tokio::select! {
            served = serving.into_future() => Ok(served?),
            never = sweep(self.app) => match never {},
        }
    }
}

/// Forgets sessions whose time is over.
async fn sweep(app: Shared) -> Infallible {
    loop {
        tokio::time::sleep(SWEEP).await;
        let app = Arc::clone(&app);
        if let Err(error) = tokio::task::spawn_blocking(move || app.sessions.sweep()).await {
            tracing::warn!(%error, "sessions could not be swept");
        }
    }
}

/// What people go to. It is compressed.
///
/// That tells no secret by its length (BREACH): cookies are SameSite=Strict, so nobody else's page makes a browser ask for
/// one of these as somebody who signed in, and none holds what would let anybody in. What a message of a customer makes
/// open pages ask for by themselves is in [`live`], which is sent as it is.
fn pages() -> Router<Shared> {
    // Pages are made anew each time, so time counts more than the last tenth of the bytes.
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(
        // Progress is told line by line, and a compressor would wait for more.
        DefaultPredicate::new().and(NotForContentType::const_new("application/x-ndjson")),
    );
    Router::new()
        .route("/assets/{name}", get(assets::serve))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/inbox", get(inbox::show))
        .route("/c/{conversation}", get(chat::show))
        .route("/c/{conversation}/entries", get(chat::entries))
        .route("/dashboard", get(dashboard::show))
        .route("/tickets", get(dashboard::tickets))
        .route("/tickets.csv", get(dashboard::csv))
        .route("/tickets.jsonl", get(dashboard::jsonl))
        .route("/rules", get(rules::show).post(rules::apply))
        .route("/rules/backtest", post(rules::backtest))
        .route("/bot", get(bot::show).post(bot::answer))
        .route("/me", get(me::show))
        .layer(compression)
}

/// What open pages ask for, what people do, and files.
fn live() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/", get(|| async { Redirect::to("/inbox") }))
        .route("/sign-out", post(sign_in::leave))
        .route("/language", post(me::speak))
        .route("/inbox/list", get(inbox::list))
        .route("/inbox/live", get(inbox::live))
        .route("/c/{conversation}/{what}", post(chat::act))
        .route("/c/{conversation}/media", post(chat::media::attach).layer(DefaultBodyLimit::max(chat::media::MAX_FILE)))
        .route("/c/{conversation}/media/{media}", get(chat::media::show))
        .route("/c/{conversation}/panel", get(chat::panel))
        .route("/c/{conversation}/live", get(chat::live))
}

fn router(app: Shared) -> Router {
    pages()
        .merge(live())
        .fallback(failure::nothing_here)
        .layer(from_fn(guard::guard))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(app)
}
