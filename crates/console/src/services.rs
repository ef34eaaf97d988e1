//! The other services, over gRPC.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proto::v1;
use proto::v1::access_service_client::AccessServiceClient;
use proto::v1::automation_service_client::AutomationServiceClient;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::directory_service_client::DirectoryServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use service::Certificates;
use service::access::Bearer;
use tonic::Status;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

use crate::lang::Lang;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin: queries wait up to 10 s for a revision.
const ANSWER: Duration = Duration::from_secs(15);
const KEEPALIVE: Duration = Duration::from_secs(20);
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Agents or teams of one page, and most pages: who works in one workspace.
const PAGE: i32 = 1_000;
const PAGES: usize = 5;

/// A connection on which a token is shown.
type Line = InterceptedService<Channel, Bearer>;

/// What a live page may have on its way to us, in bytes, and what all of them: a connection takes 1,024 calls at once.
/// So a browser that takes nothing more holds up no other.
const WATCH_WINDOW: u32 = 64 * 1024;
const ALL_WINDOWS: u32 = 1_024 * WATCH_WINDOW;
/// Connections of live pages, which take turns: so one console holds 8,192 of them. Beyond, a page waits for another to go.
const WATCHING: usize = 8;

/// Clients of every service, on one connection, and live pages on others: however many there are, questions pass.
/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Services {
    asks: Channel,
    watches: Arc<[Channel; WATCHING]>,
    /// Counts live pages, so that they take turns.
    turn: Arc<AtomicUsize>,
    /// Of one person.
    bearer: Bearer,
}

/// Who works in a workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Staff {
    pub(crate) agents: Vec<v1::Agent>,
    pub(crate) teams: Vec<v1::Team>,
}

impl Services {
    /// Connects at the first question, and again whenever the connection is lost. Asks without a token.
    ///
    /// # Errors
    /// For what is no address.
    pub(crate) fn at(address: &str, certificates: &Certificates) -> Result<Services, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(address.to_owned())?
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_while_idle(true);
        let endpoint = certificates.secure(endpoint)?;
        let watching =
            endpoint.clone().initial_stream_window_size(WATCH_WINDOW).initial_connection_window_size(ALL_WINDOWS);
        let watches = Arc::new(std::array::from_fn(|_| watching.connect_lazy()));
        Ok(Services { asks: endpoint.connect_lazy(), watches, turn: Arc::default(), bearer: Bearer::none() })
    }

    /// The same, asked with a token.
    pub(crate) fn with(&self, bearer: Bearer) -> Services {
        Services { bearer, ..self.clone() }
    }

    fn line(&self, channel: &Channel) -> Line {
        InterceptedService::new(channel.clone(), self.bearer.clone())
    }

    /// What the token stands for.
    pub(crate) async fn who_am_i(&self) -> Result<v1::Token, Status> {
        let answer = AccessServiceClient::new(self.line(&self.asks)).who_am_i(v1::WhoAmIRequest {}).await?;
        Ok(answer.into_inner().token.unwrap_or_default())
    }

    pub(crate) fn tickets(&self) -> TicketServiceClient<Line> {
        TicketServiceClient::new(self.line(&self.asks)).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// For what goes on as long as a page is open.
    pub(crate) fn watches(&self) -> TicketServiceClient<Line> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % WATCHING;
        TicketServiceClient::new(self.line(&self.watches[turn])).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    pub(crate) fn conversations(&self) -> ConversationServiceClient<Line> {
        ConversationServiceClient::new(self.line(&self.asks))
    }

    pub(crate) fn directory(&self) -> DirectoryServiceClient<Line> {
        DirectoryServiceClient::new(self.line(&self.asks)).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    pub(crate) fn automation(&self) -> AutomationServiceClient<Line> {
        AutomationServiceClient::new(self.line(&self.asks)).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    pub(crate) fn bot(&self) -> BotServiceClient<Line> {
        BotServiceClient::new(self.line(&self.asks)).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Everybody who works in a workspace, and their teams.
    pub(crate) async fn staff(&self, workspace: &str) -> Result<Staff, Status> {
        let (agents, teams) = tokio::try_join!(self.agents(workspace), self.teams(workspace))?;
        Ok(Staff { agents, teams })
    }

    /// Everybody who works in a workspace, up to 5,000.
    pub(crate) async fn agents(&self, workspace: &str) -> Result<Vec<v1::Agent>, Status> {
        let mut request =
            v1::ListAgentsRequest { workspace: workspace.to_owned(), page_size: PAGE, ..Default::default() };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page = self.directory().list_agents(request.clone()).await?.into_inner();
            all.extend(page.agents);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        Ok(all)
    }

    /// The names of the rules that people run by hand. None when the rules can't be had: chats go on without them.
    pub(crate) async fn shortcuts(&self, workspace: &str) -> Result<Vec<String>, Status> {
        let request = v1::ListRulesRequest { workspace: workspace.to_owned(), page_size: PAGE, ..Default::default() };
        let rules = match self.automation().list_rules(request).await {
            Ok(answer) => answer.into_inner().rules,
            Err(_) => Vec::new(),
        };
        Ok(rules.into_iter().filter(|rule| rule.enabled && rule.on == "manual").map(|rule| rule.name).collect())
    }

    async fn teams(&self, workspace: &str) -> Result<Vec<v1::Team>, Status> {
        let mut request =
            v1::ListTeamsRequest { workspace: workspace.to_owned(), page_size: PAGE, ..Default::default() };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let page = self.directory().list_teams(request.clone()).await?.into_inner();
            all.extend(page.teams);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        Ok(all)
    }
}

impl Staff {
    /// How an assignee is called: "Ana", "team Billing", "Ana of Billing"; empty for nobody.
    pub(crate) fn assignee(&self, assignee: Option<&v1::Assignee>, lang: Lang) -> String {
        let Some(assignee) = assignee else { return String::new() };
        match (assignee.agent_id.as_str(), assignee.team_id.as_str()) {
            ("", "") => String::new(),
            (agent, "") => self.agent(agent),
            ("", team) => lang.fill("team {}", &[&self.team(team)]),
            (agent, team) => lang.fill("{} of {}", &[&self.agent(agent), &self.team(team)]),
        }
    }

    /// An agent's name; the id of one that is not known.
    pub(crate) fn agent(&self, id: &str) -> String {
        let found = self.agents.iter().find(|agent| agent.id == id && !agent.display_name.is_empty());
        found.map_or(id, |agent| &agent.display_name).to_owned()
    }

    /// A team's name; the id of one that is not known.
    pub(crate) fn team(&self, id: &str) -> String {
        let found = self.teams.iter().find(|team| team.id == id && !team.display_name.is_empty());
        found.map_or(id, |team| &team.display_name).to_owned()
    }

    /// The teams that an agent is in.
    pub(crate) fn teams_of<'a>(&'a self, agent: &'a str) -> impl Iterator<Item = &'a v1::Team> {
        self.teams.iter().filter(move |team| team.agent_ids.iter().any(|id| id == agent))
    }
}
