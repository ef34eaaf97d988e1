//! Agents, teams and presence over gRPC.

mod check;

use std::collections::BTreeMap;
use std::sync::Arc;

use bus::{Bus, Error, Roster, Unknown};
use conversation::Settings;
use proto::v1;
use proto::v1::directory_service_server::{DirectoryService, DirectoryServiceServer};
use service::page_token::PageTokens;
use service::status::{self, Mistakes, refused};
use tonic::{Code, Request, Response, Status};

use super::check::{id, workspace};
use crate::Options;

/// Most agents of a workspace: one page of a snapshot of them all stays a matter of milliseconds.
const MAX_AGENTS: usize = 10_000;
/// Most teams of a workspace.
const MAX_TEAMS: usize = 1_000;

/// `DirectoryService`, ready to be served.
pub fn directory_service(bus: &Bus, options: &Options) -> DirectoryServiceServer<Directories> {
    let directories = Directories { roster: bus.roster(), workspaces: Arc::new(options.workspaces.clone()) };
    DirectoryServiceServer::new(directories).max_decoding_message_size(service::MAX_REQUEST_BYTES)
}

/// Answers `DirectoryService`.
#[derive(Clone)]
pub struct Directories {
    roster: Roster,
    workspaces: Arc<BTreeMap<String, Settings>>,
}

impl Directories {
    /// Ends the checks of a request: no mistakes, and a workspace that exists.
    fn enter(&self, mistakes: Mistakes, workspace: &str) -> Result<(), Status> {
        mistakes.done()?;
        if self.workspaces.contains_key(workspace) { Ok(()) } else { Err(status::not_found("workspace", workspace)) }
    }
}

/// Refuses what would be one too many.
fn room(full: Result<bool, Error>, reason: &str, most: usize, what: &str) -> Result<(), Status> {
    match full.map_err(|error| status::bus(&error))? {
        true => Err(exhausted(reason, most, what)),
        false => Ok(()),
    }
}

fn exhausted(reason: &str, most: usize, what: &str) -> Status {
    refused(Code::ResourceExhausted, reason, "", format!("the workspace has {most} {what}: delete one first"))
}

/// A write that named an etag and met another is ABORTED; else it is the bus.
fn write_failed(error: &Error, expected: Option<u64>) -> Status {
    match (error, expected) {
        (Error::Conflict, Some(_)) => {
            refused(Code::Aborted, "MOVED_ON", "", "it has another etag by now, or is gone: list it again")
        }
        _ => status::bus(error),
    }
}

/// Agents that a team names and the directory does not have.
fn unknown_agents(team: &v1::Team, Unknown(places): Unknown) -> Status {
    let mut mistakes = Mistakes::default();
    for nth in places {
        let shown: String = team.agent_ids.get(nth).map(|id| id.chars().take(80).collect()).unwrap_or_default();
        mistakes.add(format!("team.agent_ids[{nth}]"), format!("{shown:?} is not in the directory: upsert it first"));
    }
    mistakes.done().err().unwrap_or_else(|| Status::internal("a team was refused for nothing"))
}

/// The id after which the page begins that a token names.
fn position(mistakes: &mut Mistakes, tokens: &PageTokens, token: &str) -> Option<String> {
    let position = tokens.position(token).unwrap_or_else(|foreign| {
        mistakes.add("page_token", foreign.to_string());
        None
    });
    position.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn next_page(tokens: &PageTokens, last: Option<&str>, more: bool) -> String {
    last.filter(|_| more).map(|id| tokens.token(id.as_bytes())).unwrap_or_default()
}

#[tonic::async_trait]
impl DirectoryService for Directories {
    async fn upsert_agent(
        &self,
        request: Request<v1::UpsertAgentRequest>,
    ) -> Result<Response<v1::UpsertAgentResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &request.workspace);
        check::agent(&mut mistakes, request.agent.as_ref());
        let expected = check::etag(&mut mistakes, &request.etag);
        self.enter(mistakes, &request.workspace)?;
        let agent = v1::Agent { presence: None, ..request.agent.unwrap_or_default() };
        let full = self.roster.is_full_of_agents(&request.workspace, &agent.id, MAX_AGENTS).await;
        room(full, "TOO_MANY_AGENTS", MAX_AGENTS, "agents")?;
        let done = self.roster.upsert_agent(&request.workspace, agent.clone(), expected).await;
        let etag = done.map_err(|error| write_failed(&error, expected))?;
        let presence = self.roster.presence(&request.workspace, &agent.id, bus::now()).await;
        let presence = Some(presence.map_err(|error| status::bus(&error))?);
        let agent = Some(v1::Agent { presence, ..agent });
        Ok(Response::new(v1::UpsertAgentResponse { agent, etag: etag.to_string() }))
    }

    async fn upsert_team(
        &self,
        request: Request<v1::UpsertTeamRequest>,
    ) -> Result<Response<v1::UpsertTeamResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &request.workspace);
        check::team(&mut mistakes, request.team.as_ref());
        let expected = check::etag(&mut mistakes, &request.etag);
        self.enter(mistakes, &request.workspace)?;
        let team = request.team.unwrap_or_default();
        let full = self.roster.is_full_of_teams(&request.workspace, &team.id, MAX_TEAMS).await;
        room(full, "TOO_MANY_TEAMS", MAX_TEAMS, "teams")?;
        let done = self.roster.upsert_team(&request.workspace, team.clone(), expected).await;
        let etag = done.map_err(|error| write_failed(&error, expected))?;
        let etag = etag.map_err(|unknown| unknown_agents(&team, unknown))?;
        Ok(Response::new(v1::UpsertTeamResponse { team: Some(team), etag: etag.to_string() }))
    }

    async fn set_presence(
        &self,
        request: Request<v1::SetPresenceRequest>,
    ) -> Result<Response<v1::SetPresenceResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &request.workspace);
        id(&mut mistakes, "agent_id", &request.agent_id);
        let state = check::state(&mut mistakes, request.state);
        let ttl = check::ttl(&mut mistakes, request.ttl.as_ref());
        self.enter(mistakes, &request.workspace)?;
        let set = self.roster.set_presence(&request.workspace, &request.agent_id, state, ttl, bus::now()).await;
        let set = set.map_err(|error| status::bus(&error))?;
        let (presence, etag) = set.ok_or_else(|| status::not_found("agent", &request.agent_id))?;
        Ok(Response::new(v1::SetPresenceResponse { presence: Some(presence), etag: etag.to_string() }))
    }

    async fn list_agents(
        &self,
        request: Request<v1::ListAgentsRequest>,
    ) -> Result<Response<v1::ListAgentsResponse>, Status> {
        let v1::ListAgentsRequest { workspace: name, page_size, page_token } = request.into_inner();
        let tokens =
            PageTokens::new("ListAgents", &v1::ListAgentsRequest { workspace: name.clone(), ..Default::default() });
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &name);
        let size = check::page_size(&mut mistakes, page_size);
        let after = position(&mut mistakes, &tokens, &page_token);
        self.enter(mistakes, &name)?;
        let page = self.roster.agents(&name, after.as_deref(), size, bus::now()).await;
        let (agents, more) = page.map_err(|error| status::bus(&error))?;
        let next_page_token = next_page(&tokens, agents.last().map(|(agent, _)| agent.id.as_str()), more);
        let agents = agents.into_iter().map(|(agent, _)| agent).collect();
        Ok(Response::new(v1::ListAgentsResponse { agents, next_page_token }))
    }

    async fn list_teams(
        &self,
        request: Request<v1::ListTeamsRequest>,
    ) -> Result<Response<v1::ListTeamsResponse>, Status> {
        let v1::ListTeamsRequest { workspace: name, page_size, page_token } = request.into_inner();
        let tokens =
            PageTokens::new("ListTeams", &v1::ListTeamsRequest { workspace: name.clone(), ..Default::default() });
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &name);
        let size = check::page_size(&mut mistakes, page_size);
        let after = position(&mut mistakes, &tokens, &page_token);
        self.enter(mistakes, &name)?;
        let page = self.roster.teams(&name, after.as_deref(), size).await;
        let (teams, more) = page.map_err(|error| status::bus(&error))?;
        let next_page_token = next_page(&tokens, teams.last().map(|(team, _)| team.id.as_str()), more);
        let teams = teams.into_iter().map(|(team, _)| team).collect();
        Ok(Response::new(v1::ListTeamsResponse { teams, next_page_token }))
    }

    async fn delete_agent(
        &self,
        request: Request<v1::DeleteAgentRequest>,
    ) -> Result<Response<v1::DeleteAgentResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &request.workspace);
        id(&mut mistakes, "agent_id", &request.agent_id);
        self.enter(mistakes, &request.workspace)?;
        let deleted = self.roster.delete_agent(&request.workspace, &request.agent_id).await;
        match deleted.map_err(|error| status::bus(&error))? {
            true => Ok(Response::new(v1::DeleteAgentResponse {})),
            false => Err(status::not_found("agent", &request.agent_id)),
        }
    }

    async fn delete_team(
        &self,
        request: Request<v1::DeleteTeamRequest>,
    ) -> Result<Response<v1::DeleteTeamResponse>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        workspace(&mut mistakes, &request.workspace);
        id(&mut mistakes, "team_id", &request.team_id);
        self.enter(mistakes, &request.workspace)?;
        let deleted = self.roster.delete_team(&request.workspace, &request.team_id).await;
        match deleted.map_err(|error| status::bus(&error))? {
            true => Ok(Response::new(v1::DeleteTeamResponse {})),
            false => Err(status::not_found("team", &request.team_id)),
        }
    }
}
