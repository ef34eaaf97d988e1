use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use service::status::refused;
use tokio::runtime::Handle;
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

/// Runs queries against the live view.
///
/// Mostly right where they are asked: a page takes some tens of microseconds from memory, less than to wake another
/// thread and to be woken by it. A query may have to wait for the disk all the same, so one worker of the runtime
/// always stays free of them, to serve everybody else; queries beyond that run on threads that may wait.
#[derive(Clone)]
pub(crate) struct Reads {
    live: Arc<Live>,
    turns: Arc<Semaphore>,
    /// Queries that may run on the workers of the runtime.
    here: Arc<Semaphore>,
}

impl Reads {
    pub(crate) fn new(live: Arc<Live>) -> Reads {
        let workers = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_workers());
        let here = Arc::new(Semaphore::new(workers.saturating_sub(1)));
        Reads { live, turns: Arc::new(Semaphore::new(AT_ONCE)), here }
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
        let answer = move || {
            let store = live.store();
            let answer = query(&*store.view());
            drop(turn);
            answer
        };
        let answer = match self.here.try_acquire() {
            Ok(_here) => catch_unwind(AssertUnwindSafe(answer)).map_err(|_| "it panicked".to_owned()),
            Err(_) => tokio::task::spawn_blocking(answer).await.map_err(|error| error.to_string()),
        };
        match answer {
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
