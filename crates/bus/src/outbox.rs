//! What has to go out to customers, on OUTBOX, and what became of it, on SENDS.

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use conversation::Revision;
use prost::Message;
use proto::v1;

use crate::{Bus, Error, partition, stream, token};

/// Something that stands under one literal subject of SENDS, and the place of its last write; 0 if there never was one.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing<M> {
    /// Write with it to replace exactly that.
    pub place: Revision,
    /// What is there.
    pub value: Option<M>,
}

impl Bus {
    /// Puts a message into the queue of its channel, unless it is there already.
    ///
    /// # Errors
    /// [`Error::Away`] after 8 s, in which case it may be there; [`Error::Refused`].
    pub async fn queue_message(&self, queued: &v1::QueuedMessage) -> Result<(), Error> {
        let channel = queue_of(&queued.workspace, &queued.channel);
        let subject = format!("out.{channel}.{}.{}", queued.conversation_id, queued.message_id);
        match self.record("queueing a message", &subject, "QueuedMessage", queued.encode_to_vec(), 0).await {
            Ok(_) | Err(Error::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The subjects of the queue of one channel: what its worker keeps to.
    pub fn queue_subjects(&self, workspace: &str, channel: &str) -> String {
        format!("out.{}.>", queue_of(workspace, channel))
    }

    /// What became of a message so far, from the leader of the stream.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no such record.
    pub async fn sent(&self, workspace: &str, conversation: &str, message: &str) -> Result<Standing<v1::Send>, Error> {
        self.standing(&sent_subject(workspace, conversation, message)).await
    }

    /// Writes down what became of a message, if that was last written at `expected`.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it was written since, maybe by this very call; [`Error::Away`] after 8 s.
    pub async fn record_send(&self, workspace: &str, send: &v1::Send, expected: Revision) -> Result<Revision, Error> {
        let subject = sent_subject(workspace, &send.conversation_id, &send.message_id);
        self.record("recording a send", &subject, "Send", send.encode_to_vec(), expected).await
    }

    /// Where a contact is reached since its address changed; `None` if it never did.
    ///
    /// # Errors
    /// As [`Bus::sent`].
    pub async fn moved_contact(
        &self,
        workspace: &str,
        conversation: &str,
    ) -> Result<Standing<v1::MovedContact>, Error> {
        self.standing(&moved_subject(workspace, conversation)).await
    }

    /// Writes down where a contact is reached, unless something later is known.
    ///
    /// # Errors
    /// As [`Bus::record_send`].
    pub async fn record_moved_contact(
        &self,
        workspace: &str,
        conversation: &str,
        moved: &v1::MovedContact,
    ) -> Result<(), Error> {
        let subject = moved_subject(workspace, conversation);
        let found: Standing<v1::MovedContact> = self.standing(&subject).await?;
        if found.value.is_some_and(|found| found.revision >= moved.revision) {
            return Ok(());
        }
        let doing = "recording an address";
        self.record(doing, &subject, "MovedContact", moved.encode_to_vec(), found.place).await.map(drop)
    }

    async fn standing<M: Message + Default>(&self, subject: &str) -> Result<Standing<M>, Error> {
        let doing = "reading what became of a message";
        let stream = self.jetstream().get_stream_no_info(stream::SENDS).await;
        let stream = stream.map_err(|error| Error::away(doing, error))?;
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => {
                let value =
                    M::decode(message.payload).map_err(|error| Error::unreadable("a record of SENDS", error))?;
                Ok(Standing { place: message.sequence, value: Some(value) })
            }
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {
                Ok(Standing { place: 0, value: None })
            }
            Err(error) => Err(Error::away(doing, error)),
        }
    }
}

fn queue_of(workspace: &str, channel: &str) -> String {
    format!("{workspace}.{}", token(channel))
}

fn sent_subject(workspace: &str, conversation: &str, message: &str) -> String {
    format!("send.{}.{workspace}.{message}", partition(workspace, conversation))
}

fn moved_subject(workspace: &str, conversation: &str) -> String {
    format!("send.{}.{workspace}.contact.{conversation}", partition(workspace, conversation))
}
