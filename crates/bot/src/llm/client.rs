//! One question to the endpoint: bounded in time and size.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url, redirect};
use serde::Deserialize;
use serde_json::Value;
use service::config;

const CONNECT: Duration = Duration::from_secs(5);
/// Longest answer, in bytes: far more than any answer of the tokens that are asked for.
const MAX_ANSWER: usize = 512 * 1024;
/// Bytes of a question that make at least one token, for the estimate that is reserved.
const BYTES_PER_TOKEN: u64 = 3;

/// Why the model is no help.
#[derive(Debug, thiserror::Error)]
pub(super) enum ModelError {
    #[error("it is left alone for a while, since it failed")]
    Resting,
    #[error("the workspace has spent its tokens of today")]
    OverBudget,
    #[error("it has too much to do")]
    Busy { again_after: Option<Duration> },
    #[error("it does not answer in time")]
    Slow,
    #[error("{0}")]
    Away(String),
    #[error("it answers nonsense: {0}")]
    Nonsense(String),
}

/// What the model answered.
pub(super) struct Answer {
    /// The tools that it calls, with their arguments as JSON.
    pub(super) calls: Vec<(String, String)>,
    /// What it cost, where it says so.
    pub(super) tokens: Option<u64>,
}

/// Asks. Redirects are not followed: the key is for this address.
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    authorization: Option<HeaderValue>,
    model: String,
    answer_tokens: u32,
}

impl Client {
    pub(super) fn new(config: &config::Llm) -> Result<Client, String> {
        let url = format!("{}/chat/completions", config.base_url.trim_end_matches('/'));
        let url = Url::parse(&url).map_err(|error| format!("bot.llm.base_url: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("bot.llm.base_url: {} is neither http nor https", url.scheme()));
        }
        let authorization = (!config.key.is_empty()).then(|| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", config.key.expose()))
                .map_err(|_| "bot.llm.key can't stand in a header".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(Duration::from_millis(config.timeout_ms))
            .user_agent("threadmark")
            .build()
            .map_err(|error| error.to_string())?;
        let (model, answer_tokens) = (config.model.clone(), config.answer_tokens);
        Ok(Client { http, url, authorization: authorization.transpose()?, model, answer_tokens })
    }

    pub(super) fn model(&self) -> &str {
        &self.model
    }

    pub(super) fn answer_tokens(&self) -> u32 {
        self.answer_tokens
    }

    /// What a question and its answer may cost at most, roughly.
    pub(super) fn most_tokens(&self, request: &Value) -> u64 {
        request.to_string().len() as u64 / BYTES_PER_TOKEN + u64::from(self.answer_tokens)
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`ModelError`].
    pub(super) async fn chat(&self, request: &Value) -> Result<Answer, ModelError> {
        let mut asked = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            asked = asked.header(AUTHORIZATION, authorization.clone());
        }
        let response = asked.body(request.to_string()).send().await.map_err(failed)?;
        match response.status() {
            StatusCode::OK => read(&body(response).await?),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(ModelError::Busy { again_after: again_after(&response) })
            }
            status => Err(ModelError::Away(format!("it answers {status}"))),
        }
    }
}

fn failed(error: reqwest::Error) -> ModelError {
    // The address may hold what is nobody's business.
    let error = error.without_url();
    if error.is_timeout() { ModelError::Slow } else { ModelError::Away(format!("it can't be asked: {error}")) }
}

/// Seconds; a date says nothing that 30 seconds do not.
fn again_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn body(mut response: Response) -> Result<Vec<u8>, ModelError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(ModelError::Nonsense(format!("more than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What of an answer is looked at: endpoints differ in the rest.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    tool_calls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
struct Call {
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Usage {
    total_tokens: Option<u64>,
}

fn read(body: &[u8]) -> Result<Answer, ModelError> {
    let completion: Completion =
        serde_json::from_slice(body).map_err(|error| ModelError::Nonsense(format!("no completion: {error}")))?;
    let first = completion.choices.into_iter().next();
    let calls = first.and_then(|choice| choice.message.tool_calls).unwrap_or_default();
    let calls = calls.into_iter().map(|call| (call.function.name, call.function.arguments)).collect();
    Ok(Answer { calls, tokens: completion.usage.and_then(|usage| usage.total_tokens) })
}
