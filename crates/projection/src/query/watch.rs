//! What was missed, then what comes, with heartbeats between.
//!
//! A watch holds no events: it holds a place in the log, and reads what changed behind it from the store, up to a
//! revision that is known to be there. So a slow client costs a later read, never memory, and between what was missed
//! and what comes there is neither a gap nor a double.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use service::Shutdown;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::reads::Reads;
use crate::view::live::Commit;

/// The answers of a watch.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What is watched.
pub(crate) trait Feed: Send + 'static {
    /// One answer.
    type Answer: Send + 'static;

    /// Some of what happened behind the feed's place up to a revision, in order; the place moves on. The flag says
    /// whether there may be more.
    fn next(&mut self, through: u64) -> impl Future<Output = Result<(Vec<Self::Answer>, bool), Status>> + Send;

    /// Whether a commit may have changed what is watched.
    fn concerns(&self, commit: &Commit) -> bool;

    /// Says that nothing else happened up to a revision.
    fn heartbeat(&self, through: u64) -> Self::Answer;
}

/// Watches a feed until the client goes or shutdown begins.
pub(crate) fn watch<F: Feed>(feed: F, reads: &Reads, shutdown: Shutdown, pause: Duration) -> Answers<F::Answer> {
    // First the commits, then how far the store has come: nothing falls between the two.
    let commits = reads.live().commits();
    let through = reads.live().applied();
    let ready = VecDeque::new();
    let reads = reads.clone();
    let silent_until = Instant::now() + pause;
    let watch = Watch { feed, reads, shutdown, commits, pause, silent_until, through, behind: true, ready };
    Box::pin(futures::stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(Some(answer)) => Some((Ok(answer), Some(watch))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    }))
}

struct Watch<F: Feed> {
    feed: F,
    reads: Reads,
    shutdown: Shutdown,
    commits: broadcast::Receiver<Arc<Commit>>,
    pause: Duration,
    /// When a heartbeat is due.
    silent_until: Instant,
    /// The store has everything up to here.
    through: u64,
    /// Whether the feed may have more up to there.
    behind: bool,
    /// A chunk on its way to the client.
    ready: VecDeque<F::Answer>,
}

impl<F: Feed> Watch<F> {
    /// The next answer; `None` when shutdown begins.
    async fn next(&mut self) -> Result<Option<F::Answer>, Status> {
        loop {
            if self.shutdown.is_begun() {
                return Ok(None);
            }
            if let Some(answer) = self.ready.pop_front() {
                self.silent_until = Instant::now() + self.pause;
                return Ok(Some(answer));
            }
            if self.behind {
                let (chunk, more) = self.feed.next(self.through).await?;
                (self.ready, self.behind) = (chunk.into(), more);
                continue;
            }
            tokio::select! {
                () = self.shutdown.begun() => return Ok(None),
                commit = self.commits.recv() => {
                    if !self.heard(commit) {
                        return Ok(None);
                    }
                }
                () = sleep_until(self.silent_until) => {
                    self.silent_until = Instant::now() + self.pause;
                    return Ok(Some(self.feed.heartbeat(self.through)));
                }
            }
        }
    }

    /// `false` when there will be no more commits.
    fn heard(&mut self, commit: Result<Arc<Commit>, RecvError>) -> bool {
        match commit {
            Ok(commit) if commit.rebuilt => (self.through, self.behind) = (commit.revision, true),
            // Read already.
            Ok(commit) if commit.revision <= self.through => {}
            Ok(commit) => (self.through, self.behind) = (commit.revision, self.feed.concerns(&commit)),
            Err(RecvError::Lagged(_)) => (self.through, self.behind) = (self.reads.live().applied(), true),
            Err(RecvError::Closed) => return false,
        }
        true
    }
}
