//! Commands on a conversation, as somebody who signed in.

use proto::v1;
use serde_json::json;
use tonic::Status;
use v1::send_message_request::Content;

use crate::failure::Failure;
use crate::lang::word;
use crate::services::Services;
use crate::session::Who;
use crate::words::{Fields, field};

/// The longest command id, in bytes; a longer one is none of ours.
const MAX_ID: usize = 64;

/// A command that somebody gives.
#[derive(Clone)]
pub(crate) struct Command<'a> {
    services: &'a Services,
    who: &'a Who,
    conversation: &'a str,
    id: String,
}

/// The fields that every request begins with.
macro_rules! request {
    ($kind:ident, $command:expr $(, $field:ident : $value:expr)* $(,)?) => {
        v1::$kind {
            workspace: $command.who.workspace.clone(),
            conversation_id: $command.conversation.to_owned(),
            actor: Some($command.who.actor()),
            command_id: $command.id.clone(),
            $($field: $value,)*
            ..v1::$kind::default()
        }
    };
}

impl<'a> Command<'a> {
    pub(crate) fn new(services: &'a Services, who: &'a Who, conversation: &'a str, id: &str) -> Command<'a> {
        let id = if id.is_empty() || id.len() > MAX_ID { nuid::next().to_string() } else { id.to_owned() };
        Command { services, who, conversation, id }
    }

    pub(crate) fn who(&self) -> &Who {
        self.who
    }

    /// One of several commands that one form gives.
    pub(crate) fn part(&self, name: &str) -> Command<'a> {
        Command { id: format!("{}.{name}", self.id), ..self.clone() }
    }

    pub(crate) async fn send(&self, content: Content, reply_to: String) -> Result<i64, Status> {
        let request = request!(SendMessageRequest, self, content: Some(content), reply_to: reply_to);
        Ok(self.services.conversations().send_message(request).await?.into_inner().revision)
    }

    pub(crate) async fn note(&self, text: String) -> Result<i64, Status> {
        let request = request!(AddNoteRequest, self, text: text);
        Ok(self.services.conversations().add_note(request).await?.into_inner().revision)
    }

    pub(crate) async fn tag(&self, tag: String) -> Result<i64, Status> {
        let request = request!(AddTagRequest, self, tag: tag);
        Ok(self.services.conversations().add_tag(request).await?.into_inner().revision)
    }

    pub(crate) async fn untag(&self, tag: String) -> Result<i64, Status> {
        let request = request!(RemoveTagRequest, self, tag: tag);
        Ok(self.services.conversations().remove_tag(request).await?.into_inner().revision)
    }

    pub(crate) async fn open(&self, topic: String) -> Result<i64, Status> {
        let request = request!(OpenTicketRequest, self, topic: topic);
        Ok(self.services.conversations().open_ticket(request).await?.into_inner().revision)
    }

    /// Closes a ticket, or the one opened last where none is named.
    pub(crate) async fn close(&self, ticket: String) -> Result<i64, Status> {
        let request = request!(CloseTicketRequest, self, ticket_id: ticket);
        Ok(self.services.conversations().close_ticket(request).await?.into_inner().revision)
    }

    pub(crate) async fn close_all(&self) -> Result<i64, Status> {
        let request = request!(CloseTicketRequest, self, all: true);
        Ok(self.services.conversations().close_ticket(request).await?.into_inner().revision)
    }

    pub(crate) async fn assign(&self, assignee: v1::Assignee) -> Result<i64, Status> {
        let request = request!(AssignConversationRequest, self, assignee: Some(assignee));
        Ok(self.services.conversations().assign_conversation(request).await?.into_inner().revision)
    }

    pub(crate) async fn unassign(&self) -> Result<i64, Status> {
        let request = request!(UnassignConversationRequest, self);
        Ok(self.services.conversations().unassign_conversation(request).await?.into_inner().revision)
    }

    pub(crate) async fn pause(&self) -> Result<i64, Status> {
        let request = request!(PauseBotRequest, self);
        Ok(self.services.conversations().pause_bot(request).await?.into_inner().revision)
    }

    pub(crate) async fn resume(&self) -> Result<i64, Status> {
        let request = request!(ResumeBotRequest, self);
        Ok(self.services.conversations().resume_bot(request).await?.into_inner().revision)
    }

    pub(crate) async fn read(&self) -> Result<i64, Status> {
        let request = request!(MarkReadRequest, self);
        Ok(self.services.conversations().mark_read(request).await?.into_inner().revision)
    }

    /// Runs a rule whose trigger is `manual`. One that was refused says why.
    pub(crate) async fn rule(&self, rule: String) -> Result<i64, Status> {
        let request = v1::RunRuleRequest {
            workspace: self.who.workspace.clone(),
            rule,
            conversation_id: self.conversation.to_owned(),
            actor: Some(self.who.actor()),
            command_id: self.id.clone(),
        };
        let answer = self.services.automation().run_rule(request).await?.into_inner();
        let run = answer.run.unwrap_or_default();
        match run.outcome() {
            v1::run::Outcome::Refused | v1::run::Outcome::Failed | v1::run::Outcome::NotMatched => {
                let why = run.actions.iter().find(|action| action.outcome() == v1::run_action::Outcome::Refused);
                let why = why.map_or(run.reason.as_str(), |action| action.detail.as_str());
                Err(Status::failed_precondition(format!("The rule {} did nothing: {why}", run.rule)))
            }
            _ => Ok(answer.revision),
        }
    }
}

/// A template of a form: its name, its language, and one line for each of its parameters.
pub(crate) fn template(form: &Fields) -> Result<v1::Template, Failure> {
    let name = field(form, "template").trim().to_owned();
    if name.is_empty() {
        return Err(Failure::Unreadable(word("Say which template.")));
    }
    let language = field(form, "language").trim();
    let lines = field(form, "parameters").lines().map(str::trim).filter(|line| !line.is_empty());
    let parameters: Vec<_> = lines.map(|line| json!({ "type": "text", "text": line })).collect();
    let components = if parameters.is_empty() {
        String::new()
    } else {
        json!([{ "type": "body", "parameters": parameters }]).to_string()
    };
    let language = if language.is_empty() { "en_US" } else { language }.to_owned();
    Ok(v1::Template { name, language, components_json: components })
}
