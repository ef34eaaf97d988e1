//! What is kept beside the events: rejected items and events of other systems.

use bytes::Bytes;
use conversation::Revision;
use prost::Message;
use proto::v1;

use crate::fact::Envelope;
use crate::{Bus, Error, TraceParent};

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
        self.append_all(rejected.iter().map(|rejected| Ok(envelope(rejected))).collect()).await
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
