use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use crate::GraphError;

/// What a call is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Json(u16, Value),
    Raw {
        status: u16,
        body: String,
        retry_after: Option<u64>,
    },
    File {
        mime_type: String,
        bytes: Bytes,
    },
    /// Nothing: the connection ends.
    Cut,
}

impl From<GraphError> for Answer {
    fn from(error: GraphError) -> Answer {
        Answer::Json(error.status, error.body())
    }
}

impl Answer {
    /// The answer as it goes out; what goes out of a cut connection nobody sees.
    pub(crate) fn response(self) -> Response {
        let (status, content_type, body, retry_after) = match self {
            Answer::Json(status, value) => (status, "application/json".to_owned(), Body::from(value.to_string()), None),
            Answer::Raw { status, body, retry_after } => (status, "text/plain".to_owned(), body.into(), retry_after),
            Answer::File { mime_type, bytes } => (200, mime_type, bytes.into(), None),
            Answer::Cut => (500, "text/plain".to_owned(), Body::empty(), None),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Ok(content_type) = HeaderValue::from_str(&content_type) {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
