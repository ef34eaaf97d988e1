use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::Redirect;
use axum::routing::{get, post};
use service::Shutdown;
use tokio::net::TcpListener;

use crate::inbox::Changes;
use crate::services::Services;
use crate::session::Sessions;
use crate::{Options, assets, bot, chat, dashboard, failure, guard, inbox, rules, sign_in};

/// The longest form: a draft of rules may have 1 MiB, and grows when it is encoded.
const MAX_FORM_BYTES: usize = 4 * 1024 * 1024;

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
    router: Router,
    shutdown: Shutdown,
}

impl Console {
    /// Takes the address. Live pages end when `shutdown` begins.
    ///
    /// # Errors
    /// [`ConsoleError::Listen`], [`ConsoleError::Services`].
    pub async fn bind(address: SocketAddr, options: Options, shutdown: Shutdown) -> Result<Console, ConsoleError> {
        let listener = TcpListener::bind(address).await.map_err(|source| ConsoleError::Listen { address, source })?;
        let services = Services::at(&options.services)?;
        let sessions = Sessions::new(&options.sessions);
        let app =
            Arc::new(App { services, sessions, options, shutdown: shutdown.clone(), changes: Changes::default() });
        Ok(Console { listener, router: router(app), shutdown })
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
        let stop = async move { self.shutdown.begun().await };
        Ok(axum::serve(self.listener, self.router).with_graceful_shutdown(stop).await?)
    }
}

fn router(app: Shared) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/assets/{name}", get(assets::serve))
        .route("/", get(|| async { Redirect::to("/inbox") }))
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/inbox", get(inbox::show))
        .route("/inbox/list", get(inbox::list))
        .route("/inbox/live", get(inbox::live))
        .route("/c/{conversation}", get(chat::show))
        .route("/c/{conversation}/{what}", post(chat::act))
        .route("/c/{conversation}/media", post(chat::media::attach).layer(DefaultBodyLimit::max(chat::media::MAX_FILE)))
        .route("/c/{conversation}/media/{media}", get(chat::media::show))
        .route("/c/{conversation}/entries", get(chat::entries))
        .route("/c/{conversation}/panel", get(chat::panel))
        .route("/c/{conversation}/live", get(chat::live))
        .route("/dashboard", get(dashboard::show))
        .route("/tickets", get(dashboard::tickets))
        .route("/tickets.csv", get(dashboard::csv))
        .route("/tickets.jsonl", get(dashboard::jsonl))
        .route("/rules", get(rules::show).post(rules::apply))
        .route("/rules/backtest", post(rules::backtest))
        .route("/bot", get(bot::show).post(bot::answer))
        .fallback(failure::nothing_here)
        .layer(from_fn(guard::guard))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(app)
}
