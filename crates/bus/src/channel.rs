//! Which channel a conversation is on: every event of it says so.

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use conversation::ConversationId;
use prost::Message;
use proto::v1;

use crate::{Bus, Error, subject};

/// Where an event of a conversation is likely found first.
const KINDS: [&str; 3] = ["message", "fact", "decision"];

impl Bus {
    /// The address of the business in a conversation; `None` before its first event.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no event.
    pub async fn channel(&self, workspace: &str, conversation: &ConversationId) -> Result<Option<String>, Error> {
        for kind in KINDS {
            let subject = subject::of_kind(workspace, conversation.as_str(), kind);
            match self.events().await?.get_last_raw_message_by_subject(&subject).await {
                Ok(message) => {
                    let event = v1::Event::decode(message.payload)
                        .map_err(|error| Error::unreadable(format!("the event at {}", message.sequence), error))?;
                    return Ok(Some(event.channel));
                }
                Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {}
                Err(error) => return Err(Error::away("looking for the channel of a conversation", error)),
            }
        }
        Ok(None)
    }
}
