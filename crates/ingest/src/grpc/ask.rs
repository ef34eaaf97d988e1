//! What every command has in common, whatever it asks for.

use prost::Message;
use proto::v1;

/// The fields that every command has.
pub(crate) struct Head<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) conversation_id: &'a str,
    pub(crate) actor: Option<&'a v1::Actor>,
    pub(crate) command_id: &'a str,
    pub(crate) expected_revision: Option<i64>,
}

/// A command on a conversation.
pub(crate) trait Ask: Message + Clone {
    /// The method that takes it: a part of what makes a repeat the same.
    const METHOD: &'static str;

    fn head(&self) -> Head<'_>;

    /// The same without its command id and without what it expects: what a repeat has to have in common with the
    /// first. A client that tries again after it has read the conversation anew still asks for the same.
    fn payload(&self) -> Vec<u8>;
}

macro_rules! asks {
    ($($request:ident: $method:literal,)*) => {
        $(impl Ask for v1::$request {
            const METHOD: &'static str = $method;

            fn head(&self) -> Head<'_> {
                Head {
                    workspace: &self.workspace,
                    conversation_id: &self.conversation_id,
                    actor: self.actor.as_ref(),
                    command_id: &self.command_id,
                    expected_revision: self.expected_revision,
                }
            }

            fn payload(&self) -> Vec<u8> {
                Self { command_id: String::new(), expected_revision: None, ..self.clone() }.encode_to_vec()
            }
        })*
    };
}

asks! {
    SendMessageRequest: "SendMessage",
    AddNoteRequest: "AddNote",
    AddTagRequest: "AddTag",
    RemoveTagRequest: "RemoveTag",
    OpenTicketRequest: "OpenTicket",
    CloseTicketRequest: "CloseTicket",
    AssignConversationRequest: "AssignConversation",
    UnassignConversationRequest: "UnassignConversation",
    PauseBotRequest: "PauseBot",
    ResumeBotRequest: "ResumeBot",
    MarkReadRequest: "MarkRead",
}
