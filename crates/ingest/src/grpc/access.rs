//! Tokens over gRPC.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Roster};
use conversation::Settings;
use proto::v1;
use proto::v1::access_service_server::{AccessService, AccessServiceServer};
use proto::v1::token::Role;
use service::access::{Caller, NewToken, TokenError, Tokens};
use service::status::{self, Mistakes, refused};
use tonic::{Code, Request, Response, Status};

use super::check;
use crate::Options;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Ten years: whoever wants more wants no end.
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3_653 * 24 * 60 * 60);
/// How long a rotated token is still taken: enough to put the other one wherever the old one is.
const OVERLAP: Duration = DAY;
const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// `AccessService`, ready to be served.
pub fn access_service(bus: &Bus, options: &Options) -> AccessServiceServer<Accesses> {
    let workspaces = Arc::new(options.workspaces.clone());
    AccessServiceServer::new(Accesses { tokens: Tokens::of(bus), roster: bus.roster(), workspaces })
}

/// Answers `AccessService`.
#[derive(Clone)]
pub struct Accesses {
    tokens: Tokens,
    roster: Roster,
    workspaces: Arc<BTreeMap<String, Settings>>,
}

impl Accesses {
    fn enter(&self, mistakes: Mistakes, workspace: &str) -> Result<(), Status> {
        mistakes.done()?;
        status::check_workspace(workspace, |name| self.workspaces.contains_key(name))
    }

    /// How the directory calls an agent; the id where it does not know one.
    async fn name_of(&self, workspace: &str, agent: &str) -> Result<String, Status> {
        let staff = self.roster.staff(workspace).await.map_err(|error| status::bus(&error))?;
        let known = staff.agent(agent).cloned();
        Ok(known.map(|agent| agent.display_name).filter(|name| !name.is_empty()).unwrap_or_else(|| agent.to_owned()))
    }

    /// Refuses to touch a token that goes further than that of who asks.
    async fn no_further(&self, caller: &Caller, workspace: &str, id: &str) -> Result<(), Status> {
        let all = self.tokens.list(Some(workspace)).await.map_err(|error| status::bus(&error))?;
        match all.into_iter().find(|token| token.id == id) {
            Some(token) => within(caller, token.role()),
            None => Err(status::not_found("token", id)),
        }
    }
}

/// Nobody gives what they do not have.
fn within(caller: &Caller, role: Role) -> Result<(), Status> {
    if role <= caller.token().role() {
        return Ok(());
    }
    let why = "a token of role SERVICE takes one of that role: an operator makes it beside the bus, with --nats";
    Err(refused(Code::PermissionDenied, "ROLE_TOO_LOW", "", why))
}

fn failed(error: &TokenError, id: &str) -> Status {
    match error {
        TokenError::Unknown => status::not_found("token", id),
        TokenError::Ended => refused(Code::FailedPrecondition, "TOKEN_ENDED", id, error.to_string()),
        TokenError::Full => refused(Code::ResourceExhausted, "TOO_MANY_TOKENS", "", error.to_string()),
        TokenError::Bus(error) => status::bus(error),
    }
}

fn duration(
    mistakes: &mut Mistakes,
    field: &str,
    given: Option<prost_types::Duration>,
    range: &RangeInclusive<Duration>,
    bounds: &str,
) -> Option<Duration> {
    let read = Duration::try_from(given?).ok().filter(|duration| range.contains(duration));
    mistakes.unless(read.is_some(), field, bounds);
    read
}

#[tonic::async_trait]
impl AccessService for Accesses {
    async fn who_am_i(&self, request: Request<v1::WhoAmIRequest>) -> Result<Response<v1::WhoAmIResponse>, Status> {
        let token = Some(Caller::of(request.extensions()).token().clone());
        Ok(Response::new(v1::WhoAmIResponse { token }))
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Result<Response<v1::CreateTokenResponse>, Status> {
        let caller = Caller::of(request.extensions());
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        let role = request.role();
        check::id(&mut mistakes, "name", &request.name);
        mistakes.unless(role != Role::Unspecified, "role", "is missing or unknown");
        match role {
            Role::Agent => check::id(&mut mistakes, "agent_id", &request.agent_id),
            Role::Admin => check::short(&mut mistakes, "agent_id", &request.agent_id),
            _ => mistakes.unless(request.agent_id.is_empty(), "agent_id", "is for the roles AGENT and ADMIN"),
        }
        let ttl = duration(&mut mistakes, "ttl", request.ttl, &TTL, "has to be 1 s to ten years");
        self.enter(mistakes, &request.workspace)?;
        within(&caller, role)?;
        let agent_name = match request.agent_id.as_str() {
            "" => String::new(),
            agent => self.name_of(&request.workspace, agent).await?,
        };
        let (workspace, name, agent_id) = (request.workspace, request.name, request.agent_id);
        let made = self.tokens.create(NewToken { workspace, name, role, agent_id, agent_name, ttl }).await;
        let (token, secret) = made.map_err(|error| failed(&error, ""))?;
        tracing::info!(token = token.id, workspace = token.workspace, by = caller.token().id, "token made");
        Ok(Response::new(v1::CreateTokenResponse { token: Some(token), secret: secret.expose().to_owned() }))
    }

    async fn list_tokens(
        &self,
        request: Request<v1::ListTokensRequest>,
    ) -> Result<Response<v1::ListTokensResponse>, Status> {
        let workspace = request.into_inner().workspace;
        self.enter(Mistakes::default(), &workspace)?;
        let tokens = self.tokens.list(Some(&workspace)).await.map_err(|error| status::bus(&error))?;
        Ok(Response::new(v1::ListTokensResponse { tokens }))
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<Response<v1::RevokeTokenResponse>, Status> {
        let caller = Caller::of(request.extensions());
        let request = request.into_inner();
        self.enter(Mistakes::default(), &request.workspace)?;
        self.no_further(&caller, &request.workspace, &request.id).await?;
        let token = self.tokens.revoke(Some(&request.workspace), &request.id).await;
        let token = token.map_err(|error| failed(&error, &request.id))?;
        tracing::info!(token = token.id, workspace = token.workspace, by = caller.token().id, "token revoked");
        Ok(Response::new(v1::RevokeTokenResponse { token: Some(token) }))
    }

    async fn rotate_token(
        &self,
        request: Request<v1::RotateTokenRequest>,
    ) -> Result<Response<v1::RotateTokenResponse>, Status> {
        let caller = Caller::of(request.extensions());
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        let range = Duration::ZERO..=LONGEST_OVERLAP;
        let overlap = duration(&mut mistakes, "overlap", request.overlap, &range, "has to be 0 s to 30 days");
        self.enter(mistakes, &request.workspace)?;
        self.no_further(&caller, &request.workspace, &request.id).await?;
        let made = self.tokens.rotate(Some(&request.workspace), &request.id, overlap.unwrap_or(OVERLAP)).await;
        let (token, secret) = made.map_err(|error| failed(&error, &request.id))?;
        tracing::info!(token = token.id, before = request.id, by = caller.token().id, "token rotated");
        Ok(Response::new(v1::RotateTokenResponse { token: Some(token), secret: secret.expose().to_owned() }))
    }
}
