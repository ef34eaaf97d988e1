//! What is kept beside the events: rejected items and events of other systems.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::RawMessageErrorKind;
use bytes::Bytes;
use conversation::Revision;
use prost::Message;
use proto::v1;
use tokio::time::Instant;

use crate::connect::PATIENCE;
use crate::fact::{EVENT_HEADER, Envelope};
use crate::{Bus, Error, ErrorKind, Recorded, TraceParent, stream};

/// Pause before a failed append is tried again.
const PAUSE: Duration = Duration::from_millis(100);

impl Bus {
    /// Files items that could not become events; the results stand in the same order.
    pub async fn publish_rejected(
        &self,
        rejected: Vec<v1::Rejected>,
        trace: &TraceParent,
    ) -> Vec<Result<Revision, Error>> {
        let envelope = |rejected: &v1::Rejected| Envelope {
            subject: format!("rejected.{}", token(&rejected.source)),
            id: format!("rejected.{}", rejected.id),
            name: "Rejected",
            payload: rejected.encode_to_vec().into(),
            trace: trace.clone(),
        };
        let done = self.append_all(rejected.iter().map(|rejected| Ok(envelope(rejected))).collect()).await;
        for (rejected, _) in rejected.iter().zip(&done).filter(|(_, done)| done.is_ok()) {
            meter::meter().rejected.one([&rejected.source]);
        }
        done
    }

    /// Appends an event of another system, or one of a channel that is no chat, on `ext.<workspace>.<name>`.
    ///
    /// # Errors
    /// [`Error::Away`], [`Error::Refused`].
    pub async fn publish_external(
        &self,
        workspace: &str,
        name: &str,
        id: &str,
        json: Bytes,
        trace: &TraceParent,
    ) -> Result<Revision, Error> {
        let envelope = Envelope {
            subject: format!("ext.{workspace}.{}", token(name)),
            id: format!("ext.{id}"),
            name: "External",
            payload: json,
            trace: trace.clone(),
        };
        let done = self.append_all(vec![Ok(envelope)]).await.pop();
        done.unwrap_or_else(|| Err(Error::unreadable("an external event", "it was not appended")))
    }

    /// As [`Bus::publish_external`], for what a chain of rules led to: the event says so in its headers, and chains
    /// have an end.
    ///
    /// # Errors
    /// [`Error::Away`], [`Error::Refused`].
    pub async fn publish_caused(&self, caused: &Caused, trace: &TraceParent) -> Result<Revision, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = PublishMessage::build()
                .payload(caused.json.clone())
                .message_id(format!("ext.{}", caused.id))
                .header(EVENT_HEADER, "External")
                .header(TraceParent::HEADER, trace.as_str())
                .header(Caused::CORRELATION, caused.correlation_id.as_str())
                .header(Caused::DEPTH, caused.depth.to_string());
            let subject = format!("ext.{}.{}", caused.workspace, token(&caused.name));
            match self.publish_once("publishing an event", subject, message).await {
                Err(error) if error.kind() == ErrorKind::Retry && Instant::now() + PAUSE < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

impl Bus {
    /// An event of another system by its place in EXTERNAL; `None` once it is gone.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn external_at(&self, place: Revision) -> Result<Option<Recorded>, Error> {
        let doing = "reading an event of another system";
        let stream = self.jetstream().get_stream_no_info(stream::EXTERNAL).await;
        let stream = stream.map_err(|error| Error::away(doing, error))?;
        match stream.get_raw_message(place).await {
            Ok(message) => Ok(Some(Recorded::stored(message))),
            Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away(doing, error)),
        }
    }
}

/// An event for other systems, and for rules, that a rule led to.
#[derive(Clone, Debug)]
pub struct Caused {
    /// In which workspace.
    pub workspace: String,
    /// It stands on `ext.<workspace>.<name>`.
    pub name: String,
    /// The same each time that it is published.
    pub id: String,
    /// What it says.
    pub json: Bytes,
    /// The id of the event at the start of the chain.
    pub correlation_id: String,
    /// Links from the start of the chain.
    pub depth: u32,
}

impl Caused {
    /// Header: the id of the event at the start of the chain.
    pub const CORRELATION: &str = "Threadmark-Correlation";
    /// Header: links from the start of the chain.
    pub const DEPTH: &str = "Threadmark-Depth";
}

/// A name as the last tokens of a subject: letters, digits, `_`, `-` and single dots stay, the rest becomes `_`.
fn token(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
    let parts: Vec<String> =
        name.split('.').filter(|part| !part.is_empty()).map(|part| part.chars().map(plain).collect()).collect();
    if parts.is_empty() { "_".to_owned() } else { parts.join(".") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_becomes_a_literal_subject() {
        let cases = [("order.shipped", "order.shipped"), ("a b>*", "a_b__"), ("..x..y.", "x.y"), ("", "_"), ("é", "_")];
        for (name, want) in cases {
            assert_eq!(super::token(name), want);
        }
    }
}
