//! `AuditService`: who did what, read from the log itself and not from the view.

mod act;
mod asked;
mod reading;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use proto::v1;
use proto::v1::audit_service_server::AuditService;
use service::Shutdown;
use service::status::{self, check_workspace};
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};

use crate::query::{Answers, QueryOptions};
use asked::Asked;
use reading::Reading;

/// Audits that read at once: each holds a consumer of the log, and up to a thousand of its events.
const AT_ONCE: usize = 16;

/// Answers `AuditService`.
pub struct Audit {
    bus: Bus,
    workspaces: Arc<BTreeSet<String>>,
    heartbeat: Duration,
    readers: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Audit {
    /// Readings end when `shutdown` begins.
    pub(crate) fn new(bus: Bus, options: &QueryOptions, shutdown: Shutdown) -> Audit {
        let QueryOptions { workspaces, heartbeat } = options.clone();
        Audit { bus, workspaces, heartbeat, readers: Arc::new(Semaphore::new(AT_ONCE)), shutdown }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    type ReadActsStream = Answers<v1::ReadActsResponse>;

    async fn read_acts(&self, request: Request<v1::ReadActsRequest>) -> Result<Response<Self::ReadActsStream>, Status> {
        let request = request.into_inner();
        check_workspace(&request.workspace, |name| self.workspaces.contains(name))?;
        let asked = Asked::read(request)?;
        let Ok(permit) = self.readers.clone().try_acquire_owned() else {
            let words = format!("{AT_ONCE} audits are read here already: try again when one has ended");
            return Err(status::refused(Code::ResourceExhausted, "TOO_MANY_AUDITS", "", words));
        };
        let past =
            self.bus.past_acts(&asked.workspace, asked.conversation.as_ref(), asked.after, asked.appended_from());
        let past = past.await.map_err(|error| status::bus(&error))?;
        let reading = Reading::new(asked, past, permit, self.heartbeat, self.shutdown.clone());
        Ok(Response::new(reading.answers()))
    }
}
