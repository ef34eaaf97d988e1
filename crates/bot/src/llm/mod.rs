//! The brain that asks a language model, behind any OpenAI-compatible chat endpoint.
//!
//! The model sees the customer's words and passages of the workspace's knowledge, both as data, and has three tools: reply,
//! hand off, close. Whatever it answers is checked against that, so what a customer writes can make it choose among these
//! three and no more. Without an answer that makes sense, in time and within the budget, the retrieval's thought stands.

mod breaker;
mod budget;
mod client;
mod prompt;
mod tools;

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use futures::FutureExt;
use futures::future::BoxFuture;
use service::{Config, config};

use crate::brain::{Brain, BrainError, HandoffReason, Outcome, Question, Source, Thought};
use crate::knowledge::Library;
use crate::retrieval::Retrieval;
use breaker::Breaker;
use budget::Budget;
use client::{Client, ModelError};

/// Passages that a model is given for a question.
const PASSAGES: usize = 6;

/// Where passages of a workspace's knowledge come from.
pub trait Passages: Send + Sync {
    /// Those that come nearest to a text, best first; at most `limit`.
    ///
    /// # Errors
    /// [`BrainError`].
    fn search<'a>(
        &'a self,
        workspace: &'a str,
        text: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Source>, BrainError>>;
}

impl Passages for Retrieval {
    fn search<'a>(
        &'a self,
        workspace: &'a str,
        text: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Source>, BrainError>> {
        Retrieval::search(self, workspace, text, limit).boxed()
    }
}

/// The brain that a configuration asks for: retrieval, with a model over it where one is named.
///
/// # Errors
/// [`LlmError`].
pub fn brain(bus: &Bus, config: &Config, library: &Library) -> Result<Arc<dyn Brain>, LlmError> {
    let llm = &config.bot.llm;
    over(llm, Budget::new(bus.clone(), llm.tokens_per_day), Retrieval::new(library.clone()))
}

/// The same over another retrieval, for one trial: what it spends is bounded, and not the workspace's.
///
/// # Errors
/// [`LlmError`].
pub(crate) fn on_trial(llm: &config::Llm, retrieval: Retrieval) -> Result<Arc<dyn Brain>, LlmError> {
    over(llm, Budget::of_a_trial(llm.tokens_per_day), retrieval)
}

/// A retrieval, with a model over it where one is named.
fn over(llm: &config::Llm, budget: Budget, retrieval: Retrieval) -> Result<Arc<dyn Brain>, LlmError> {
    let retrieval = Arc::new(retrieval);
    if llm.base_url.is_empty() {
        return Ok(retrieval);
    }
    Ok(Arc::new(Llm::within(budget, llm, retrieval.clone(), retrieval)?))
}

/// Why there is no such brain.
#[derive(Debug, thiserror::Error)]
#[error("bot.llm can't be used: {0}")]
pub struct LlmError(String);

/// A language model over a brain that does without. Cheap to clone.
#[derive(Clone)]
pub struct Llm(Arc<Inner>);

struct Inner {
    client: Client,
    breaker: Breaker,
    budget: Budget,
    passages: Arc<dyn Passages>,
    without: Arc<dyn Brain>,
}

impl Llm {
    /// The model that the configuration names. `without` thinks first, and its thought stands when the model has none.
    ///
    /// # Errors
    /// [`LlmError`] when the address is none.
    pub fn new(
        bus: Bus,
        config: &config::Llm,
        passages: Arc<dyn Passages>,
        without: Arc<dyn Brain>,
    ) -> Result<Llm, LlmError> {
        Llm::within(Budget::new(bus, config.tokens_per_day), config, passages, without)
    }

    fn within(
        budget: Budget,
        config: &config::Llm,
        passages: Arc<dyn Passages>,
        without: Arc<dyn Brain>,
    ) -> Result<Llm, LlmError> {
        Ok(Llm(Arc::new(Inner {
            client: Client::new(config).map_err(LlmError)?,
            breaker: Breaker::new(Duration::from_millis(config.timeout_ms)),
            budget,
            passages,
            without,
        })))
    }
}

impl Brain for Llm {
    fn think(&self, question: Question) -> BoxFuture<'_, Result<Thought, BrainError>> {
        async move {
            let without = self.0.without.think(question.clone()).await?;
            if is_plain(&without.outcome) {
                return Ok(without);
            }
            match self.0.ask(&question).await {
                // How sure it is, and what it is about, is calibrated; what a model says of itself is not.
                Ok(Some(outcome)) => Ok(Thought { outcome, ..without }),
                Ok(None) => Ok(without),
                Err(error) => {
                    tracing::warn!(workspace = question.workspace, %error, "the model is no help");
                    Ok(without)
                }
            }
        }
        .boxed()
    }
}

/// Whether nothing is left to ask a model about: what the customer says of the bot, and words that ask nothing.
fn is_plain(outcome: &Outcome) -> bool {
    use HandoffReason::{AskedForHuman, NoWords, NotHelped};
    match outcome {
        Outcome::Handoff { reason, .. } => matches!(reason, AskedForHuman | NotHelped | NoWords),
        Outcome::Solved { .. } | Outcome::Nothing { .. } => true,
        Outcome::Reply { .. } | Outcome::Clarify { .. } => false,
    }
}

impl Inner {
    /// What the model says; `None` where nothing is known that it could say.
    async fn ask(&self, question: &Question) -> Result<Option<Outcome>, ModelError> {
        let passages = self.passages.search(&question.workspace, &question.text, PASSAGES).await;
        let passages = passages.map_err(|error| ModelError::Away(error.to_string()))?;
        if passages.is_empty() {
            return Ok(None);
        }
        let request = prompt::request(self.client.model(), self.client.answer_tokens(), question, &passages);
        let permit = self.breaker.permit()?;
        let reserved = self.budget.reserve(&question.workspace, self.client.most_tokens(&request)).await?;
        let answer = self.client.chat(&request).await;
        if let Ok(answer) = &answer {
            self.budget.settle(&question.workspace, reserved, answer.tokens).await;
        }
        let outcome = answer.and_then(|answer| tools::outcome(&answer, &passages));
        permit.done(outcome.as_ref().err());
        outcome.map(Some)
    }
}
