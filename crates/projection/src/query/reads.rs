use std::sync::Arc;
use std::time::Duration;

use service::status::refused;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};

use super::read::failed;
use crate::store::View;
use crate::view::error::Error;
use crate::view::live::Live;

/// Queries that read the store at once; others wait.
const AT_ONCE: usize = 32;
/// How long a query waits for its turn: longer than any of those before it takes.
const TURN: Duration = Duration::from_secs(5);
/// How long a query waits for the revision that it asked for.
const REVISION: Duration = Duration::from_secs(10);

/// Runs queries against the live view, on threads that may wait for the disk.
#[derive(Clone)]
pub(crate) struct Reads {
    live: Arc<Live>,
    turns: Arc<Semaphore>,
}

impl Reads {
    pub(crate) fn new(live: Arc<Live>) -> Reads {
        Reads { live, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// Answers from one picture of the store.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED when no turn came, INTERNAL when the store can't be read.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn View) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Status> {
        let turn = timeout(TURN, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(refused(
                Code::ResourceExhausted,
                "TOO_MANY_QUERIES",
                "",
                "too many queries at once: try again",
            ));
        };
        let live = self.live.clone();
        let run = tokio::task::spawn_blocking(move || {
            let store = live.store();
            let answer = query(&*store.view());
            drop(turn);
            answer
        });
        match run.await {
            Ok(answer) => answer.map_err(|error| failed(&error)),
            Err(error) => {
                tracing::error!(%error, "query was not finished");
                Err(refused(Code::Internal, "QUERY_FAILED", "", "the query failed: the log of the projection says why"))
            }
        }
    }

    /// Returns once the view has applied a revision; at once for 0.
    ///
    /// # Errors
    /// DEADLINE_EXCEEDED after 10 s.
    pub(crate) async fn wait_for(&self, revision: u64) -> Result<(), Status> {
        let waited = self.live.wait_for(revision, Instant::now() + REVISION).await;
        waited.map_err(|behind| {
            let description = format!("min_revision: {behind}: try again, or look whether the projection is running");
            refused(Code::DeadlineExceeded, "VIEW_BEHIND", "", description)
        })
    }
}
