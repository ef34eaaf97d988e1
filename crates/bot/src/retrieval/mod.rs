//! The brain that needs no model and no network: it ranks what is known, and says how sure it is.

mod calibrate;
mod features;
mod index;
mod linear;
mod model;
mod passages;
mod questions;
#[cfg(test)]
mod tests;
mod trials;
pub(crate) mod words;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::brain::{Brain, BrainError, HandoffReason, Outcome, Question, Source, Speaker, Thought};
use crate::knowledge::Library;
use crate::talk::{self, Remark, Sentence};

pub(crate) use index::{Best, Document, Index, class_count};

/// Bytes of a question that are looked at: four of the longest messages.
const MOST: usize = 16 * 1024;
/// Share of the threshold from which on it is worth asking back: what comes less near is something else.
const WORTH_ASKING: f64 = 0.2;

/// Ranks what is known. Cheap to clone.
#[derive(Clone)]
pub struct Retrieval(Knowledge);

/// Where that comes from.
#[derive(Clone)]
enum Knowledge {
    /// What is in force in every workspace.
    Library(Library),
    /// What one workspace knows, or might.
    Fixed(Option<Arc<Index>>),
}

impl Retrieval {
    /// A brain over a library.
    pub fn new(library: Library) -> Retrieval {
        Retrieval(Knowledge::Library(library))
    }

    /// A brain over one index, whatever the workspace.
    pub(crate) fn fixed(index: Option<Arc<Index>>) -> Retrieval {
        Retrieval(Knowledge::Fixed(index))
    }

    async fn index(&self, workspace: &str) -> Result<Option<Arc<Index>>, BrainError> {
        match &self.0 {
            Knowledge::Library(library) => {
                library.index(workspace).await.map_err(|error| BrainError::Away(error.to_string()))
            }
            Knowledge::Fixed(index) => Ok(index.clone()),
        }
    }

    /// Passages and answers that come nearest to a text, best first; at most `limit`.
    ///
    /// # Errors
    /// [`BrainError::Away`] when what is in force can't be known in time.
    pub async fn search(&self, workspace: &str, text: &str, limit: usize) -> Result<Vec<Source>, BrainError> {
        let index = self.index(workspace).await?;
        Ok(index.map(|index| index.search(cut(text), limit)).unwrap_or_default())
    }
}

impl Brain for Retrieval {
    fn think(&self, question: Question) -> BoxFuture<'_, Result<Thought, BrainError>> {
        async move {
            let index = self.index(&question.workspace).await?;
            Ok(think(index.as_deref(), &question))
        }
        .boxed()
    }
}

/// What to do about a question, by what is known.
pub(crate) fn think(index: Option<&Index>, question: &Question) -> Thought {
    let text = cut(&question.text);
    let best = index.map(|index| best(index, question, text)).unwrap_or_default();
    let (score, intent) = (best.score, best.intent.clone());
    let outcome = match talk::remark(text) {
        Some(remark) => remarked(remark, question, text, &best),
        None if !talk::has_words(text) => handoff(HandoffReason::NoWords, None),
        None if index.is_none() => handoff(HandoffReason::NoKnowledge, None),
        None => answered(question, text, best),
    };
    Thought { outcome, score, intent }
}

/// The best to a question. After the bot asked back, what was said before belongs to the question.
fn best(index: &Index, question: &Question, text: &str) -> Best {
    let alone = index.best(text);
    let before = question.history.iter().rev().find(|said| said.by == Speaker::Customer);
    match before.filter(|_| question.clarified && !alone.is_sure()) {
        Some(before) => {
            let together = index.best(&format!("{}\n{text}", cut(&before.text)));
            if together.is_sure() { together } else { alone }
        }
        None => alone,
    }
}

fn answered(question: &Question, text: &str, best: Best) -> Outcome {
    if best.is_sure() {
        return reply(best);
    }
    if !question.clarified && best.score >= best.threshold * WORTH_ASKING && best.score > 0.0 {
        return Outcome::Clarify { text: talk::say(Sentence::Clarify, text) };
    }
    handoff(HandoffReason::NotSure, best.intent)
}

/// What to do about a remark on the chat itself. Where the knowledge has words for it, those are said.
fn remarked(remark: Remark, question: &Question, text: &str, best: &Best) -> Outcome {
    let has_words = best.is_sure() && best.source.is_some();
    let answered_before = question.history.iter().any(|said| said.by == Speaker::Bot);
    match remark {
        Remark::Human => handoff(HandoffReason::AskedForHuman, None),
        Remark::NotHelped if answered_before => handoff(HandoffReason::NotHelped, None),
        _ if has_words => reply(best.clone()),
        Remark::NotHelped => answered(question, text, best.clone()),
        Remark::Solved => Outcome::Solved { text: talk::say(Sentence::Glad, text) },
        Remark::Thanks => Outcome::Nothing { text: talk::say(Sentence::Welcome, text) },
        Remark::Greeting => Outcome::Nothing { text: talk::say(Sentence::Hello, text) },
    }
}

fn reply(best: Best) -> Outcome {
    let text = best.source.as_ref().map(|source| source.text.clone()).unwrap_or_default();
    Outcome::Reply { text, sources: best.source.into_iter().collect() }
}

fn handoff(reason: HandoffReason, topic: Option<String>) -> Outcome {
    Outcome::Handoff { reason, topic }
}

/// The beginning of a text, as much as is looked at.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MOST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
