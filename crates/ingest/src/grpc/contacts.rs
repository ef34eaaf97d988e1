//! `ContactService`: what is held about a contact, and its end.

use std::collections::BTreeMap;
use std::future::ready;
use std::pin::Pin;

use bus::{Bus, EraseError, Files, Removed, TraceParent};
use conversation::{ConversationId, Settings};
use futures::{Stream, StreamExt, stream};
use proto::v1;
use proto::v1::contact_service_server::{ContactService, ContactServiceServer};
use service::status::{self, Mistakes};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

use super::{check, trace};
use crate::Options;

/// What was read and not yet taken by the client.
const READ_AHEAD: usize = 16;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// `ContactService`, ready to be served.
pub fn contact_service(bus: Bus, options: &Options) -> ContactServiceServer<Contacts> {
    let files = Files::new(bus.clone(), options.media_directory.clone());
    ContactServiceServer::new(Contacts { bus, files, workspaces: options.workspaces.clone() })
}

/// Answers `ContactService`.
#[derive(Clone)]
pub struct Contacts {
    bus: Bus,
    files: Files,
    workspaces: BTreeMap<String, Settings>,
}

impl Contacts {
    fn conversation(&self, workspace: &str, id: &str) -> Result<ConversationId, Status> {
        if !self.workspaces.contains_key(workspace) {
            return Err(status::not_found("workspace", workspace));
        }
        ConversationId::parse(id).ok_or_else(|| status::not_found("conversation", id))
    }
}

#[tonic::async_trait]
impl ContactService for Contacts {
    type ExportContactStream = Answers<v1::ExportContactResponse>;

    async fn export_contact(
        &self,
        request: Request<v1::ExportContactRequest>,
    ) -> Result<Response<Self::ExportContactStream>, Status> {
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        check::workspace(&mut mistakes, &request.workspace);
        check::id(&mut mistakes, "conversation_id", &request.conversation_id);
        mistakes.done()?;
        let conversation = self.conversation(&request.workspace, &request.conversation_id)?;
        let known = self.bus.conversation(&request.workspace, conversation.as_str()).await;
        if known.map_err(|error| status::bus(&error))?.is_none() {
            return Err(status::not_found("conversation", conversation.as_str()));
        }
        let (items, taken) = mpsc::channel(READ_AHEAD);
        let bus = self.bus.clone();
        let exported = async move {
            match bus.export(&request.workspace, &conversation, &items).await {
                Ok(true) => None,
                Ok(false) => Some(Err(status::not_found("conversation", conversation.as_str()))),
                Err(error) => Some(Err(status::bus(&error))),
            }
        };
        let items = ReceiverStream::new(taken).map(|item| Ok(v1::ExportContactResponse { item: Some(item) }));
        // The last word comes after all items, since those end when the export does.
        let export = stream::once(exported).filter_map(ready);
        Ok(Response::new(stream::select(items, export).boxed()))
    }

    type EraseContactStream = Answers<v1::EraseContactResponse>;

    async fn erase_contact(
        &self,
        request: Request<v1::EraseContactRequest>,
    ) -> Result<Response<Self::EraseContactStream>, Status> {
        let trace: TraceParent = trace(&request);
        let request = request.into_inner();
        let mut mistakes = Mistakes::default();
        check::workspace(&mut mistakes, &request.workspace);
        check::id(&mut mistakes, "conversation_id", &request.conversation_id);
        check::actor(&mut mistakes, request.actor.as_ref());
        mistakes.done()?;
        let conversation = self.conversation(&request.workspace, &request.conversation_id)?;
        let actor = request.actor.clone().unwrap_or_default();
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let contacts = self.clone();
        // It goes on when nobody listens any more: what was begun is to be finished.
        tokio::spawn(async move {
            // There are fewer steps than places.
            let told = |removed| drop(sender.try_send(Ok(told(removed))));
            let (bus, files) = (&contacts.bus, &contacts.files);
            match bus.erase(files, &request.workspace, &conversation, &actor, &trace, told).await {
                Ok(()) => tracing::info!(workspace = request.workspace, %conversation, "a contact was erased"),
                Err(error) => drop(sender.send(Err(refusal(&error, conversation.as_str()))).await),
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }
}

fn told(removed: Removed) -> v1::EraseContactResponse {
    v1::EraseContactResponse {
        step: removed.step.into(),
        count: i64::try_from(removed.count).unwrap_or(i64::MAX),
        revision: i64::try_from(removed.revision).unwrap_or(i64::MAX),
    }
}

fn refusal(error: &EraseError, conversation: &str) -> Status {
    match error {
        EraseError::Unknown => status::not_found("conversation", conversation),
        EraseError::TicketOpen => {
            let words = "a ticket is open, which nobody could close later: close it first";
            status::refused(Code::FailedPrecondition, "TICKET_OPEN", conversation, words)
        }
        EraseError::Bus(bus::Error::Refused { .. }) => {
            tracing::error!(%error, "an erasure was refused");
            let words = "the buckets of this deployment were made before erasing was possible: restore a backup of them \
                         into new ones, and erase again";
            status::refused(Code::FailedPrecondition, "OLD_BUCKETS", conversation, words)
        }
        EraseError::Bus(error) => status::bus(error),
    }
}
