//! A projection inside the test.

use std::path::Path;
use std::time::Duration;

use bus::Bus;
use conversation::Revision;
use projection::{Engine, Options, Projection, QueryOptions};
use service::{Shutdown, Supervisor};
use testkit::eventually;

use crate::traffic::WORKSPACE;

pub(crate) const ENGINES: [Engine; 2] = [Engine::Sled, Engine::Fjall];

/// The longest that anything here may take on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct View {
    pub(crate) projection: Projection,
    supervisor: Supervisor,
}

impl View {
    pub(crate) async fn open(bus: Bus, dir: &Path, engine: Engine) -> View {
        let queries = QueryOptions::new([WORKSPACE.to_owned()]);
        let options = Options { dir: dir.to_owned(), engine, cache_bytes: 16 << 20, queries };
        let projection = Projection::open(bus, options).await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        projection.start(&supervisor);
        View { projection, supervisor }
    }

    pub(crate) async fn reaches(&self, revision: Revision) {
        let reached = async || (self.projection.applied() >= revision).then_some(());
        eventually("the view to come as far", LONG, reached).await;
    }

    /// The view is what a new one made from the same log would be.
    pub(crate) async fn verifies(&self) {
        let verified = self.projection.verify(Default::default()).await.unwrap();
        assert_eq!(verified.live, verified.rebuilt, "at revision {}", verified.revision);
    }

    /// Ends in order.
    pub(crate) async fn stop(self) {
        self.supervisor.shutdown().begin();
        assert!(self.supervisor.finish().await);
    }
}
