//! A conversation as its last decision left it: what is decided on, and what conditions are judged on.

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use conversation::{ConversationId, Revision, State};
use prost::Message;
use proto::v1;

use crate::{Bus, Error, Outcome, Verdict, subject};

/// A conversation at the moment of loading. What is decided on it is appended on exactly this state, or not at all.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub(crate) workspace: String,
    pub(crate) state: State,
    pub(crate) last: Option<v1::Event>,
}

impl Loaded {
    /// The state that the next decision starts from.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last decision as the log holds it; `None` before the first.
    pub fn last(&self) -> Option<&v1::Event> {
        self.last.as_ref()
    }

    /// The conversation after a decision on this state, without reading it again; `None` when that decision is not
    /// the newest for sure, and it has to be loaded.
    pub fn after(&self, outcome: &Outcome) -> Option<Loaded> {
        match &outcome.verdict {
            Verdict::Decided { event, decision, repeated: false } => Some(Loaded {
                workspace: self.workspace.clone(),
                state: decision.after.clone(),
                last: Some(event.as_ref().clone()),
            }),
            Verdict::Decided { .. } => None,
            Verdict::Nothing { .. } => Some(self.clone()),
        }
    }

    /// The revision of the last decision; 0 before the first.
    pub fn revision(&self) -> Revision {
        self.state.revision
    }
}

impl Bus {
    /// Loads a conversation from the leader of the stream: one read, however long the chat.
    ///
    /// # Errors
    /// As [`Bus::last_decision`].
    pub async fn load(&self, workspace: &str, conversation: &ConversationId) -> Result<Loaded, Error> {
        let (state, last) = match self.last_decision(workspace, conversation).await? {
            Some((revision, event)) => (state_of(conversation, revision, &event), Some(event)),
            None => (State::new(conversation.clone()), None),
        };
        Ok(Loaded { workspace: workspace.to_owned(), state, last })
    }

    /// The last decision of a conversation, from the leader of the stream.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no decision.
    pub async fn last_decision(
        &self,
        workspace: &str,
        conversation: &ConversationId,
    ) -> Result<Option<(Revision, v1::Event)>, Error> {
        self.last_event(&subject::decision(workspace, conversation)).await
    }

    /// The last message of the customer in a conversation, from the leader of the stream; `None` if there was none.
    ///
    /// # Errors
    /// As [`Bus::last_decision`].
    pub async fn last_message(
        &self,
        workspace: &str,
        conversation: &ConversationId,
    ) -> Result<Option<(Revision, v1::Event)>, Error> {
        self.last_event(&subject::of_kind(workspace, conversation.as_str(), "message")).await
    }

    /// The first message of the customer in a conversation, from the leader of the stream; `None` if there was none.
    ///
    /// # Errors
    /// As [`Bus::last_decision`].
    pub async fn first_message(
        &self,
        workspace: &str,
        conversation: &ConversationId,
    ) -> Result<Option<(Revision, v1::Event)>, Error> {
        self.first_event(&subject::of_kind(workspace, conversation.as_str(), "message"), 1).await
    }

    /// The first event of a conversation, of any kind, at a revision or after it, from the leader of the stream; `None`
    /// if there is none.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no event.
    pub async fn event_from(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        revision: Revision,
    ) -> Result<Option<(Revision, v1::Event)>, Error> {
        self.first_event(&subject::of_kind(workspace, conversation.as_str(), "*"), revision).await
    }

    /// The state of a conversation, from the leader of the stream.
    ///
    /// # Errors
    /// As [`Bus::last_decision`].
    pub async fn state(&self, workspace: &str, conversation: &ConversationId) -> Result<State, Error> {
        Ok(self.load(workspace, conversation).await?.state)
    }

    async fn first_event(&self, subject: &str, from: Revision) -> Result<Option<(Revision, v1::Event)>, Error> {
        match self.events().await?.get_first_raw_message_by_subject(subject, from).await {
            Ok(message) => Ok(Some((message.sequence, decode(message.sequence, &message.payload)?))),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away("loading a conversation", error)),
        }
    }

    async fn last_event(&self, subject: &str) -> Result<Option<(Revision, v1::Event)>, Error> {
        match self.events().await?.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some((message.sequence, decode(message.sequence, &message.payload)?))),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away("loading a conversation", error)),
        }
    }
}

pub(crate) fn decode(revision: Revision, payload: &[u8]) -> Result<v1::Event, Error> {
    v1::Event::decode(payload).map_err(|error| Error::unreadable(format!("the event at revision {revision}"), error))
}

/// The state that a decision carries.
pub(crate) fn state_of(conversation: &ConversationId, revision: Revision, event: &v1::Event) -> State {
    let after = match &event.event {
        Some(v1::event::Event::Decided(decided)) => decided.after.clone().unwrap_or_default(),
        _ => v1::ConversationState::default(),
    };
    proto::state_from(conversation.clone(), &after, revision)
}
