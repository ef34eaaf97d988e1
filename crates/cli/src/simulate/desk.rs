use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proto::v1;
use tokio::time::{Instant, sleep};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use super::directory::Directory;
use super::run::End;
use super::story::{Act, Speaker};
use super::tally::Tally;
use crate::client::{Client, timely};

/// How long an agent tries when nobody answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pauses between attempts: the first and the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where agents, the bot and rules work.
pub(super) struct Desk {
    client: Client,
    workspace: String,
    directory: Directory,
    tally: Arc<Tally>,
    end: End,
}

/// One thing to be done.
pub(super) struct Order<'a> {
    pub(super) conversation: &'a str,
    pub(super) speaker: &'a Speaker,
    pub(super) act: &'a Act,
    /// So that it is done once, however often it is tried.
    pub(super) command_id: String,
}

/// Calls a command until it is decided, with the same command id.
macro_rules! insist {
    ($desk:expr, $method:ident, $request:expr) => {{
        let request = $request;
        $desk
            .insist(|| {
                let (mut client, request) = ($desk.client.conversations(), request.clone());
                async move { client.$method(timely(request)).await }
            })
            .await?
    }};
}

impl Desk {
    pub(super) fn new(client: Client, workspace: &str, channel: String, tally: Arc<Tally>, end: End) -> Desk {
        let directory = Directory::new(client.clone(), workspace, channel);
        Desk { client, workspace: workspace.to_owned(), directory, tally, end }
    }

    /// The conversation of a customer who has written.
    pub(super) async fn conversation(&self, number: &str) -> Option<String> {
        let found = tokio::select! {
            found = self.directory.find(number) => found,
            () = self.end.stop.begun() => return None,
        };
        if found.is_none() {
            self.tally.commands_given_up.add(1);
        }
        found
    }

    /// Does it. `Some` with the id of the message, if it was one that was sent.
    pub(super) async fn act(&self, order: Order<'_>) -> Option<String> {
        let command_id = order.command_id.clone();
        let (revision, message) = match order.act {
            Act::Open { .. } | Act::Close | Act::CloseAll => (self.ticket(order).await?, None),
            Act::Say(_) | Act::Note(_) => self.words(order).await?,
            Act::Assign(_) | Act::Unassign => (self.holder(order).await?, None),
            Act::Tag(_) | Act::Read => (self.mark(order).await?, None),
        };
        self.tally.commanded(&command_id, revision);
        message
    }

    async fn ticket(&self, order: Order<'_>) -> Option<i64> {
        let (workspace, conversation_id) = (self.workspace.clone(), order.conversation.to_owned());
        let (actor, command_id) = (Some(order.speaker.actor()), order.command_id);
        if let Act::Open { topic, assignee } = order.act {
            let opened = insist!(
                self,
                open_ticket,
                v1::OpenTicketRequest {
                    workspace,
                    conversation_id,
                    actor,
                    command_id,
                    topic: topic.clone(),
                    assignee: assignee.clone(),
                    ..v1::OpenTicketRequest::default()
                }
            );
            self.tally.tickets_opened.add(1);
            return Some(opened.revision);
        }
        let closed = insist!(
            self,
            close_ticket,
            v1::CloseTicketRequest {
                workspace,
                conversation_id,
                actor,
                command_id,
                all: *order.act == Act::CloseAll,
                ..v1::CloseTicketRequest::default()
            }
        );
        self.tally.tickets_closed.add(closed.tickets.len());
        Some(closed.revision)
    }

    async fn words(&self, order: Order<'_>) -> Option<(i64, Option<String>)> {
        let (workspace, conversation_id) = (self.workspace.clone(), order.conversation.to_owned());
        let (actor, command_id) = (Some(order.speaker.actor()), order.command_id);
        match order.act {
            Act::Note(text) => {
                let text = text.clone();
                let expected_revision = None;
                let request =
                    v1::AddNoteRequest { workspace, conversation_id, actor, text, command_id, expected_revision };
                Some((insist!(self, add_note, request).revision, None))
            }
            Act::Say(text) => {
                let sent = insist!(
                    self,
                    send_message,
                    v1::SendMessageRequest {
                        workspace,
                        conversation_id,
                        actor,
                        command_id,
                        content: Some(v1::send_message_request::Content::Text(text.clone())),
                        ..v1::SendMessageRequest::default()
                    }
                );
                Some((sent.revision, Some(sent.message_id)))
            }
            _ => None,
        }
    }

    async fn holder(&self, order: Order<'_>) -> Option<i64> {
        let (workspace, conversation_id) = (self.workspace.clone(), order.conversation.to_owned());
        let (actor, command_id, expected_revision) = (Some(order.speaker.actor()), order.command_id, None);
        if let Act::Assign(assignee) = order.act {
            let assignee = Some(assignee.clone());
            let request = v1::AssignConversationRequest {
                workspace,
                conversation_id,
                actor,
                assignee,
                command_id,
                expected_revision,
            };
            return Some(insist!(self, assign_conversation, request).revision);
        }
        let request =
            v1::UnassignConversationRequest { workspace, conversation_id, actor, command_id, expected_revision };
        Some(insist!(self, unassign_conversation, request).revision)
    }

    async fn mark(&self, order: Order<'_>) -> Option<i64> {
        let (workspace, conversation_id) = (self.workspace.clone(), order.conversation.to_owned());
        let (actor, command_id, expected_revision) = (Some(order.speaker.actor()), order.command_id, None);
        if let Act::Tag(tag) = order.act {
            let tag = tag.clone();
            let request = v1::AddTagRequest { workspace, conversation_id, actor, tag, command_id, expected_revision };
            return Some(insist!(self, add_tag, request).revision);
        }
        let through_revision = 0;
        let request =
            v1::MarkReadRequest { workspace, conversation_id, actor, through_revision, command_id, expected_revision };
        Some(insist!(self, mark_read, request).revision)
    }

    /// Tries until it is done or refused. `None` for the latter, and when patience or time is up.
    async fn insist<T, F>(&self, call: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let deadline = Instant::now() + PATIENCE;
        let attempts = async {
            let mut pause = PAUSE;
            loop {
                match call().await {
                    Ok(answer) => return Ok(answer.into_inner()),
                    Err(status) if passing(&status) && Instant::now() < deadline => {
                        self.tally.retries.add(1);
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                    Err(status) => return Err(status),
                }
            }
        };
        let done = tokio::select! {
            done = attempts => done,
            () = self.end.give_up.begun() => Err(Status::cancelled("the simulation ended")),
        };
        done.inspect_err(|status| self.refused(status)).ok()
    }

    fn refused(&self, status: &Status) {
        match passing(status) {
            true => self.tally.commands_given_up.add(1),
            false => {
                tracing::debug!(code = ?status.code(), message = status.message(), "a simulated command was refused");
                self.tally.commands_refused.add(1);
            }
        }
    }
}

/// Whether it may work the next time: what the connection and not the server says, and what the server calls passing.
fn passing(status: &Status) -> bool {
    let ours = status.get_details_error_info().is_some();
    let connection = matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled) && !ours;
    connection || matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded)
}
