//! What the bot would do: a question and a thought as clients see them.

use proto::v1;
use proto::v1::answer_response::{Handoff, Outcome as Wire, Reply, handoff::Reason};
use service::status::Mistakes;
use tonic::Status;

use crate::brain::{HandoffReason, Outcome, Question, Said, Source, Speaker, Thought};

/// Longest text, in bytes: four of the longest messages.
const MAX_TEXT: usize = 16 * 1024;
/// What was said before, at most.
const MAX_HISTORY: usize = 50;

/// The question that is asked.
///
/// # Errors
/// INVALID_ARGUMENT with every mistake.
#[allow(clippy::result_large_err)]
pub(super) fn question(request: v1::AnswerRequest) -> Result<Question, Status> {
    let mut mistakes = Mistakes::default();
    let long = format!("has to be at most {MAX_TEXT} bytes");
    mistakes.unless(request.text.len() <= MAX_TEXT, "text", &long);
    mistakes.unless(request.history.len() <= MAX_HISTORY, "history", format!("has to be at most {MAX_HISTORY}"));
    for (place, said) in request.history.iter().enumerate().take(MAX_HISTORY) {
        mistakes.unless(said.text.len() <= MAX_TEXT, &format!("history[{place}].text"), &long);
    }
    mistakes.done()?;
    let history = request.history.into_iter().map(|said| Said { by: speaker(said.by()), text: said.text }).collect();
    Ok(Question { workspace: request.workspace, text: request.text, history, clarified: false })
}

fn speaker(kind: v1::actor::Kind) -> Speaker {
    match kind {
        v1::actor::Kind::Unspecified | v1::actor::Kind::Customer => Speaker::Customer,
        v1::actor::Kind::Bot | v1::actor::Kind::Automation | v1::actor::Kind::System => Speaker::Bot,
        v1::actor::Kind::Agent => Speaker::Agent,
    }
}

/// A thought as an answer. Asking back is a handoff here: nobody would answer.
pub(super) fn response(thought: Thought) -> v1::AnswerResponse {
    let handoff = |reason: Reason| Wire::Handoff(Handoff { reason: reason.into() });
    let outcome = match thought.outcome {
        Outcome::Reply { text, sources } => {
            Wire::Reply(Reply { text, sources: sources.into_iter().map(source).collect() })
        }
        Outcome::Solved { text } | Outcome::Nothing { text } => Wire::Reply(Reply { text, sources: Vec::new() }),
        Outcome::Clarify { .. } => handoff(Reason::NotSure),
        Outcome::Handoff { reason, .. } => handoff(match reason {
            HandoffReason::NotSure => Reason::NotSure,
            HandoffReason::AskedForHuman => Reason::AskedForHuman,
            HandoffReason::NotHelped => Reason::NotHelped,
            HandoffReason::NoKnowledge => Reason::NoKnowledge,
            HandoffReason::NoWords => Reason::NoWords,
        }),
    };
    let intent = thought.intent.unwrap_or_default();
    v1::AnswerResponse { outcome: Some(outcome), score: thought.score, intent }
}

fn source(source: Source) -> v1::Source {
    let Source { document, version, title, text, line } = source;
    v1::Source { document, version, title, text, line: i32::try_from(line).unwrap_or(i32::MAX) }
}
