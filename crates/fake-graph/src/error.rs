//! The errors of the Graph API.

use serde_json::{Value, json};

/// An error as the Graph API answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// The HTTP status.
    pub status: u16,
    /// What clients are to look at.
    pub code: i64,
    /// A sentence.
    pub message: String,
    /// More of it; may be empty.
    pub details: String,
}

/// Codes with the HTTP status that they come with and their titles.
const KNOWN: [(i64, u16, &str); 36] = [
    (0, 403, "AuthException"),
    (1, 500, "API Unknown"),
    (2, 503, "API Service"),
    (3, 403, "API Method"),
    (4, 403, "API Too Many Calls"),
    (10, 403, "Permission Denied"),
    (100, 400, "Invalid parameter"),
    (190, 401, "Access token has expired"),
    (368, 403, "Temporarily blocked for policies violations"),
    (613, 429, "Calls to this api have exceeded the rate limit"),
    (80007, 403, "Rate limit issues"),
    (130429, 403, "Rate limit hit"),
    (130472, 400, "User's number is part of an experiment"),
    (131000, 500, "Something went wrong"),
    (131008, 400, "Required parameter is missing"),
    (131009, 400, "Parameter value is not valid"),
    (131016, 503, "Service unavailable"),
    (131026, 400, "Message undeliverable"),
    (131031, 403, "Account has been locked"),
    (131042, 403, "Business eligibility payment issue"),
    (131047, 400, "Re-engagement message"),
    (131048, 403, "Spam rate limit hit"),
    (131049, 400, "This message was not delivered to maintain healthy ecosystem engagement"),
    (131050, 400, "User has stopped marketing messages"),
    (131051, 400, "Unsupported message type"),
    (131052, 400, "Media download error"),
    (131053, 400, "Media upload error"),
    (131056, 403, "(Business Account, Consumer Account) pair rate limit hit"),
    (131057, 503, "Account in maintenance mode"),
    (132000, 400, "Number of parameters does not match the expected number of params"),
    (132001, 404, "Template name does not exist in the translation"),
    (132012, 400, "Parameter format does not match format in the created template"),
    (132015, 400, "Template is paused"),
    (132016, 400, "Template is disabled"),
    (133010, 400, "Phone number not registered"),
    (133016, 403, "Account register deregister rate limit exceeded"),
];

impl GraphError {
    /// The error of a code, with the status that the real one comes with: 403 for 200 to 299, 400 for what is not known.
    pub fn of(code: i64) -> GraphError {
        let known = KNOWN.iter().find(|(known, ..)| *known == code);
        let (status, title) = known.map_or((400, "Unknown error"), |(_, status, title)| (*status, *title));
        let (status, title) = if (200..300).contains(&code) { (403, "API Permission") } else { (status, title) };
        GraphError { status, code, message: format!("(#{code}) {title}"), details: String::new() }
    }

    /// The same, with more words.
    #[must_use]
    pub fn because(mut self, details: impl Into<String>) -> GraphError {
        self.details = details.into();
        self
    }

    /// Every code that is known, for tests that go through all of them.
    pub fn codes() -> impl Iterator<Item = i64> {
        KNOWN.iter().map(|(code, ..)| *code)
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut error = json!({
            "message": self.message, "type": "OAuthException", "code": self.code, "fbtrace_id": "AFakeTraceId",
        });
        if !self.details.is_empty() {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": self.details });
        }
        json!({ "error": error })
    }

    /// As it stands in a status report.
    pub(crate) fn report(&self) -> Value {
        let title = self.message.split_once(") ").map_or(self.message.as_str(), |(_, title)| title);
        let details = if self.details.is_empty() { title } else { &self.details };
        json!({ "code": self.code, "title": title, "message": title, "error_data": { "details": details } })
    }
}
