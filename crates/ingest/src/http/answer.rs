use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::intake::{IntakeError, Taken};

/// What a request is answered. The words are for whoever tries by hand; the channel reads the number.
pub(crate) enum Answer {
    Taken,
    NotSigned,
    NotAWebhook(String),
    Forbidden,
    TooSlow,
    TooLarge,
    Broken,
    Busy,
}

/// How soon to try again, in seconds, when we are busy or the bus is away.
const RETRY_AFTER: &str = "2";

impl Answer {
    pub(crate) fn of(taken: Result<Taken, IntakeError>) -> Answer {
        match taken {
            Ok(taken) => {
                tracing::debug!(?taken, "webhook taken");
                Answer::Taken
            }
            Err(IntakeError::NotSigned) => Answer::NotSigned,
            Err(IntakeError::Body(error)) => Answer::NotAWebhook(error.to_string()),
            Err(IntakeError::Bus(error)) => {
                tracing::warn!(%error, "webhook not stored, the channel has to send it again");
                Answer::Busy
            }
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Answer::Taken => (StatusCode::OK, String::new()),
            Answer::NotSigned => (StatusCode::UNAUTHORIZED, "X-Hub-Signature-256 is missing or wrong".to_owned()),
            Answer::NotAWebhook(why) => (StatusCode::BAD_REQUEST, why),
            Answer::Forbidden => (StatusCode::FORBIDDEN, "hub.mode or hub.verify_token is wrong".to_owned()),
            Answer::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body came too slowly".to_owned()),
            Answer::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large".to_owned()),
            Answer::Broken => (StatusCode::BAD_REQUEST, "the body broke off".to_owned()),
            Answer::Busy => {
                let headers = [(header::RETRY_AFTER, RETRY_AFTER)];
                return (StatusCode::SERVICE_UNAVAILABLE, headers, "try again").into_response();
            }
        };
        (status, words).into_response()
    }
}
