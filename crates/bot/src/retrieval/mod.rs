//! The brain that needs no model and no network.

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::brain::{Brain, BrainError, HandoffReason, Outcome, Question, Source, Thought};
use crate::knowledge::Library;

/// Ranks what the library holds. Cheap to clone.
#[derive(Clone)]
pub struct Retrieval {
    _library: Library,
}

impl Retrieval {
    /// A brain over a library.
    pub fn new(library: Library) -> Retrieval {
        Retrieval { _library: library }
    }

    /// Passages that come nearest to a text, best first; at most `limit`.
    ///
    /// # Errors
    /// [`BrainError::Away`] when what is in force can't be known in time.
    pub async fn search(&self, _workspace: &str, _text: &str, _limit: usize) -> Result<Vec<Source>, BrainError> {
        Ok(Vec::new())
    }
}

impl Brain for Retrieval {
    fn think(&self, _question: Question) -> BoxFuture<'_, Result<Thought, BrainError>> {
        let outcome = Outcome::Handoff { reason: HandoffReason::NoKnowledge, topic: None };
        async { Ok(Thought { outcome, score: 0.0, intent: None }) }.boxed()
    }
}
