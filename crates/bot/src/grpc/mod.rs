//! `BotService`: knowledge is put in force, and answers on trial.
// tonic's own error is large, and every method of a service has to answer with it.
#![allow(clippy::result_large_err)]

use bus::Bus;
use proto::v1;
use proto::v1::bot_service_server::{BotService, BotServiceServer};
use service::status;
use tonic::{Request, Response, Status};

use crate::{Library, Options};

/// `BotService`, ready to be served. [`Library::start`] keeps it up to date.
pub fn bot_service(bus: Bus, library: Library, options: Options) -> BotServiceServer<Answers> {
    BotServiceServer::new(Answers { bus, library, options }).max_decoding_message_size(service::MAX_REQUEST_BYTES)
}

/// Answers `BotService`.
#[derive(Clone)]
pub struct Answers {
    bus: Bus,
    library: Library,
    options: Options,
}

#[tonic::async_trait]
impl BotService for Answers {
    async fn import_knowledge(
        &self,
        request: Request<v1::ImportKnowledgeRequest>,
    ) -> Result<Response<v1::ImportKnowledgeResponse>, Status> {
        self.workspace(&request.get_ref().workspace)?;
        let _ = (&self.bus, &self.library);
        Err(Status::unimplemented("not yet"))
    }

    async fn list_knowledge(
        &self,
        request: Request<v1::ListKnowledgeRequest>,
    ) -> Result<Response<v1::ListKnowledgeResponse>, Status> {
        self.workspace(&request.get_ref().workspace)?;
        Err(Status::unimplemented("not yet"))
    }

    async fn delete_knowledge(
        &self,
        request: Request<v1::DeleteKnowledgeRequest>,
    ) -> Result<Response<v1::DeleteKnowledgeResponse>, Status> {
        self.workspace(&request.get_ref().workspace)?;
        Err(Status::unimplemented("not yet"))
    }

    async fn answer(&self, request: Request<v1::AnswerRequest>) -> Result<Response<v1::AnswerResponse>, Status> {
        self.workspace(&request.get_ref().workspace)?;
        Err(Status::unimplemented("not yet"))
    }
}

impl Answers {
    fn workspace(&self, workspace: &str) -> Result<(), Status> {
        status::check_workspace(workspace, |name| self.options.knows(name))
    }
}
