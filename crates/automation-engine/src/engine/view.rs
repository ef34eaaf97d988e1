//! What the log alone does not answer quickly is asked of TicketService, as of a revision.

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
/// Newest entries that are looked through for the message before an event.
const NEWEST: i32 = 20;
/// Entries of one page, when all since a revision are looked through, and most pages.
const PAGE: i32 = 200;
const PAGES: usize = 50;
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Asks the view. Cheap to clone.
#[derive(Clone)]
pub(crate) struct View(TicketServiceClient<InterceptedService<Channel, Bearer>>);

impl View {
    /// Connects at the first question, and again whenever the connection is lost. `bearer` is shown with each.
    ///
    /// # Errors
    /// For what is no address, and for certificates that can't be used.
    pub(crate) fn at(
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

    /// A conversation; `None` if the view knows none of that id.
    pub(crate) async fn conversation(
        &self,
        workspace: &str,
        conversation_id: &str,
        min: Revision,
    ) -> Result<Option<v1::Conversation>, Status> {
        let request = v1::GetConversationRequest {
            workspace: workspace.to_owned(),
            conversation_id: conversation_id.to_owned(),
            min_revision: wire(min),
        };
        found(self.0.clone().get_conversation(request).await)
    }

    /// The newest entries of a chat, newest first.
    pub(crate) async fn newest(
        &self,
        workspace: &str,
        conversation_id: &str,
        min: Revision,
    ) -> Result<Vec<v1::TimelineEntry>, Status> {
        let page = self.0.clone().list_timeline(timeline(workspace, conversation_id, min, NEWEST, "")).await;
        Ok(found(page)?.map(|page| page.entries).unwrap_or_default())
    }

    /// Whether a message for which `test` is true was recorded after a revision.
    pub(crate) async fn said_since(
        &self,
        workspace: &str,
        conversation_id: &str,
        since: Revision,
        min: Revision,
        test: impl Fn(&v1::Message) -> bool,
    ) -> Result<bool, Status> {
        let mut token = String::new();
        for _ in 0..PAGES {
            let request = timeline(workspace, conversation_id, min, PAGE, &token);
            let Some(page) = found(self.0.clone().list_timeline(request).await)? else { return Ok(false) };
            let later = |entry: &v1::TimelineEntry| u64::try_from(entry.revision).is_ok_and(|at| at > since);
            let said = page.entries.iter().filter(|entry| later(entry)).any(|entry| match &entry.entry {
                Some(v1::timeline_entry::Entry::Message(message)) => test(message),
                _ => false,
            });
            // Late entries stand among older ones: only live ones tell that all later ones were seen.
            let all_seen = page.entries.iter().any(|entry| !entry.late && !later(entry));
            if said || all_seen || page.next_page_token.is_empty() {
                return Ok(said);
            }
            token = page.next_page_token;
        }
        Ok(false)
    }

    /// A ticket; `None` if the view knows none of that id.
    pub(crate) async fn ticket(
        &self,
        workspace: &str,
        ticket_id: &str,
        min: Revision,
    ) -> Result<Option<v1::Ticket>, Status> {
        let request = v1::GetTicketRequest {
            workspace: workspace.to_owned(),
            ticket_id: ticket_id.to_owned(),
            min_revision: wire(min),
        };
        found(self.0.clone().get_ticket(request).await)
    }

    /// The primary ticket of a conversation that was closed last.
    pub(crate) async fn last_ticket(
        &self,
        workspace: &str,
        conversation_id: &str,
        min: Revision,
    ) -> Result<Option<v1::Ticket>, Status> {
        let request = v1::ListTicketsRequest {
            workspace: workspace.to_owned(),
            conversation_id: conversation_id.to_owned(),
            state: v1::ticket::State::Closed.into(),
            basis: v1::Basis::Closed.into(),
            page_size: 1,
            min_revision: wire(min),
            ..v1::ListTicketsRequest::default()
        };
        let page = found(self.0.clone().list_tickets(request).await)?;
        Ok(page.and_then(|page| page.tickets.into_iter().next()))
    }
}

fn timeline(
    workspace: &str,
    conversation_id: &str,
    min: Revision,
    page_size: i32,
    token: &str,
) -> v1::ListTimelineRequest {
    v1::ListTimelineRequest {
        workspace: workspace.to_owned(),
        conversation_id: conversation_id.to_owned(),
        page_size,
        page_token: token.to_owned(),
        direction: v1::list_timeline_request::Direction::Older.into(),
        min_revision: wire(min),
        ..v1::ListTimelineRequest::default()
    }
}

fn wire(revision: Revision) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn found<T>(answer: Result<tonic::Response<T>, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}
