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

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Answer::Taken => StatusCode::OK,
            Answer::NotSigned => StatusCode::UNAUTHORIZED,
            Answer::NotAWebhook(_) | Answer::Broken => StatusCode::BAD_REQUEST,
            Answer::Forbidden => StatusCode::FORBIDDEN,
            Answer::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Answer::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Answer::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = self.status();
        let words = match self {
            Answer::Taken => String::new(),
            Answer::NotSigned => "X-Hub-Signature-256 is missing or wrong".to_owned(),
            Answer::NotAWebhook(why) => why,
            Answer::Forbidden => "hub.mode or hub.verify_token is wrong".to_owned(),
            Answer::TooSlow => "the body came too slowly".to_owned(),
            Answer::TooLarge => "the body is too large".to_owned(),
            Answer::Broken => "the body broke off".to_owned(),
            Answer::Busy => {
                let headers = [(header::RETRY_AFTER, RETRY_AFTER)];
                return (status, headers, "try again").into_response();
            }
        };
        (status, words).into_response()
    }
}
