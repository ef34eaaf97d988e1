//! A brain that does what the words say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bot::{Brain, BrainError, HandoffReason, Outcome, Question, Source, Thought};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Remembers what it was asked. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    asked: Arc<Mutex<Vec<Question>>>,
    /// How long each thought takes.
    slow: Arc<Mutex<Duration>>,
}

impl Scripted {
    pub(crate) fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn takes(&self, long: Duration) {
        *self.slow.lock().unwrap() = long;
    }
}

impl Brain for Scripted {
    fn think(&self, question: Question) -> BoxFuture<'_, Result<Thought, BrainError>> {
        let slow = *self.slow.lock().unwrap();
        self.asked.lock().unwrap().push(question.clone());
        async move {
            tokio::time::sleep(slow).await;
            outcome(&question).map(|outcome| Thought { outcome, score: 0.75, intent: Some(intent(&question)) })
        }
        .boxed()
    }
}

fn intent(question: &Question) -> String {
    question.text.split_whitespace().next().unwrap_or_default().to_owned()
}

fn outcome(question: &Question) -> Result<Outcome, BrainError> {
    let text = question.text.as_str();
    let refer = |reason| Outcome::Handoff { reason, topic: None };
    let word = |word: &str| text.split_whitespace().any(|own| own == word);
    Ok(if word("broken") {
        return Err(BrainError::Away("no brain today".to_owned()));
    } else if word("refund") || word("complaint") {
        let source = Source {
            document: "faq".to_owned(),
            version: 1,
            title: "Returns".to_owned(),
            text: "30 days.".to_owned(),
            line: 1,
        };
        Outcome::Reply { text: "30 days.".to_owned(), sources: vec![source] }
    } else if word("long") {
        Outcome::Reply { text: "a word or two, ".repeat(500), sources: Vec::new() }
    } else if word("wordless") {
        Outcome::Reply { text: String::new(), sources: Vec::new() }
    } else if word("human") {
        refer(HandoffReason::AskedForHuman)
    } else if word("useless") {
        refer(HandoffReason::NotHelped)
    } else if word("hm") {
        Outcome::Clarify { text: "Which one?".to_owned() }
    } else if word("solved") {
        Outcome::Solved { text: "Glad to hear it.".to_owned() }
    } else if word("hello") {
        Outcome::Nothing { text: "Hello!".to_owned() }
    } else if word("thanks") {
        Outcome::Nothing { text: String::new() }
    } else {
        refer(HandoffReason::NotSure)
    })
}
