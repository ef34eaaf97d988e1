//! An HTTP receiver on loopback that does as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// A status, and to come again after so many seconds.
    After(u16, u64),
    /// 200, after so long.
    Late(Duration),
    /// Never.
    Hang,
}

#[derive(Clone, Default)]
pub(crate) struct Receiver {
    got: Arc<Mutex<Vec<Got>>>,
    /// Answers to come; then `rest`.
    next: Arc<Mutex<VecDeque<Answer>>>,
    rest: Arc<Mutex<Option<Answer>>>,
}

impl Receiver {
    /// Listens, and says where.
    pub(crate) async fn start(first: &[Answer], rest: Answer) -> (Receiver, String) {
        let receiver = Receiver::default();
        receiver.next.lock().unwrap().extend(first);
        receiver.answer(rest);
        let app = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, url)
    }

    pub(crate) fn answer(&self, rest: Answer) {
        *self.rest.lock().unwrap() = Some(rest);
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    receiver.got.lock().unwrap().push(Got { headers, body });
    let next = receiver.next.lock().unwrap().pop_front();
    let rest = *receiver.rest.lock().unwrap();
    match next.or(rest).unwrap() {
        Answer::Status(code) => (StatusCode::from_u16(code).unwrap(), HeaderMap::new()),
        Answer::After(code, seconds) => {
            (StatusCode::from_u16(code).unwrap(), HeaderMap::from_iter([(RETRY_AFTER, seconds.into())]))
        }
        Answer::Late(wait) => {
            tokio::time::sleep(wait).await;
            (StatusCode::OK, HeaderMap::new())
        }
        Answer::Hang => std::future::pending().await,
    }
}
