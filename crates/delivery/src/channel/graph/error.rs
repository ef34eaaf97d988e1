//! What an answer that is no success comes to.

use serde_json::Value;

use super::call::{Caller, Reply};
use crate::channel::{Advice, Failure};

/// Longest words of the channel that are kept, in characters.
const MAX_WORDS: usize = 512;

/// An error as the Graph API writes it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::channel) struct GraphError {
    pub(in crate::channel) code: i64,
    pub(in crate::channel) subcode: i64,
    /// The API says itself that it may pass.
    transient: bool,
    message: String,
    details: String,
}

/// What a code asks for, and what a human can do.
pub(in crate::channel) type Meaning = (Advice, &'static str);

impl GraphError {
    /// The error of a body; `None` if it holds none with a code.
    pub(in crate::channel) fn read(body: &[u8]) -> Option<GraphError> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let error = body.get("error")?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(clip).unwrap_or_default();
        let details = [error.pointer("/error_data/details"), error.get("error_user_msg"), error.get("error_data")];
        Some(GraphError {
            code: error.get("code")?.as_i64()?,
            subcode: error.get("error_subcode").and_then(Value::as_i64).unwrap_or_default(),
            transient: error.get("is_transient").and_then(Value::as_bool).unwrap_or_default(),
            message: text(error.get("message")),
            details: text(details.into_iter().flatten().find(|value| value.is_string())),
        })
    }
}

/// The failure of an answer that is no success. `meaning` knows the channel's own codes.
pub(in crate::channel) fn refused(
    caller: &Caller,
    reply: &Reply,
    meaning: impl FnOnce(&GraphError) -> Option<Meaning>,
) -> Failure {
    let error = GraphError::read(&reply.body);
    let known = error.as_ref().and_then(meaning);
    let transient = error.as_ref().is_some_and(|error| error.transient);
    let (advice, hint) = known.unwrap_or_else(|| match (transient, error.is_some()) {
        (true, _) => (Advice::Retry, "The channel says that this passes: it is tried again."),
        (false, in_words) => by_status(reply.status, in_words),
    });
    let (code, title, details) = match error {
        Some(error) => (error.code, caller.conceal(&error.message), caller.conceal(&error.details)),
        None => (0, format!("HTTP {}", reply.status), "the answer has no error code".to_owned()),
    };
    let details = if details.is_empty() { hint.to_owned() } else { format!("{details}. {hint}").replace("..", ".") };
    Failure { advice, code: i32::try_from(code).unwrap_or_default(), title, details, retry_after: reply.retry_after }
}

/// What the HTTP status alone says, where no code that is known does.
fn by_status(status: u16, in_words: bool) -> Meaning {
    match status {
        429 => (Advice::SlowNumber, "The channel wants fewer calls: sending goes on more slowly."),
        // Whoever stands before the channel gave up waiting for it: it may have taken the message.
        504 if !in_words => (Advice::Unknown, "The message may have gone out: a status will tell if it did."),
        500.. => (Advice::Retry, "The channel has a fault: it is tried again."),
        401 => {
            (Advice::StopChannel, "Nothing goes out until the channel has a token that is taken: mend access_token.")
        }
        300..=399 | 404 | 405 if !in_words => {
            (Advice::StopChannel, "That is not the API of the channel: mend api_base.")
        }
        // Not the channel's own words: somebody between us and it.
        _ if !in_words => {
            (Advice::Retry, "Something between us and the channel answers in its place: it is tried again.")
        }
        _ => (Advice::Reword, "The channel does not take this message as it is: say it in another way."),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}
