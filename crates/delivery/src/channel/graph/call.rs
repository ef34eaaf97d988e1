//! One call: bounded in time and size, and honest about whether it may have arrived.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url, redirect};
use service::Secret;

use crate::channel::{Advice, Failure};

/// Longest answer to a call that sends, in bytes: real ones have less than one KiB.
const MAX_ANSWER: usize = 64 * 1024;
/// Idle connections are closed before the other side would: one that it closes just as we write is an answer lost.
const IDLE: Duration = Duration::from_secs(20);

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub(in crate::channel) struct Timeouts {
    pub(in crate::channel) connect: Duration,
    pub(in crate::channel) answer: Duration,
}

/// Calls under one token. Redirects are not followed: the token is for this address.
pub(in crate::channel) struct Caller {
    http: reqwest::Client,
    authorization: HeaderValue,
    token: Secret,
    answer: Duration,
}

/// What was answered.
pub(in crate::channel) struct Reply {
    pub(in crate::channel) status: u16,
    /// How long the other side asks to be left alone. A date is not read.
    pub(in crate::channel) retry_after: Option<Duration>,
    pub(in crate::channel) body: Vec<u8>,
}

impl Caller {
    pub(in crate::channel) fn new(token: &Secret, timeouts: Timeouts) -> Result<Caller, String> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| "access_token can't stand in a header".to_owned())?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.connect + timeouts.answer)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .user_agent("threadmark")
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Caller { http, authorization, token: token.clone(), answer: timeouts.answer })
    }

    /// A request that shows the token.
    pub(in crate::channel) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).header(AUTHORIZATION, self.authorization.clone())
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// [`Failure`] when no answer came: [`Advice::Away`] if no connection was made, else [`Advice::Unknown`].
    pub(in crate::channel) async fn post(&self, url: Url, body: Vec<u8>) -> Result<Reply, Failure> {
        let request = self.request(Method::POST, url).header(CONTENT_TYPE, "application/json").body(body);
        self.answered(request).await
    }

    /// Calls, and reads the answer.
    ///
    /// # Errors
    /// As [`Caller::post`].
    pub(in crate::channel) async fn answered(&self, request: RequestBuilder) -> Result<Reply, Failure> {
        let response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        match self.read(response, MAX_ANSWER).await {
            Ok(body) => Ok(Reply { status, retry_after, body }),
            // What sends is answered in less: too long an answer is none.
            Err(failure) if status < 400 && failure.advice == Advice::Reword => {
                Err(lost(&failure.title, failure.details))
            }
            // The status alone says that it was refused.
            Err(_) if status >= 400 => Ok(Reply { status, retry_after, body: Vec::new() }),
            Err(failure) => Err(failure),
        }
    }

    /// Reads at most so many bytes of an answer.
    ///
    /// # Errors
    /// [`Failure`] when it breaks off, or when there are more.
    pub(in crate::channel) async fn read(&self, mut response: Response, most: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > most {
                return Err(unfit("the answer is too long", format!("It has more than {most} bytes.")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What a call comes to that got no answer, or half of one.
    pub(in crate::channel) fn broken(&self, error: reqwest::Error) -> Failure {
        // The address may hold what is nobody's business.
        let error = error.without_url();
        if error.is_connect() {
            let details =
                format!("{}. It is tried again; if that lasts, look at api_base and the network.", chain(&error));
            return failure(Advice::Away, "the channel can't be reached", details);
        }
        let why = if error.is_timeout() {
            format!("no answer within {} s", self.answer.as_secs())
        } else {
            format!("the connection broke: {}", chain(&error))
        };
        lost("the answer was lost", why)
    }

    /// Words of the other side without our token, should it repeat it.
    pub(in crate::channel) fn conceal(&self, text: &str) -> String {
        if self.token.is_empty() { text.to_owned() } else { text.replace(self.token.expose(), "(hidden)") }
    }
}

/// A call that may have arrived.
pub(in crate::channel) fn lost(title: &str, why: String) -> Failure {
    failure(Advice::Unknown, title, format!("{why}. The message may have gone out: a status will tell if it did."))
}

/// What will not do, now or later.
pub(in crate::channel) fn unfit(title: &str, details: String) -> Failure {
    failure(Advice::Reword, title, details)
}

fn failure(advice: Advice, title: &str, details: String) -> Failure {
    Failure { advice, code: 0, title: title.to_owned(), details, retry_after: None }
}

/// The cause of a failure: what reqwest says of itself tells little.
fn chain(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// How long an answer asks to be left alone.
pub(in crate::channel) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
