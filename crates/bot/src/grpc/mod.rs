//! `BotService`: knowledge is put in force, and answers on trial.
// tonic's own error is large, and every method of a service has to answer with it.
#![allow(clippy::result_large_err)]

mod answer;
mod import;
mod shadow;

use bus::Bus;
use futures::StreamExt;
use futures::stream::BoxStream;
use proto::v1;
use proto::v1::bot_service_server::{BotService, BotServiceServer};
use service::status::{self, refused};
use tonic::{Code, Request, Response, Status};

use crate::brain::Brain;
use crate::knowledge::Store;
use crate::{Library, Options, Retrieval};

/// `BotService`, ready to be served. [`Library::start`] keeps it up to date.
pub fn bot_service(bus: Bus, library: Library, options: Options) -> BotServiceServer<Answers> {
    let (store, retrieval) = (Store::new(&bus), Retrieval::new(library.clone()));
    let answers = Answers { bus, store, library, retrieval, options };
    BotServiceServer::new(answers).max_decoding_message_size(service::MAX_REQUEST_BYTES)
}

/// Answers `BotService`.
#[derive(Clone)]
pub struct Answers {
    bus: Bus,
    store: Store,
    library: Library,
    retrieval: Retrieval,
    options: Options,
}

#[tonic::async_trait]
impl BotService for Answers {
    async fn import_knowledge(
        &self,
        request: Request<v1::ImportKnowledgeRequest>,
    ) -> Result<Response<v1::ImportKnowledgeResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.import(request).await.map(Response::new)
    }

    async fn list_knowledge(
        &self,
        request: Request<v1::ListKnowledgeRequest>,
    ) -> Result<Response<v1::ListKnowledgeResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.page(request).await.map(Response::new)
    }

    async fn delete_knowledge(
        &self,
        request: Request<v1::DeleteKnowledgeRequest>,
    ) -> Result<Response<v1::DeleteKnowledgeResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        self.delete(request).await.map(Response::new)
    }

    async fn answer(&self, request: Request<v1::AnswerRequest>) -> Result<Response<v1::AnswerResponse>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        let thought = self.retrieval.think(answer::question(request)?).await.map_err(|error| {
            tracing::warn!(%error, "a question can't be answered");
            refused(Code::Unavailable, "BUS_AWAY", "", "what the workspace knows can't be read now: try again")
        })?;
        Ok(Response::new(answer::response(thought)))
    }

    type ShadowStream = BoxStream<'static, Result<v1::ShadowResponse, Status>>;

    async fn shadow(&self, request: Request<v1::ShadowRequest>) -> Result<Response<Self::ShadowStream>, Status> {
        let request = request.into_inner();
        self.workspace(&request.workspace)?;
        Ok(Response::new(self.run_shadow(request).await?.boxed()))
    }
}

impl Answers {
    fn workspace(&self, workspace: &str) -> Result<(), Status> {
        status::check_workspace(workspace, |name| self.options.knows(name))
    }
}
