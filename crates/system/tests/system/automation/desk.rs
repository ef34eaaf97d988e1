//! What clients ask of the services, again while they are away.

use std::time::Duration;

use proto::v1;
use proto::v1::automation_service_client::AutomationServiceClient;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::directory_service_client::DirectoryServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};

use super::town::CHANNEL;
use crate::deployment::{DEADLINE, is_away, patiently};

/// One workspace, as its agents, customers and administrators see it.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) workspace: String,
    conversations: ConversationServiceClient<Channel>,
    directory: DirectoryServiceClient<Channel>,
    tickets: TicketServiceClient<Channel>,
    /// Of each engine.
    rules: Vec<AutomationServiceClient<Channel>>,
}

/// Asks until it is answered.
macro_rules! ask {
    ($client:expr, $method:ident, $request:expr) => {{
        let (client, request) = (&$client, $request);
        let call = || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.$method(request).await }
        };
        answer(stringify!($method), call).await
    }};
}

async fn answer<T, F: Future<Output = Result<Response<T>, Status>>>(what: &str, mut call: impl FnMut() -> F) -> T {
    patiently(what, || {
        let call = call();
        async move {
            match call.await {
                Ok(response) => Some(response.into_inner()),
                Err(status) if is_away(&status) => None,
                Err(status) => panic!("{what}: {status:?}"),
            }
        }
    })
    .await
}

impl Desk {
    pub(super) fn new(workspace: &str, commands: &str, queries: &str, rules: &[String]) -> Desk {
        let connect = |url: &str| {
            let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
            endpoint.connect_timeout(Duration::from_secs(5)).timeout(DEADLINE).connect_lazy()
        };
        Desk {
            workspace: workspace.to_owned(),
            conversations: ConversationServiceClient::new(connect(commands)),
            directory: DirectoryServiceClient::new(connect(commands)),
            tickets: TicketServiceClient::new(connect(queries)),
            rules: rules.iter().map(|url| AutomationServiceClient::new(connect(url))).collect(),
        }
    }

    /// The same of another workspace.
    pub(super) fn of(&self, workspace: &str) -> Desk {
        Desk { workspace: workspace.to_owned(), ..self.clone() }
    }

    /// Agents, each with a capacity (0: none), and a team of them; who is first is the default assignee.
    pub(super) async fn staff(&self, team: &str, agents: &[(&str, u32)]) {
        for (id, capacity) in agents {
            let agent = v1::Agent { id: (*id).to_owned(), capacity: *capacity, ..v1::Agent::default() };
            let request = v1::UpsertAgentRequest {
                workspace: self.workspace.clone(),
                agent: Some(agent),
                ..v1::UpsertAgentRequest::default()
            };
            ask!(self.directory, upsert_agent, request);
        }
        let team = v1::Team {
            id: team.to_owned(),
            agent_ids: agents.iter().map(|(id, _)| (*id).to_owned()).collect(),
            default_assignee: agents[0].0.to_owned(),
            ..v1::Team::default()
        };
        let request =
            v1::UpsertTeamRequest { workspace: self.workspace.clone(), team: Some(team), ..Default::default() };
        ask!(self.directory, upsert_team, request);
    }

    /// An agent comes, for good.
    pub(super) async fn online(&self, agent: &str) {
        let request = v1::SetPresenceRequest {
            workspace: self.workspace.clone(),
            agent_id: agent.to_owned(),
            state: v1::presence::State::Online.into(),
            ttl: None,
        };
        ask!(self.directory, set_presence, request);
    }

    /// Puts rules in force, told to one of the engines.
    pub(super) async fn apply(&self, engine: usize, yaml: &str) -> Vec<v1::Rule> {
        let request = v1::ApplyRulesRequest {
            workspace: self.workspace.clone(),
            yaml: yaml.to_owned(),
            ..v1::ApplyRulesRequest::default()
        };
        ask!(self.rules[engine], apply_rules, request).rules
    }

    pub(super) async fn delete_rule(&self, engine: usize, name: &str) {
        let request = v1::DeleteRuleRequest { workspace: self.workspace.clone(), name: name.to_owned() };
        ask!(self.rules[engine], delete_rule, request);
    }

    /// An agent presses a button.
    pub(super) async fn run_rule(&self, rule: &str, conversation: &str, agent: &str) -> v1::Run {
        let request = v1::RunRuleRequest {
            workspace: self.workspace.clone(),
            rule: rule.to_owned(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            command_id: format!("{rule}-{conversation}"),
        };
        ask!(self.rules[0], run_rule, request).run.unwrap()
    }

    /// The customer writes. Returns the conversation and the revision of the message.
    pub(super) async fn receive(&self, contact: &str, id: &str, text: &str) -> (String, i64) {
        let contact =
            v1::Contact { id: contact.to_owned(), display_name: format!("Customer {contact}"), ..Default::default() };
        let request = v1::ReceiveMessageRequest {
            workspace: self.workspace.clone(),
            channel: CHANNEL.to_owned(),
            contact: Some(contact),
            message: Some(v1::ReceivedMessage { id: id.to_owned(), text: text.to_owned(), ..Default::default() }),
            ..v1::ReceiveMessageRequest::default()
        };
        let answer = ask!(self.conversations, receive_message, request);
        (answer.conversation_id, answer.revision)
    }

    pub(super) async fn send(&self, conversation: &str, agent: &str, id: &str, text: &str) -> i64 {
        let request = v1::SendMessageRequest {
            workspace: self.workspace.clone(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            command_id: id.to_owned(),
            content: Some(v1::send_message_request::Content::Text(text.to_owned())),
            ..v1::SendMessageRequest::default()
        };
        ask!(self.conversations, send_message, request).revision
    }

    pub(super) async fn close_all(&self, conversation: &str, agent: &str, id: &str) -> i64 {
        let request = v1::CloseTicketRequest {
            workspace: self.workspace.clone(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            command_id: id.to_owned(),
            all: true,
            ..v1::CloseTicketRequest::default()
        };
        ask!(self.conversations, close_ticket, request).revision
    }

    pub(super) async fn unassign(&self, conversation: &str, agent: &str, id: &str) -> i64 {
        let request = v1::UnassignConversationRequest {
            workspace: self.workspace.clone(),
            conversation_id: conversation.to_owned(),
            actor: Some(person(agent)),
            command_id: id.to_owned(),
            ..v1::UnassignConversationRequest::default()
        };
        ask!(self.conversations, unassign_conversation, request).revision
    }

    pub(super) async fn add_tag(&self, conversation: &str, tag: &str, id: &str) -> i64 {
        let request = v1::AddTagRequest {
            workspace: self.workspace.clone(),
            conversation_id: conversation.to_owned(),
            actor: Some(person("ann")),
            command_id: id.to_owned(),
            tag: tag.to_owned(),
            ..v1::AddTagRequest::default()
        };
        ask!(self.conversations, add_tag, request).revision
    }

    pub(super) async fn remove_tag(&self, conversation: &str, tag: &str, id: &str) -> i64 {
        let request = v1::RemoveTagRequest {
            workspace: self.workspace.clone(),
            conversation_id: conversation.to_owned(),
            actor: Some(person("ann")),
            command_id: id.to_owned(),
            tag: tag.to_owned(),
            ..v1::RemoveTagRequest::default()
        };
        ask!(self.conversations, remove_tag, request).revision
    }

    /// The runs that a request asks for, newest first.
    pub(super) async fn runs(&self, request: v1::ListRunsRequest) -> Vec<v1::Run> {
        let mut request = v1::ListRunsRequest { workspace: self.workspace.clone(), page_size: 500, ..request };
        let mut runs = Vec::new();
        loop {
            let page = ask!(self.rules[0], list_runs, request.clone());
            runs.extend(page.runs);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return runs;
            }
        }
    }

    pub(super) async fn runs_of(&self, rule: &str) -> Vec<v1::Run> {
        self.runs(v1::ListRunsRequest { rule: rule.to_owned(), ..v1::ListRunsRequest::default() }).await
    }

    /// Waits until a rule has a run in a conversation for which `test` is true.
    pub(super) async fn await_run(&self, rule: &str, conversation: &str, test: impl Fn(&v1::Run) -> bool) -> v1::Run {
        let request = v1::ListRunsRequest {
            rule: rule.to_owned(),
            conversation_id: conversation.to_owned(),
            include_not_matched: true,
            ..v1::ListRunsRequest::default()
        };
        let mut seen = Vec::new();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while tokio::time::Instant::now() < deadline {
            seen = self.runs(request.clone()).await;
            if let Some(run) = seen.iter().find(|run| test(run)) {
                return run.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited in vain for a run of {rule}; there are {seen:#?}")
    }

    /// What stands in the chat once it has come to a revision, oldest first, in words.
    pub(super) async fn chat(&self, conversation: &str, min_revision: i64) -> Vec<String> {
        use v1::timeline_entry::Entry;
        let request = v1::ListTimelineRequest {
            workspace: self.workspace.clone(),
            conversation_id: conversation.to_owned(),
            page_size: 1_000,
            min_revision,
            direction: v1::list_timeline_request::Direction::Newer.into(),
            ..v1::ListTimelineRequest::default()
        };
        let entries = ask!(self.tickets, list_timeline, request).entries;
        let entry = |entry: v1::TimelineEntry| match entry.entry.unwrap() {
            Entry::Message(message) => format!("{}: {}", speaker(&message), message.text),
            Entry::Stamp(stamp) => stamp.text,
            Entry::Note(note) => format!("note: {}", note.text),
        };
        entries.into_iter().map(entry).collect()
    }
}

fn speaker(message: &v1::Message) -> &str {
    match &message.actor {
        Some(actor) if actor.kind() != v1::actor::Kind::Customer => &actor.id,
        _ => "customer",
    }
}

fn person(id: &str) -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: id.to_owned(), ..v1::Actor::default() }
}
