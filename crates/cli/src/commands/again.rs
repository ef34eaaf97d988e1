//! Streams that are cut off, and connecting again.

use std::time::Duration;

use tonic::{Code, Status};

use crate::failure::Failure;
use crate::session::Session;

/// Pauses before connecting again: the first and the longest.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Heartbeats come every 15 s: four missing ones mean that the connection is dead, whatever it says.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a stream ended.
pub(super) enum Cut {
    /// The server is away or has lost its patience.
    Status(Status),
    /// Nothing was heard.
    Silent,
    /// It can't go on.
    Failed(Failure),
}

impl Cut {
    /// For who does not try again.
    pub(super) fn failure(self, session: &Session) -> Failure {
        match self {
            Cut::Failed(failure) => failure,
            Cut::Status(status) => session.failure(status),
            Cut::Silent => session.failure(Status::unavailable("nothing was heard for a minute")),
        }
    }
}

impl From<Status> for Cut {
    fn from(status: Status) -> Cut {
        Cut::Status(status)
    }
}

impl From<Failure> for Cut {
    fn from(failure: Failure) -> Cut {
        Cut::Failed(failure)
    }
}

/// The next message, unless it takes suspiciously long.
pub(super) async fn next<T>(stream: &mut tonic::Streaming<T>) -> Result<T, Cut> {
    let message = next_or_end(stream).await?;
    message.ok_or_else(|| Cut::Status(Status::unavailable("the server ended the stream")))
}

/// The same of a stream that may end.
pub(super) async fn next_or_end<T>(stream: &mut tonic::Streaming<T>) -> Result<Option<T>, Cut> {
    match tokio::time::timeout(SILENCE, stream.message()).await {
        Err(_) => Err(Cut::Silent),
        Ok(message) => Ok(message?),
    }
}

/// Connecting again, with growing pauses.
#[derive(Default)]
pub(super) struct Again {
    failures: u32,
}

impl Again {
    /// Something was heard.
    pub(super) fn well(&mut self, session: &Session) {
        if self.failures > 0 {
            session.out.remark("connected again");
        }
        self.failures = 0;
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// What no further attempt would change.
    pub(super) async fn after(&mut self, session: &Session, cut: Cut) -> Result<(), Failure> {
        match cut {
            Cut::Failed(failure) => return Err(failure),
            Cut::Status(status) if !passing(status.code()) => return Err(session.failure(status)),
            Cut::Status(_) | Cut::Silent => {}
        }
        if self.failures == 0 {
            session.out.remark("the server is away, waiting for it");
        }
        tokio::time::sleep((PAUSE * 2_u32.pow(self.failures.min(8))).min(LONGEST_PAUSE)).await;
        self.failures += 1;
        Ok(())
    }
}

/// Whether it may work the next time.
fn passing(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::Unknown
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::Internal
            | Code::ResourceExhausted
    )
}
