use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, poll, stream};
use proto::v1;
use proto::v1::ticket_service_server::TicketService;
use service::status::{check_workspace, invalid, not_found};
use service::{Shutdown, status};
use tonic::{Request, Response, Status};

use super::conversation_counts;
use super::conversations::{ConversationList, SealedConversations};
use super::counts::TicketCount;
use super::grouping::TooManyGroups;
use super::mistakes::Mistakes;
use super::reads::Reads;
use super::search::search;
use super::show_conversation::SealedConversation;
use super::stats::TicketStats;
use super::tickets::{TicketList, get_ticket};
use super::timeline::TimelinePage;
use super::unseal::Keys;
use super::watch::{Answers, watch};
use super::watch_tickets::TicketWatch;
use super::watch_timeline::TimelineWatch;
use crate::view::keys::ConversationKey;
use crate::view::live::Live;

/// Keys asked for at once.
const KEYS: usize = 16;

/// What a service of queries is told.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// The workspaces that exist.
    pub workspaces: Arc<BTreeSet<String>>,
    /// A watch in which nothing happens says so this often; 15 s is usual.
    pub heartbeat: Duration,
}

impl QueryOptions {
    /// The usual options for these workspaces.
    pub fn new(workspaces: impl IntoIterator<Item = String>) -> QueryOptions {
        QueryOptions { workspaces: Arc::new(workspaces.into_iter().collect()), heartbeat: Duration::from_secs(15) }
    }
}

/// Answers the queries of `TicketService` from the view.
pub struct Queries<K> {
    reads: Reads,
    keys: K,
    options: QueryOptions,
    shutdown: Shutdown,
}

impl<K: Keys> Queries<K> {
    /// `keys` opens what was sealed; watches end when `shutdown` begins.
    pub(crate) fn new(live: Arc<Live>, keys: K, options: QueryOptions, shutdown: Shutdown) -> Queries<K> {
        Queries { reads: Reads::new(live), keys, options, shutdown }
    }

    fn check(&self, workspace: &str) -> Result<(), Status> {
        check_workspace(workspace, |name| self.options.workspaces.contains(name))
    }

    /// Waits for the revision that a query asks for.
    async fn reach(&self, revision: i64) -> Result<(), Status> {
        let Ok(revision) = u64::try_from(revision) else {
            return Err(invalid("min_revision", "must not be negative"));
        };
        self.reads.wait_for(revision).await
    }

    async fn key(&self, workspace: &str, conversation: &str) -> Result<Option<K::Key>, Status> {
        self.keys.find(workspace, conversation).await.map_err(|error| status::bus(&error))
    }

    async fn show(&self, page: SealedConversations) -> Result<v1::ListConversationsResponse, Status> {
        let show = page.conversations.into_iter().map(|conversation| async move {
            let key = self.key(&conversation.row.workspace, &conversation.row.id).await?;
            Ok::<_, Status>(conversation.show(key.as_ref()))
        });
        let conversations = stream::iter(show).buffered(KEYS).try_collect().await?;
        Ok(v1::ListConversationsResponse { conversations, next_page_token: page.next_page_token })
    }

    async fn known(&self, workspace: &str, conversation: &str) -> Result<SealedConversation, Status> {
        let key = ConversationKey::of(workspace, conversation);
        let found = self.reads.run(move |view| SealedConversation::load(view, key)).await?;
        found.ok_or_else(|| not_found("conversation", conversation))
    }
}

fn too_many(error: TooManyGroups) -> Status {
    invalid("group_by", error.to_string())
}

#[tonic::async_trait]
impl<K: Keys> TicketService for Queries<K> {
    type WatchTicketsStream = Answers<v1::WatchTicketsResponse>;
    type WatchTimelineStream = Answers<v1::WatchTimelineResponse>;

    async fn get_ticket(&self, request: Request<v1::GetTicketRequest>) -> Result<Response<v1::Ticket>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let mut mistakes = Mistakes::default();
        mistakes.required_id("ticket_id", &request.ticket_id);
        mistakes.check()?;
        self.reach(request.min_revision).await?;
        let id = request.ticket_id.clone();
        let ticket = self.reads.run(move |view| get_ticket(view, &request.workspace, &request.ticket_id)).await?;
        ticket.map(Response::new).ok_or_else(|| not_found("ticket", &id))
    }

    async fn list_tickets(
        &self,
        request: Request<v1::ListTicketsRequest>,
    ) -> Result<Response<v1::ListTicketsResponse>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let min_revision = request.min_revision;
        let list = TicketList::read(request)?;
        self.reach(min_revision).await?;
        Ok(Response::new(self.reads.run(move |view| list.page(view)).await?))
    }

    async fn count_tickets(
        &self,
        request: Request<v1::CountTicketsRequest>,
    ) -> Result<Response<v1::CountTicketsResponse>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let min_revision = request.min_revision;
        let count = TicketCount::read(request)?;
        self.reach(min_revision).await?;
        Ok(Response::new(self.reads.run(move |view| count.answer(view)).await?.map_err(too_many)?))
    }

    async fn get_ticket_stats(
        &self,
        request: Request<v1::GetTicketStatsRequest>,
    ) -> Result<Response<v1::GetTicketStatsResponse>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let min_revision = request.min_revision;
        let stats = TicketStats::read(request)?;
        self.reach(min_revision).await?;
        Ok(Response::new(self.reads.run(move |view| stats.answer(view)).await?.map_err(too_many)?))
    }

    async fn watch_tickets(
        &self,
        request: Request<v1::WatchTicketsRequest>,
    ) -> Result<Response<Self::WatchTicketsStream>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let min_revision = request.min_revision;
        let asked = TicketWatch::read(request)?;
        self.reach(min_revision).await?;
        let feed = asked.feed(self.reads.clone());
        Ok(Response::new(watch(feed, &self.reads, self.shutdown.clone(), self.options.heartbeat)))
    }

    async fn get_conversation(
        &self,
        request: Request<v1::GetConversationRequest>,
    ) -> Result<Response<v1::Conversation>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let mut mistakes = Mistakes::default();
        mistakes.required_id("conversation_id", &request.conversation_id);
        mistakes.check()?;
        self.reach(request.min_revision).await?;
        let conversation = self.known(&request.workspace, &request.conversation_id).await?;
        let key = self.key(&request.workspace, &request.conversation_id).await?;
        Ok(Response::new(conversation.show(key.as_ref())))
    }

    async fn list_conversations(
        &self,
        request: Request<v1::ListConversationsRequest>,
    ) -> Result<Response<v1::ListConversationsResponse>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let min_revision = request.min_revision;
        let list = ConversationList::read(request)?;
        self.reach(min_revision).await?;
        if !list.words.is_empty() {
            return Ok(Response::new(search(&list, &self.reads, &self.keys).await?));
        }
        let page = self.reads.run(move |view| list.page(view)).await?;
        Ok(Response::new(self.show(page).await?))
    }

    async fn count_conversations(
        &self,
        request: Request<v1::CountConversationsRequest>,
    ) -> Result<Response<v1::CountConversationsResponse>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let mut mistakes = Mistakes::default();
        mistakes.revision("min_revision", request.min_revision);
        mistakes.check()?;
        self.reach(request.min_revision).await?;
        let counts = self.reads.run(move |view| conversation_counts::count(view, &request.workspace)).await?;
        Ok(Response::new(counts))
    }

    async fn list_timeline(
        &self,
        request: Request<v1::ListTimelineRequest>,
    ) -> Result<Response<v1::ListTimelineResponse>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let (workspace, conversation) = (request.workspace.clone(), request.conversation_id.clone());
        let min_revision = request.min_revision;
        let asked = TimelinePage::read(request)?;
        self.reach(min_revision).await?;
        let page = self.reads.run(move |view| asked.page(view));
        let mut key = pin!(self.key(&workspace, &conversation));
        let (key, page) = match poll!(&mut key) {
            Poll::Ready(known) => (known, page.await),
            Poll::Pending => {
                // The page is read while the bus is asked for the key, which this worker has to begin.
                tokio::task::yield_now().await;
                tokio::join!(key, page)
            }
        };
        let page = page?.ok_or_else(|| not_found("conversation", &conversation))?;
        let key = key?;
        let entries = page.entries.into_iter().map(|entry| entry.show(&conversation, key.as_ref())).collect();
        Ok(Response::new(v1::ListTimelineResponse { entries, next_page_token: page.next_page_token }))
    }

    async fn watch_timeline(
        &self,
        request: Request<v1::WatchTimelineRequest>,
    ) -> Result<Response<Self::WatchTimelineStream>, Status> {
        let request = request.into_inner();
        self.check(&request.workspace)?;
        let min_revision = request.min_revision;
        let asked = TimelineWatch::read(request)?;
        self.reach(min_revision).await?;
        self.known(&asked.workspace, &asked.conversation).await?;
        let feed = asked.feed(self.reads.clone(), self.keys.clone());
        Ok(Response::new(watch(feed, &self.reads, self.shutdown.clone(), self.options.heartbeat)))
    }
}
