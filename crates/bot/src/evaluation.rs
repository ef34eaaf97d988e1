//! How good the retrieval brain is on texts whose intents are known: what `cargo xtask eval-bot` prints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::v1::knowledge_document::Format;

use crate::brain::{Outcome, Question};
use crate::knowledge::parse;
use crate::retrieval::{Document, Index, think};

/// Bins of the calibration error.
const BINS: usize = 10;

/// What an evaluation found.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Texts whose intent is known.
    pub in_scope: usize,
    /// Texts about something else.
    pub out_of_scope: usize,
    /// Share of the first that were answered with their intent, in 0..=1.
    pub accuracy: f64,
    /// Share of the second that were handed off.
    pub recall: f64,
    /// Share of the first whose best intent was right, answered or not.
    pub best_accuracy: f64,
    /// The chance that one of the first scores higher than one of the second.
    pub auroc: f64,
    /// Expected calibration error of the score as the probability of being right, over both, each counted once.
    pub calibration_error: f64,
    /// The score from which on there is an answer.
    pub threshold: Option<f64>,
    /// How long the index took.
    pub build: Duration,
    /// How long a question took, on average.
    pub question: Duration,
}

/// One text: score, whether it was answered, whether the best intent was right.
struct Tried {
    score: f64,
    answered: bool,
    right: bool,
}

/// Imports `knowledge`, asks everything in `questions`, and counts. All are JSONL; questions hold a text and the intent
/// that is right, none for what nothing in the knowledge answers. Questions in `out_of_scope` have none, whatever they say.
///
/// # Errors
/// What can't be read, with its line.
pub fn evaluate(knowledge: &str, questions: &str, out_of_scope: &str) -> Result<Evaluation, String> {
    let contents = parse(Format::Jsonl, knowledge.as_bytes());
    let contents = contents.map_err(|mistakes| format!("the knowledge can't be read: {mistakes:?}"))?;
    let began = Instant::now();
    let document = Document { name: "evaluation".to_owned(), version: 1, contents };
    let index = Index::build(&[Arc::new(document)]).map_err(|error| error.to_string())?;
    let build = began.elapsed();
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let began = Instant::now();
    for (text, intent) in rows(questions)? {
        match intent {
            Some(intent) => known.push(ask(&index, text, Some(&intent))),
            None => unknown.push(ask(&index, text, None)),
        }
    }
    for (text, _) in rows(out_of_scope)? {
        unknown.push(ask(&index, text, None));
    }
    let asked = u32::try_from(known.len() + unknown.len()).unwrap_or(u32::MAX).max(1);
    Ok(Evaluation {
        in_scope: known.len(),
        out_of_scope: unknown.len(),
        accuracy: share(&known, |tried| tried.answered && tried.right),
        recall: share(&unknown, |tried| !tried.answered),
        best_accuracy: share(&known, |tried| tried.right),
        auroc: auroc(&known, &unknown),
        calibration_error: calibration_error(&known, &unknown),
        threshold: index.threshold(),
        build,
        question: began.elapsed() / asked,
    })
}

fn rows(text: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let mut rows = Vec::new();
    for (line, row) in (1..).zip(text.lines()).filter(|(_, row)| !row.trim().is_empty()) {
        let row: serde_json::Value = serde_json::from_str(row).map_err(|error| format!("line {line}: {error}"))?;
        let field = |name: &str| row.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        rows.push((field("text").ok_or_else(|| format!("line {line} has no text"))?, field("intent")));
    }
    Ok(rows)
}

fn ask(index: &Index, text: String, intent: Option<&str>) -> Tried {
    let thought = think(Some(index), &Question { text, ..Question::default() });
    let answered = !matches!(thought.outcome, Outcome::Handoff { .. } | Outcome::Clarify { .. });
    let right = intent.is_some() && thought.intent.as_deref() == intent;
    Tried { score: thought.score, answered, right }
}

#[allow(clippy::cast_precision_loss)] // counts of texts
fn share(all: &[Tried], is: impl Fn(&Tried) -> bool) -> f64 {
    all.iter().filter(|tried| is(tried)).count() as f64 / all.len().max(1) as f64
}

#[allow(clippy::cast_precision_loss)] // counts of texts
fn auroc(known: &[Tried], unknown: &[Tried]) -> f64 {
    let mut below: Vec<f64> = unknown.iter().map(|tried| tried.score).collect();
    below.sort_by(f64::total_cmp);
    let beaten = |tried: &Tried| {
        let less = below.partition_point(|score| *score < tried.score);
        let equal = below.partition_point(|score| *score <= tried.score) - less;
        less as f64 + equal as f64 / 2.0
    };
    let pairs = (known.len() * unknown.len()).max(1);
    known.iter().map(beaten).sum::<f64>() / pairs as f64
}

#[allow(clippy::cast_precision_loss)] // counts of texts
fn calibration_error(known: &[Tried], unknown: &[Tried]) -> f64 {
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for tried in known.iter().chain(unknown) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a bin
        let bin = ((tried.score * BINS as f64) as usize).min(BINS - 1);
        let (count, score, right) = &mut bins[bin];
        *count += 1.0;
        *score += tried.score;
        *right += f64::from(u8::from(tried.right));
    }
    let all: f64 = bins.iter().map(|(count, _, _)| count).sum();
    bins.iter().map(|(_, score, right)| (score - right).abs()).sum::<f64>() / f64::max(all, 1.0)
}
