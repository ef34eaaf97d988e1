//! The projection at work: it follows the log, answers queries, and verifies itself.

mod admin;
mod error;
mod fold;
mod follow;
mod measure;
mod rebuild;

use std::path::PathBuf;
use std::sync::Arc;

use bus::Bus;
use proto::v1::audit_service_server::AuditServiceServer;
use proto::v1::projection_service_server::ProjectionServiceServer;
use proto::v1::ticket_service_server::TicketServiceServer;
use service::config::Config;
use service::{MAX_REQUEST_BYTES, Shutdown, Supervisor};

use crate::audit::Audit;
use crate::query::{Queries, QueryOptions};
use crate::store::{Engine, Home, Options as StoreOptions};
use crate::view::live::Live;
use crate::view::rows::{PositionRow, SCHEMA};
use admin::Admin;

pub use error::Error;

/// What the projection has to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its store is.
    pub dir: PathBuf,
    /// The store underneath.
    pub engine: Engine,
    /// The store's cache, in bytes.
    pub cache_bytes: u64,
    /// The workspaces that exist.
    pub queries: QueryOptions,
}

impl Options {
    /// What the configuration says, with the store in `dir`.
    pub fn from_config(config: &Config, dir: PathBuf) -> Options {
        let engine = match config.projection.engine {
            service::config::Engine::Sled => Engine::Sled,
            service::config::Engine::Fjall => Engine::Fjall,
        };
        Options {
            dir,
            engine,
            cache_bytes: config.projection.cache_mb * 1024 * 1024,
            queries: QueryOptions::new(config.workspaces().into_keys()),
        }
    }
}

/// The view and what it is made from. Cheap to clone.
#[derive(Clone)]
pub struct Projection(Arc<Inner>);

struct Inner {
    bus: Bus,
    home: Home,
    live: Arc<Live>,
    options: Options,
}

impl Projection {
    /// Opens the store where it stands. A store that can't be read, or that stands on another log, is served as far
    /// as it can be until [`Projection::start`] has built a new one beside it.
    ///
    /// # Errors
    /// [`Error::Store`] when another process has the directory, or it can't be written.
    pub async fn open(bus: Bus, options: Options) -> Result<Projection, Error> {
        let opening = options.clone();
        let opened = tokio::task::spawn_blocking(move || -> Result<(Home, Arc<Live>), Error> {
            let store_options = StoreOptions { cache_bytes: opening.cache_bytes };
            let home = Home::open(&opening.dir, opening.engine, SCHEMA, store_options)?;
            let store = match home.live() {
                Err(error) if error.is_corrupt() => {
                    tracing::error!(%error, "the view can't be read, building it anew");
                    home.promote(home.draft()?)?
                }
                opened => opened?,
            };
            let position = follow::position(&*store)?;
            Ok((home, Live::new(store, position.revision)))
        });
        let (home, live) = opened.await.map_err(Error::panicked)??;
        Ok(Projection(Arc::new(Inner { bus, home, live, options })))
    }

    /// `TicketService`, ready to be served. Its watches end when `shutdown` begins.
    pub fn ticket_service(&self, shutdown: &Shutdown) -> TicketServiceServer<Queries<Bus>> {
        let inner = &self.0;
        let queries =
            Queries::new(inner.live.clone(), inner.bus.clone(), inner.options.queries.clone(), shutdown.clone());
        TicketServiceServer::new(queries).max_decoding_message_size(MAX_REQUEST_BYTES)
    }

    /// `AuditService`, ready to be served. Its readings end when `shutdown` begins.
    pub fn audit_service(&self, shutdown: &Shutdown) -> AuditServiceServer<Audit> {
        AuditServiceServer::new(Audit::new(self.0.bus.clone(), &self.0.options.queries, shutdown.clone()))
    }

    /// `ProjectionService`, ready to be served.
    pub fn projection_service(&self) -> ProjectionServiceServer<Admin> {
        ProjectionServiceServer::new(Admin::new(self.clone()))
    }

    /// Follows the log until shutdown begins.
    pub fn start(&self, supervisor: &Supervisor) {
        let (projection, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("projection", move || {
            let (projection, shutdown) = (projection.clone(), shutdown.clone());
            async move { projection.follow(&shutdown).await }
        });
        let (projection, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("measures of the view", move || {
            let (projection, shutdown) = (projection.clone(), shutdown.clone());
            async move { projection.measure(&shutdown).await }
        });
    }

    /// The newest event in the view.
    pub fn applied(&self) -> conversation::Revision {
        self.0.live.applied()
    }

    /// Bytes that the store takes on disk now.
    pub fn disk_bytes(&self) -> u64 {
        self.0.live.store().disk_bytes()
    }

    /// Whether the log still has, at the view's position, the event that the view found there.
    async fn stands_on_this_log(&self, position: &PositionRow) -> Result<bool, Error> {
        if position.revision == 0 {
            return Ok(true);
        }
        match self.0.bus.event_at(position.revision).await {
            Ok(found) => Ok(found.is_some_and(|event| event.id == position.event_id)),
            // An event that could not be read left no id.
            Err(bus::Error::Unreadable { .. }) => Ok(position.event_id.is_empty()),
            Err(error) => Err(error.into()),
        }
    }
}
