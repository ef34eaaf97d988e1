//! A language model that says what a test wants, behind an endpoint as OpenAI's chat completions lay it down.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the model answers.
#[derive(Clone, Debug)]
pub enum ChatAnswer {
    /// It calls these tools: names, and arguments as the text that stands there.
    Calls(Vec<(String, String)>),
    /// It talks instead.
    Text(String),
    /// A status, maybe with `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing, for longer than anybody waits.
    Never,
    /// This, after a while.
    Slowly(Duration, Box<ChatAnswer>),
}

impl ChatAnswer {
    /// It calls one tool.
    pub fn call(name: &str, arguments: &Value) -> ChatAnswer {
        ChatAnswer::Calls(vec![(name.to_owned(), arguments.to_string())])
    }
}

/// The endpoint. It ends when this is dropped.
#[derive(Debug)]
pub struct ChatServer {
    address: SocketAddr,
    script: Arc<Script>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Script {
    next: Mutex<VecDeque<ChatAnswer>>,
    otherwise: Mutex<Option<ChatAnswer>>,
    asked: Mutex<Vec<Asked>>,
}

/// What the endpoint was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The body.
    pub body: Value,
    /// The header `Authorization`.
    pub authorization: String,
}

impl ChatServer {
    /// Answers on a free port of loopback: 500, until it is told otherwise.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> ChatServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let script = Arc::new(Script::default());
        let routes = Router::new().route("/v1/chat/completions", post(answer)).with_state(script.clone());
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        ChatServer { address, script, serving }
    }

    /// What clients take as base URL.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers so once, after what was said before.
    ///
    /// # Panics
    /// When another thread has panicked.
    pub fn then(&self, answer: ChatAnswer) {
        lock(&self.script.next).push_back(answer);
    }

    /// Answers so whenever nothing else was said.
    ///
    /// # Panics
    /// When another thread has panicked.
    pub fn otherwise(&self, answer: ChatAnswer) {
        *lock(&self.script.otherwise) = Some(answer);
    }

    /// What it was asked so far.
    ///
    /// # Panics
    /// When another thread has panicked.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.script.asked).clone()
    }
}

impl Drop for ChatServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|_| panic!("another thread has panicked"))
}

async fn answer(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    lock(&script.asked).push(Asked { body, authorization: authorization.to_owned() });
    let scripted = lock(&script.next).pop_front();
    let answer = scripted.or_else(|| lock(&script.otherwise).clone());
    let mut answer = answer.unwrap_or(ChatAnswer::Status(500, None));
    while let ChatAnswer::Slowly(long, then) = answer {
        tokio::time::sleep(long).await;
        answer = *then;
    }
    match answer {
        ChatAnswer::Calls(calls) => {
            let calls = calls.into_iter().enumerate().map(|(nth, (name, arguments))| {
                let function = json!({ "name": name, "arguments": arguments });
                json!({ "id": format!("call_{nth}"), "type": "function", "function": function })
            });
            completion(&json!({ "role": "assistant", "content": null, "tool_calls": calls.collect::<Vec<_>>() }))
        }
        ChatAnswer::Text(text) => completion(&json!({ "role": "assistant", "content": text })),
        ChatAnswer::Raw(bytes) => bytes.into_response(),
        ChatAnswer::Status(status, retry_after) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            match retry_after {
                Some(seconds) => (status, [("retry-after", seconds.to_string())]).into_response(),
                None => status.into_response(),
            }
        }
        ChatAnswer::Never | ChatAnswer::Slowly(..) => std::future::pending().await,
    }
}

/// A completion that costs 100 tokens.
fn completion(message: &Value) -> Response {
    let completion = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted",
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100 },
    });
    completion.to_string().into_response()
}
