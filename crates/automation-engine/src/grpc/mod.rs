//! `AutomationService`: rules are put in force, and tell what they did.
// tonic's own error is large, and every method of a service has to answer with it.
#![allow(clippy::result_large_err)]

mod apply;
mod backtest;
mod check;
mod list;
mod runs;
mod shown;

use std::pin::Pin;

use bus::HandlerError;
use conversation::ConversationId;
use futures::Stream;
use proto::v1;
use proto::v1::automation_service_server::{AutomationService, AutomationServiceServer};
use service::status::{self, Mistakes, refused};
use tonic::{Code, Request, Response, Status};

use crate::Engine;

/// `AutomationService`, ready to be served. [`Engine::prepare`] comes first.
pub fn automation_service(engine: Engine) -> AutomationServiceServer<Automations> {
    AutomationServiceServer::new(Automations(engine)).max_decoding_message_size(service::MAX_REQUEST_BYTES)
}

/// Answers `AutomationService`.
#[derive(Clone)]
pub struct Automations(pub(crate) Engine);

/// What a failure in the engine looks like to a client.
fn failed(error: &HandlerError) -> Status {
    match error {
        HandlerError::Retry(_) => {
            refused(Code::Unavailable, "BUS_AWAY", "", "something is away: try again with the same command_id")
        }
        HandlerError::GiveUp(reason) => {
            tracing::error!(reason, "a request failed for good");
            refused(Code::Internal, "FAILED", "", "it failed for good: the service's log says why")
        }
    }
}

#[tonic::async_trait]
impl AutomationService for Automations {
    type BacktestRulesStream = Pin<Box<dyn Stream<Item = Result<v1::BacktestRulesResponse, Status>> + Send>>;

    async fn apply_rules(
        &self,
        request: Request<v1::ApplyRulesRequest>,
    ) -> Result<Response<v1::ApplyRulesResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.apply(request).await.map(Response::new)
    }

    async fn list_rules(
        &self,
        request: Request<v1::ListRulesRequest>,
    ) -> Result<Response<v1::ListRulesResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.list(request).await.map(Response::new)
    }

    async fn delete_rule(
        &self,
        request: Request<v1::DeleteRuleRequest>,
    ) -> Result<Response<v1::DeleteRuleResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.delete(request).await.map(Response::new)
    }

    async fn backtest_rules(
        &self,
        request: Request<v1::BacktestRulesRequest>,
    ) -> Result<Response<Self::BacktestRulesStream>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        let answers = self.backtest(request).await?;
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_runs(&self, request: Request<v1::ListRunsRequest>) -> Result<Response<v1::ListRunsResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.runs(request).await.map(Response::new)
    }

    async fn run_rule(&self, request: Request<v1::RunRuleRequest>) -> Result<Response<v1::RunRuleResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        let actor = check::run_rule(&request)?;
        let known = self.0.bus.conversation(&request.workspace, &request.conversation_id).await;
        let known = known.map_err(|error| status::bus(&error))?;
        let conversation = ConversationId::parse(&request.conversation_id).filter(|_| known.is_some());
        let conversation = conversation.ok_or_else(|| status::not_found("conversation", &request.conversation_id))?;
        let given = request.command_id.as_str();
        let command = if given.is_empty() { nuid::next().to_string() } else { given.to_owned() };
        let run = self.0.run_manually(&request.workspace, &request.rule, &conversation, &actor, &command).await;
        let run = run.map_err(|error| failed(&error))?;
        let run = run.ok_or_else(|| status::not_found("rule", &request.rule))?;
        let revision = match run.revision {
            0 => self
                .0
                .bus
                .load(&request.workspace, &conversation)
                .await
                .map_err(|error| status::bus(&error))?
                .revision(),
            revision => u64::try_from(revision).unwrap_or(0),
        };
        let revision = i64::try_from(revision).unwrap_or(i64::MAX);
        Ok(Response::new(v1::RunRuleResponse { run: Some(shown::run(run)), revision }))
    }
}

impl Automations {
    fn workspace(&self, workspace: &str) -> Result<(), Status> {
        status::check_workspace(workspace, |name| self.0.options.knows(name))
    }
}

/// The etag of the rule sets of a workspace, as text.
fn etag(etag: u64) -> String {
    etag.to_string()
}

/// Checks that nothing is wrong.
fn done(mistakes: Mistakes) -> Result<(), Status> {
    mistakes.done()
}
