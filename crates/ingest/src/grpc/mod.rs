//! Commands over gRPC.
// tonic's own error is large, and every method of a service has to answer with it.
#![allow(clippy::result_large_err)]

mod access;
mod ask;
mod check;
mod contacts;
mod content;
mod desk;
mod directory;
mod media;
mod read;
mod receive;
mod refusal;

use std::sync::Arc;

use bus::{Bus, Files, TraceParent};
use conversation::{Action, IfOpen, TicketId, Which};
use proto::v1;
use proto::v1::conversation_service_server::{ConversationService, ConversationServiceServer};
use proto::v1::send_message_request::Content;
use service::status::{self, Mistakes};
use tonic::{Request, Response, Status};

use crate::Options;
pub use access::{Accesses, access_service};
pub use contacts::{Contacts, contact_service};
pub use directory::{Directories, directory_service};

use ask::Ask;
use desk::{Desk, Done, Known};

/// `ConversationService`, ready to be served.
pub fn conversation_service(bus: Bus, options: &Options) -> ConversationServiceServer<Conversations> {
    let files = Files::new(bus.clone(), options.media_directory.clone());
    let conversations = Conversations(Arc::new(Desk::new(bus, options.workspaces.clone())), files);
    ConversationServiceServer::new(conversations).max_decoding_message_size(service::MAX_REQUEST_BYTES)
}

/// Answers `ConversationService`.
#[derive(Clone)]
pub struct Conversations(Arc<Desk>, Files);

impl Conversations {
    /// Checks a command, finds its conversation, and decides the one action that it comes to.
    async fn act<A: Ask>(
        &self,
        request: Request<A>,
        check: impl FnOnce(&mut Mistakes, &A),
        action: impl FnOnce(&A, &Known) -> Result<Action, Status>,
    ) -> Result<(Done, Known), Status> {
        let trace = trace(&request);
        let ask = request.into_inner();
        let known = self.enter(&ask, check).await?;
        let action = action(&ask, &known)?;
        let done = self.0.decide(&known, &ask, vec![action], trace).await?;
        Ok((done, known))
    }

    async fn enter<A: Ask>(&self, ask: &A, check: impl FnOnce(&mut Mistakes, &A)) -> Result<Known, Status> {
        let mut mistakes = Mistakes::default();
        check::head(&mut mistakes, &ask.head());
        check(&mut mistakes, ask);
        mistakes.done()?;
        self.0.known(&ask.head()).await
    }
}

/// The trace that a request belongs to.
fn trace<T>(request: &Request<T>) -> TraceParent {
    let given = request.metadata().get(TraceParent::HEADER).and_then(|value| value.to_str().ok());
    given.and_then(TraceParent::parse).unwrap_or_else(TraceParent::start)
}

/// Nothing more to check.
fn fine<A>(_: &mut Mistakes, _: &A) {}

fn open_ticket(request: &v1::OpenTicketRequest) -> Action {
    Action::OpenTicket {
        topic: request.topic.clone(),
        assignee: request.assignee.as_ref().and_then(proto::assignee_from),
        if_open: if request.unless_open { IfOpen::ReturnPrimary } else { IfOpen::Nest },
    }
}

fn close_ticket(request: &v1::CloseTicketRequest) -> Action {
    Action::CloseTicket(match (request.all, request.ticket_id.as_str()) {
        (true, _) => Which::All,
        (false, "") => Which::Last,
        (false, id) => Which::Named(TicketId::new(id)),
    })
}

/// What a command that has no action of its own would be: none gets this far, since each was checked.
fn nothing_opened() -> Status {
    Status::internal("the decision opened nothing")
}

#[tonic::async_trait]
impl ConversationService for Conversations {
    async fn receive_message(
        &self,
        request: Request<v1::ReceiveMessageRequest>,
    ) -> Result<Response<v1::ReceiveMessageResponse>, Status> {
        let trace = trace(&request);
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        receive::check(&mut mistakes, &request);
        mistakes.done()?;
        Ok(Response::new(self.0.receive(request, &trace).await?))
    }

    async fn send_message(
        &self,
        request: Request<v1::SendMessageRequest>,
    ) -> Result<Response<v1::SendMessageResponse>, Status> {
        media::check_sent(&self.1, request.get_ref()).await?;
        let trace = trace(&request);
        let request = request.into_inner();
        let known = self.enter(&request, content::check).await?;
        let message = content::message(request.clone());
        let kind = message.r#type.clone();
        let sealed = known.keyring.seal(&v1::SealedMessage { contact: None, message: Some(message) });
        let say = vec![Action::SendMessage { kind, sealed }];
        let done = match request.content {
            Some(Content::Template(_)) => self.0.decide(&known, &request, say, trace).await?,
            _ => self.0.decide_in_window(&known, &request, say, trace).await?,
        };
        Ok(Response::new(v1::SendMessageResponse { message_id: done.said(), revision: done.revision }))
    }

    async fn add_note(&self, request: Request<v1::AddNoteRequest>) -> Result<Response<v1::AddNoteResponse>, Status> {
        let note = |request: &v1::AddNoteRequest, known: &Known| {
            let sealed = known.keyring.seal(&v1::SealedNote { text: request.text.clone() });
            Ok(Action::AddNote { sealed })
        };
        let check = |mistakes: &mut Mistakes, request: &_| check_note(mistakes, request);
        let (done, _) = self.act(request, check, note).await?;
        Ok(Response::new(v1::AddNoteResponse { note_id: done.said(), revision: done.revision }))
    }

    async fn add_tag(&self, request: Request<v1::AddTagRequest>) -> Result<Response<v1::AddTagResponse>, Status> {
        let check = |mistakes: &mut Mistakes, request: &v1::AddTagRequest| check::tag(mistakes, &request.tag);
        let add = |request: &v1::AddTagRequest, _: &Known| Ok(Action::AddTag(request.tag.clone()));
        let (done, _) = self.act(request, check, add).await?;
        Ok(Response::new(v1::AddTagResponse { revision: done.revision }))
    }

    async fn remove_tag(
        &self,
        request: Request<v1::RemoveTagRequest>,
    ) -> Result<Response<v1::RemoveTagResponse>, Status> {
        let check = |mistakes: &mut Mistakes, request: &v1::RemoveTagRequest| check::tag(mistakes, &request.tag);
        let remove = |request: &v1::RemoveTagRequest, _: &Known| Ok(Action::RemoveTag(request.tag.clone()));
        let (done, _) = self.act(request, check, remove).await?;
        Ok(Response::new(v1::RemoveTagResponse { revision: done.revision }))
    }

    async fn open_ticket(
        &self,
        request: Request<v1::OpenTicketRequest>,
    ) -> Result<Response<v1::OpenTicketResponse>, Status> {
        let check = |mistakes: &mut Mistakes, request: &v1::OpenTicketRequest| {
            check::short(mistakes, "topic", &request.topic);
            if let Some(assignee) = &request.assignee {
                check::assignee(mistakes, assignee);
            }
        };
        let (done, known) = self.act(request, check, |request, _| Ok(open_ticket(request))).await?;
        let ticket = match done.found_primary() {
            Some(primary) => {
                // What opening found says nothing of the assignee: the state does.
                let state = self.0.bus.state(&known.workspace, &known.conversation).await;
                let state = state.map_err(|error| status::bus(&error))?;
                Some(known.open_ticket(primary, state.assignee.as_ref()))
            }
            None => done.opened(&known),
        };
        let ticket = Some(ticket.ok_or_else(nothing_opened)?);
        Ok(Response::new(v1::OpenTicketResponse { ticket, revision: done.revision }))
    }

    async fn close_ticket(
        &self,
        request: Request<v1::CloseTicketRequest>,
    ) -> Result<Response<v1::CloseTicketResponse>, Status> {
        let check = |mistakes: &mut Mistakes, request: &v1::CloseTicketRequest| {
            check::short(mistakes, "ticket_id", &request.ticket_id);
            let both = request.all && !request.ticket_id.is_empty();
            mistakes.unless(!both, "ticket_id", "can't stand beside `all`");
        };
        let (done, known) = self.act(request, check, |request, _| Ok(close_ticket(request))).await?;
        Ok(Response::new(v1::CloseTicketResponse { tickets: done.closed(&known), revision: done.revision }))
    }

    async fn assign_conversation(
        &self,
        request: Request<v1::AssignConversationRequest>,
    ) -> Result<Response<v1::AssignConversationResponse>, Status> {
        let check = |mistakes: &mut Mistakes, request: &v1::AssignConversationRequest| match &request.assignee {
            Some(assignee) => check::assignee(mistakes, assignee),
            None => mistakes.add("assignee", "is missing"),
        };
        let assign = |request: &v1::AssignConversationRequest, _: &Known| {
            let assignee = request.assignee.as_ref().and_then(proto::assignee_from);
            assignee.map(Action::Assign).ok_or_else(|| status::invalid("assignee", "is missing"))
        };
        let (done, _) = self.act(request, check, assign).await?;
        Ok(Response::new(v1::AssignConversationResponse { revision: done.revision }))
    }

    async fn unassign_conversation(
        &self,
        request: Request<v1::UnassignConversationRequest>,
    ) -> Result<Response<v1::UnassignConversationResponse>, Status> {
        let (done, _) = self.act(request, fine, |_, _| Ok(Action::Unassign)).await?;
        Ok(Response::new(v1::UnassignConversationResponse { revision: done.revision }))
    }

    async fn pause_bot(&self, request: Request<v1::PauseBotRequest>) -> Result<Response<v1::PauseBotResponse>, Status> {
        let (done, _) = self.act(request, fine, |_, _| Ok(Action::PauseBot)).await?;
        Ok(Response::new(v1::PauseBotResponse { revision: done.revision }))
    }

    async fn resume_bot(
        &self,
        request: Request<v1::ResumeBotRequest>,
    ) -> Result<Response<v1::ResumeBotResponse>, Status> {
        let (done, _) = self.act(request, fine, |_, _| Ok(Action::ResumeBot)).await?;
        Ok(Response::new(v1::ResumeBotResponse { revision: done.revision }))
    }

    async fn mark_read(&self, request: Request<v1::MarkReadRequest>) -> Result<Response<v1::MarkReadResponse>, Status> {
        let trace = trace(&request);
        let request = request.into_inner();
        let known = self.enter(&request, read::check).await?;
        let revision = self.0.mark_read(request, &known.conversation, known.channel, &trace).await?;
        Ok(Response::new(v1::MarkReadResponse { revision }))
    }

    async fn upload_media(
        &self,
        request: Request<v1::UploadMediaRequest>,
    ) -> Result<Response<v1::UploadMediaResponse>, Status> {
        Ok(Response::new(media::upload(&self.0, &self.1, request.into_inner()).await?))
    }

    type GetMediaStream = media::Parts;

    async fn get_media(&self, request: Request<v1::GetMediaRequest>) -> Result<Response<media::Parts>, Status> {
        Ok(Response::new(media::get(&self.0, &self.1, request.get_ref()).await?))
    }
}

fn check_note(mistakes: &mut Mistakes, request: &v1::AddNoteRequest) {
    check::note(mistakes, "text", &request.text);
}
