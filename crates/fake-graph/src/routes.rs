//! What calls come to.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State as Shared};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::answer::Answer;
use crate::check::{self, Asked, Known, Recipient};
use crate::line::Scissors;
use crate::media::{File, FileCall};
use crate::multipart;
use crate::state::{State, lock};
use crate::{Act, GraphError, Seen, webhook};

/// Largest body: the largest document, and its form around it.
const MAX_BODY: usize = 101 * 1024 * 1024;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(state)
}

async fn answer(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.calls.fetch_add(1, Ordering::SeqCst);
    let latency = *lock(&state.latency);
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let path: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    // The version is nobody's business here.
    let path = match path.split_first() {
        Some((version, rest)) if is_version(version) => rest,
        _ => &path[..],
    };
    let answer = match authorize(&state, &headers) {
        Err(error) => error.into(),
        Ok(()) => match (method, path) {
            (Method::POST, [number, "messages"]) => send(&state, number, body).await,
            (Method::POST, [_, "media"]) => upload(&state, &headers, &body),
            (Method::GET, ["bytes", id]) => bytes(&state, id),
            (Method::GET, [id]) => describe(&state, id, &headers),
            (Method::DELETE, [id]) => delete(&state, id),
            _ => GraphError::of(100).because("Unsupported request").into(),
        },
    };
    if let Answer::Json(_, body) = &answer
        && let Some(code) = body.pointer("/error/code").and_then(Value::as_i64)
    {
        *lock(&state.refused).entry(code).or_default() += 1;
    }
    if matches!(answer, Answer::Cut) {
        scissors.cut();
    }
    answer.response()
}

fn is_version(part: &str) -> bool {
    let number = part.strip_prefix('v').unwrap_or_default();
    number.split('.').all(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

fn authorize(state: &State, headers: &HeaderMap) -> Result<(), GraphError> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wanted = lock(&state.token);
    let fits = wanted.as_ref().is_some_and(|wanted| shown.strip_prefix("Bearer ") == Some(wanted));
    if fits { Ok(()) } else { Err(GraphError::of(190)) }
}

/// A message, a receipt, or what was said in advance to be done with it.
async fn send(state: &Arc<State>, number: &str, raw: Bytes) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(&raw) else {
        return GraphError::of(100).because("The body is no JSON").into();
    };
    if body.get("status").is_some() || body.get("sender_action").is_some() {
        return usual(state, number, &body, raw);
    }
    let mut act = lock(&state.script).next(number, check::recipient(&body));
    let mut late = Duration::ZERO;
    loop {
        act = match act {
            Act::Slow(long, then) => {
                sleep(long).await;
                *then
            }
            Act::Late(long, then) => {
                late += long;
                *then
            }
            act => break finish(state, number, &body, raw, act, late).await,
        }
    }
}

async fn finish(state: &Arc<State>, number: &str, body: &Value, raw: Bytes, act: Act, late: Duration) -> Answer {
    let accepted = |answer: &Answer| matches!(answer, Answer::Json(200, _));
    let answer = match act {
        Act::Error(error) => error.into(),
        Act::Raw { status, body, retry_after } => Answer::Raw { status, body, retry_after },
        Act::DropBefore => Answer::Cut,
        Act::DropAfter | Act::Garble => match (usual(state, number, body, raw), act) {
            (answer, Act::DropAfter) if accepted(&answer) => Answer::Cut,
            (answer, _) if accepted(&answer) => {
                Answer::Raw { status: 200, body: "{\"messages\": [".to_owned(), retry_after: None }
            }
            (answer, _) => answer,
        },
        Act::Usual | Act::Slow(..) | Act::Late(..) => usual(state, number, body, raw),
    };
    if !late.is_zero() {
        sleep(late).await;
    }
    answer
}

fn usual(state: &Arc<State>, number: &str, body: &Value, raw: Bytes) -> Answer {
    let asked = {
        let (templates, media) = (lock(&state.templates), lock(&state.media));
        check::check(body, &Known { templates: &templates, media: &media })
    };
    match asked {
        Err(error) => error.into(),
        Ok(Asked::Read { message_id, typing }) => {
            state.saw(Seen { number: number.to_owned(), message_id, typing });
            Answer::Json(200, json!({ "success": true }))
        }
        Ok(Asked::Message { recipient, kind, callback_data }) => {
            if let Err(error) = lock(&state.gauge).take(number, recipient.as_str(), Instant::now()) {
                return error.into();
            }
            let id = state.accept(number, &recipient, kind, callback_data, raw);
            let contact = match &recipient {
                Recipient::Number(to) => json!({ "input": to, "wa_id": webhook::digits(to) }),
                Recipient::UserId(to) => json!({ "input": to, "user_id": to }),
                Recipient::Page(to) => return Answer::Json(200, json!({ "recipient_id": to, "message_id": id })),
            };
            let messages = json!([{ "id": id }]);
            Answer::Json(200, json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": messages }))
        }
    }
}

fn upload(state: &State, headers: &HeaderMap, body: &Bytes) -> Answer {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(parts) = multipart::parts(content_type, body) else {
        return GraphError::of(100).because("The body is no form").into();
    };
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    if part("messaging_product").is_none_or(|part| part.bytes.as_ref() != b"whatsapp") {
        return GraphError::of(100).because("The parameter messaging_product is required.").into();
    }
    let Some(file) = part("file").filter(|file| !file.bytes.is_empty() && file.mime_type.contains('/')) else {
        return GraphError::of(131_053).because("The file is missing, empty or without a type").into();
    };
    let id = state.fresh();
    let file = File { mime_type: file.mime_type.clone(), bytes: file.bytes.clone(), said: None };
    lock(&state.media).put(id.clone(), file);
    Answer::Json(200, json!({ "id": id }))
}

fn describe(state: &State, id: &str, headers: &HeaderMap) -> Answer {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut media = lock(&state.media);
    if let Some(status) = media.ask(id, FileCall::About) {
        return Answer::Raw { status, body: String::new(), retry_after: None };
    }
    match media.get(id) {
        Some(file) => Answer::Json(200, file.describe(id, &format!("http://{host}/bytes/{id}"))),
        None => GraphError::of(100).because(format!("There is no object {id}")).into(),
    }
}

fn bytes(state: &State, id: &str) -> Answer {
    let mut media = lock(&state.media);
    if let Some(status) = media.ask(id, FileCall::Bytes) {
        return Answer::Raw { status, body: String::new(), retry_after: None };
    }
    match media.get(id) {
        Some(file) => Answer::File { mime_type: file.mime_type.clone(), bytes: file.bytes.clone() },
        None => Answer::Raw { status: 404, body: String::new(), retry_after: None },
    }
}

fn delete(state: &State, id: &str) -> Answer {
    match lock(&state.media).take(id) {
        Some(_) => Answer::Json(200, json!({ "success": true })),
        None => GraphError::of(100).because(format!("There is no object {id}")).into(),
    }
}
