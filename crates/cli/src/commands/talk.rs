//! What an agent says, and what it says about a conversation.

use clap::{Args, Subcommand};
use proto::v1;

use super::answer;
use crate::client::timely;
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who::Acting;

const SEND_EXAMPLES: &str = "\
Examples:
  threadmark send Maya \"Your parcel is on its way.\"
  threadmark send 12125550100 \"Done!\" --agent ana --agent-name Ana
An agent who writes into a conversation that nobody holds becomes its assignee.";

/// Writes to the customer.
#[derive(Debug, Args)]
#[command(after_help = SEND_EXAMPLES)]
pub(crate) struct Send {
    /// Its id, or its contact's name or number
    conversation: String,
    /// What to say, at most 4,096 characters
    text: String,
    /// The id of the message that this one answers
    #[arg(long, value_name = "MESSAGE", default_value = "", hide_default_value = true)]
    reply_to: String,
    #[command(flatten)]
    acting: Acting,
}

impl Send {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::SendMessageRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            content: Some(v1::send_message_request::Content::Text(self.text)),
            reply_to: self.reply_to,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let sent = session.client.conversations().send_message(timely(request)).await;
        let sent = sent.map_err(|status| session.failure(status))?.into_inner();
        let words = format!("message {} at revision {}", sent.message_id, sent.revision);
        answer(session, "SendMessageResponse", &sent, &words)
    }
}

/// Writes a note that only the staff sees.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark note Maya \"Carrier says Friday.\"")]
pub(crate) struct Note {
    /// Its id, or its contact's name or number
    conversation: String,
    /// What to note
    text: String,
    #[command(flatten)]
    acting: Acting,
}

impl Note {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::AddNoteRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            text: self.text,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let noted = session.client.conversations().add_note(timely(request)).await;
        let noted = noted.map_err(|status| session.failure(status))?.into_inner();
        let words = format!("note {} at revision {}", noted.note_id, noted.revision);
        answer(session, "AddNoteResponse", &noted, &words)
    }
}

/// Adds a tag to a conversation, or removes one.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  threadmark tag add Maya vip")]
pub(crate) enum Tag {
    /// Add a tag
    Add(Tagging),
    /// Remove a tag
    Remove(Tagging),
}

/// Which tag of which conversation.
#[derive(Debug, Args)]
pub(crate) struct Tagging {
    /// Its id, or its contact's name or number
    conversation: String,
    /// 1 to 64 bytes
    tag: String,
    #[command(flatten)]
    acting: Acting,
}

impl Tag {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Tag::Add(tagging) => tagging.add(session).await,
            Tag::Remove(tagging) => tagging.remove(session).await,
        }
    }
}

impl Tagging {
    async fn add(self, session: &Session) -> Result<(), Failure> {
        let request = v1::AddTagRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            tag: self.tag,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().add_tag(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "AddTagResponse", &done, &format!("tagged, at revision {}", done.revision))
    }

    async fn remove(self, session: &Session) -> Result<(), Failure> {
        let request = v1::RemoveTagRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            tag: self.tag,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().remove_tag(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "RemoveTagResponse", &done, &format!("untagged, at revision {}", done.revision))
    }
}

/// Marks a conversation as read.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark read Maya")]
pub(crate) struct Read {
    /// Its id, or its contact's name or number
    conversation: String,
    /// The newest entry that was seen; everything so far when left out
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    through: i64,
    #[command(flatten)]
    acting: Acting,
}

impl Read {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::MarkReadRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            through_revision: self.through,
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().mark_read(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "MarkReadResponse", &done, &format!("read, at revision {}", done.revision))
    }
}
