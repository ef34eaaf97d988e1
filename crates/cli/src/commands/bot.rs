use clap::{Args, Subcommand};
use proto::v1;

use super::answer;
use super::knowledge::Answer;
use super::shadow::Shadow;
use crate::client::timely;
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who::Acting;

/// Asks the bot, or pauses and resumes it in a conversation.
#[derive(Debug, Subcommand)]
#[command(after_help = "The bot speaks only while no ticket is open, nobody is assigned and nothing has paused it.")]
pub(crate) enum Bot {
    /// Ask the bot what it would say, without a conversation
    Answer(Answer),
    /// Try the bot on recorded conversations, sending nothing
    Shadow(Shadow),
    /// Silence the bot until it is resumed
    Pause(InConversation),
    /// Let the bot speak again
    Resume(InConversation),
}

/// In which conversation.
#[derive(Debug, Args)]
pub(crate) struct InConversation {
    /// Its id, or its contact's name or number
    conversation: String,
    #[command(flatten)]
    acting: Acting,
}

impl Bot {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Bot::Answer(answer) => answer.run(session).await,
            Bot::Shadow(shadow) => shadow.run(session).await,
            Bot::Pause(place) => place.pause(session).await,
            Bot::Resume(place) => place.resume(session).await,
        }
    }
}

impl InConversation {
    async fn pause(self, session: &Session) -> Result<(), Failure> {
        let request = v1::PauseBotRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().pause_bot(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "PauseBotResponse", &done, &format!("the bot is paused, at revision {}", done.revision))
    }

    async fn resume(self, session: &Session) -> Result<(), Failure> {
        let request = v1::ResumeBotRequest {
            workspace: session.workspace.clone(),
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(self.acting.actor()),
            command_id: self.acting.command_id,
            expected_revision: self.acting.expected_revision,
        };
        let done = session.client.conversations().resume_bot(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(
            session,
            "ResumeBotResponse",
            &done,
            &format!("the bot is no longer paused, at revision {}", done.revision),
        )
    }
}
