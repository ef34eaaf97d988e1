//! What the log is told of a message on its way: facts with ids of their own, so that a repeat adds nothing.

use bus::{Bus, Error, Keyring, now};
use proto::v1;
use proto::v1::MessageStatus;
use proto::v1::event::Event as Kind;

use super::compose::Said;
use crate::channel::Failure;

/// What there is to tell.
#[derive(Clone, Debug)]
pub(super) struct Report {
    status: MessageStatus,
    word: &'static str,
    channel_message_id: String,
    error: Option<v1::StatusError>,
}

impl Report {
    /// The channel took it.
    pub(super) fn accepted(channel_message_id: &str) -> Report {
        let channel_message_id = channel_message_id.to_owned();
        Report { status: MessageStatus::Accepted, word: "accepted", channel_message_id, error: None }
    }

    /// It will not go out.
    pub(super) fn failed(failure: &Failure) -> Report {
        let Failure { code, title, details, .. } = failure.clone();
        Report::error(MessageStatus::Failed, "failed", v1::StatusError { code, title, details })
    }

    /// It will not go out, for a reason of our own.
    pub(super) fn refused(title: &str, details: &str) -> Report {
        Report::error(MessageStatus::Failed, "failed", words(title, details))
    }

    /// Humans were quicker than the bot's words.
    pub(super) fn cancelled() -> Report {
        let details = "a human took the conversation before it was sent";
        Report::error(MessageStatus::Failed, "cancelled", words("not sent", details))
    }

    /// It goes out again, and may reach the customer twice.
    pub(super) fn resent() -> Report {
        let details = "the answer to the first call was lost, and no status told that it went through";
        Report::error(MessageStatus::Unspecified, "resent", words("sent again, may arrive twice", details))
    }

    fn error(status: MessageStatus, word: &'static str, error: v1::StatusError) -> Report {
        Report { status, word, channel_message_id: String::new(), error: Some(error) }
    }

    /// Appends it.
    ///
    /// # Errors
    /// What the bus says; telling it again is safe.
    pub(super) async fn tell(&self, bus: &Bus, said: &Said, keyring: &Keyring) -> Result<(), Error> {
        let keys = bus.workspace(&said.workspace).await?;
        let time = proto::timestamp(now());
        let report = v1::StatusReport {
            status: self.status.into(),
            channel_status: self.word.to_owned(),
            time: Some(time),
            errors: self.error.iter().cloned().collect(),
            raw_json: String::new(),
        };
        let sealed = v1::SealedStatus { channel_message_id: self.channel_message_id.clone(), report: Some(report) };
        let message_ref = match self.channel_message_id.as_str() {
            "" => String::new(),
            id => keys.message_ref(&said.channel, id),
        };
        let event = v1::Event {
            id: keys.fact_id(&["delivery", &said.message_id, self.word]),
            workspace: said.workspace.clone(),
            conversation: said.conversation.as_str().to_owned(),
            actor: Some(v1::Actor { kind: v1::actor::Kind::System.into(), ..v1::Actor::default() }),
            occur_time: Some(time),
            record_time: Some(time),
            causation_id: said.event_id.clone(),
            correlation_id: said.correlation_id.clone(),
            depth: said.depth.saturating_add(1),
            channel: said.channel.clone(),
            event: Some(Kind::MessageStatusChanged(v1::MessageStatusChanged {
                message_ref,
                message_id: said.message_id.clone(),
                status: self.status.into(),
                sealed: keyring.seal(&sealed).into(),
                error_codes: self.error.iter().map(|error| error.code).filter(|code| *code != 0).collect(),
            })),
        };
        let done = bus.publish_facts([event], &said.trace).await.pop();
        done.unwrap_or(Err(Error::Conflict)).map(drop)
    }
}

fn words(title: &str, details: &str) -> v1::StatusError {
    v1::StatusError { code: 0, title: title.to_owned(), details: details.to_owned() }
}
