//! `ProjectionService`: what operators ask about the view itself.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use proto::v1;
use proto::v1::projection_service_server::ProjectionService;
use service::status;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

use super::rebuild::{Progress, Verified};
use super::{Error, Projection};
use crate::view::rows::SCHEMA;

/// How often a verification says how far it is.
const TICK: Duration = Duration::from_millis(500);

/// Answers `ProjectionService`.
pub struct Admin {
    projection: Projection,
    /// A verification holds a second view: one at a time.
    verifying: std::sync::Arc<Semaphore>,
}

type Verification = Pin<Box<dyn Stream<Item = Result<v1::VerifyProjectionResponse, Status>> + Send>>;

impl Admin {
    pub(super) fn new(projection: Projection) -> Admin {
        Admin { projection, verifying: std::sync::Arc::new(Semaphore::new(1)) }
    }
}

#[tonic::async_trait]
impl ProjectionService for Admin {
    async fn get_projection_status(
        &self,
        _: Request<v1::GetProjectionStatusRequest>,
    ) -> Result<Response<v1::GetProjectionStatusResponse>, Status> {
        let inner = &self.projection.0;
        let stream = inner.bus.events_info().await.map_err(|error| status::bus(&error))?;
        Ok(Response::new(v1::GetProjectionStatusResponse {
            applied_revision: to_wire(self.projection.applied()),
            stream_revision: to_wire(stream.state.last_sequence),
            engine: inner.options.engine.to_string(),
            schema: SCHEMA,
            disk_bytes: to_wire(self.projection.disk_bytes()),
        }))
    }

    type VerifyProjectionStream = Verification;

    async fn verify_projection(
        &self,
        _: Request<v1::VerifyProjectionRequest>,
    ) -> Result<Response<Verification>, Status> {
        let Ok(permit) = self.verifying.clone().try_acquire_owned() else {
            let words = "a verification is under way: wait for it to end";
            return Err(status::refused(Code::ResourceExhausted, "VERIFYING", "", words));
        };
        let projection = self.projection.clone();
        let total = projection.applied();
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            let _permit = permit;
            let progress = Progress::default();
            let verifying = projection.verify(progress.clone());
            tokio::pin!(verifying);
            let mut tick = tokio::time::interval(TICK);
            let last = loop {
                tokio::select! {
                    verified = &mut verifying => break verified,
                    _ = tick.tick() => {
                        let done = progress.load(Ordering::Relaxed);
                        // Whoever asked has gone: so may the work.
                        if sender.send(Ok(so_far(done, total))).await.is_err() {
                            return;
                        }
                    }
                }
            };
            let _ = sender.send(verdict(last)).await;
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }
}

fn so_far(done: u64, total: u64) -> v1::VerifyProjectionResponse {
    v1::VerifyProjectionResponse { events_done: to_wire(done), events_total: to_wire(total.max(done)), verdict: None }
}

fn verdict(verified: Result<Verified, Error>) -> Result<v1::VerifyProjectionResponse, Status> {
    let Verified { revision, live, rebuilt } = verified.map_err(|error| Status::internal(error.to_string()))?;
    let verdict = v1::verify_projection_response::Verdict {
        equal: live == rebuilt,
        revision: to_wire(revision),
        live_hash: live,
        rebuilt_hash: rebuilt,
    };
    Ok(v1::VerifyProjectionResponse { verdict: Some(verdict), ..so_far(revision, revision) })
}

fn to_wire(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
