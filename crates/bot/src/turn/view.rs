//! What was said is asked of TicketService, as of a revision.

use std::time::Duration;

use conversation::Revision;
use proto::v1;
use proto::v1::ticket_service_client::TicketServiceClient;
use service::Certificates;
use service::access::Bearer;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take: queries wait up to 10 s for a revision.
const ANSWER: Duration = Duration::from_secs(15);
/// Entries of one page, and most pages: what lies further back concerns no turn that is worth an answer.
const PAGE: i32 = 60;
const PAGES: usize = 5;
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Asks the view. Cheap to clone.
#[derive(Clone)]
pub(super) struct View(TicketServiceClient<InterceptedService<Channel, Bearer>>);

impl View {
    /// Connects at the first question, and again whenever the connection is lost. `bearer` is shown with each.
    ///
    /// # Errors
    /// For what is no address, and for certificates that can't be used.
    pub(super) fn at(
        address: &str,
        bearer: Bearer,
        certificates: &Certificates,
    ) -> Result<View, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(address.to_owned())?
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(20));
        let client = TicketServiceClient::with_interceptor(certificates.secure(endpoint)?.connect_lazy(), bearer);
        Ok(View(client.max_decoding_message_size(MAX_ANSWER_BYTES)))
    }

    /// The newest live entries of a chat as of a revision, newest first, until `enough` is true of one, which is the
    /// last.
    pub(super) async fn newest(
        &self,
        workspace: &str,
        conversation_id: &str,
        min: Revision,
        enough: impl Fn(&v1::TimelineEntry) -> bool,
    ) -> Result<Vec<v1::TimelineEntry>, Status> {
        let mut request = v1::ListTimelineRequest {
            workspace: workspace.to_owned(),
            conversation_id: conversation_id.to_owned(),
            page_size: PAGE,
            direction: v1::list_timeline_request::Direction::Older.into(),
            min_revision: i64::try_from(min).unwrap_or(i64::MAX),
            ..v1::ListTimelineRequest::default()
        };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page = match self.0.clone().list_timeline(request.clone()).await {
                Ok(page) => page.into_inner(),
                Err(status) if status.code() == Code::NotFound => return Ok(all),
                Err(status) => return Err(status),
            };
            for entry in page.entries.into_iter().filter(|entry| !entry.late) {
                let last = enough(&entry);
                all.push(entry);
                if last {
                    return Ok(all);
                }
            }
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
        Ok(all)
    }
}
