//! Everything that a workspace knows, ready to be asked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::calibrate::Calibration;
use super::features::traits;
use super::model::{self, Model};
use super::passages::{self, Hit, Look, Passages};
use super::questions;
use super::trials::{self, Example};
use super::words::{Languages, fold};
use crate::brain::Source;
use crate::knowledge::{Contents, Row};

/// A document, read.
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) contents: Contents,
}

/// What a workspace knows.
pub(crate) struct Index {
    languages: Languages,
    intents: Option<Intents>,
    passages: Option<Passages>,
    /// Of passages.
    calibration: Option<Calibration<{ passages::SIGNS }>>,
    /// What can be given as an answer, by number.
    entries: Vec<Source>,
}

/// Classes of phrases.
struct Intents {
    model: Model,
    calibration: Option<Calibration<{ model::SIGNS }>>,
    classes: Vec<Class>,
    /// The entry that each example is answered with.
    answers: Vec<Option<usize>>,
    /// What is meant by who is answered with each of the first entries, which are answers; if that has a name.
    of_entries: Vec<Option<String>>,
}

#[derive(Default)]
struct Class {
    intent: Option<String>,
    /// The first entry that answers it.
    answer: Option<usize>,
}

/// The best that is known to a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Best {
    /// The probability that it is right.
    pub(crate) score: f64,
    /// From which probability on it is given.
    pub(crate) threshold: f64,
    /// What is meant, if it has a name.
    pub(crate) intent: Option<String>,
    /// What to say; `None` for an intent without words.
    pub(crate) source: Option<Source>,
}

impl Best {
    /// Whether it is sure enough to be given.
    pub(crate) fn is_sure(&self) -> bool {
        self.score > 0.0 && self.score >= self.threshold
    }
}

/// Likeness to an example (0..=1) that is an even chance where the knowledge is too small to examine itself: most of the
/// words are the same.
const EVEN_LIKENESS: f32 = 0.5;
/// How steep the chance rises there.
const STEEPNESS: f32 = 10.0;
/// Share of a question's weight that a passage has to cover for an even chance.
const EVEN_COVERAGE: f32 = 0.6;
/// What it is worth that no other passage comes near.
const ALONE: f32 = 1.5;
/// From which probability on a passage is given: nothing holds passages out, so it is the even chance.
const EVEN: f64 = 0.5;

impl Index {
    /// Builds it. Takes seconds for tens of thousands of examples: not for a thread that others wait for.
    pub(crate) fn build(documents: &[Arc<Document>]) -> Result<Index, tantivy::TantivyError> {
        let texts: Vec<&str> = documents.iter().flat_map(|document| texts(&document.contents)).collect();
        let languages = Languages::of(texts.into_iter());
        let mut entries = Vec::new();
        let intents = Intents::build(documents, &languages, &mut entries);
        for document in documents {
            entries.extend(document.contents.passages.iter().map(|passage| Source {
                document: document.name.clone(),
                version: document.version,
                title: passage.title.clone(),
                text: passage.text.clone(),
                line: passage.line,
            }));
        }
        let passages = entries.iter().map(|entry| (entry.title.as_str(), entry.text.as_str()));
        let passages = if entries.is_empty() { None } else { Some(Passages::build(passages, &languages)?) };
        let trials = match &passages {
            Some(passages) => questions::hold(passages, &entries, &languages)?,
            None => Vec::new(),
        };
        Ok(Index { languages, intents, passages, calibration: Calibration::learn(&trials), entries })
    }

    /// The best that is known to a text; nothing where none of its words is known.
    pub(crate) fn best(&self, text: &str) -> Best {
        let intent = self.intents.as_ref().and_then(|intents| intents.best(text, &self.languages, &self.entries));
        let passage = self.best_passage(text);
        match (intent, passage) {
            (Some(intent), Some(passage)) => {
                let better = passage.is_sure() && !(intent.is_sure() && intent.score >= passage.score);
                if better { passage } else { intent }
            }
            (intent, passage) => intent.or(passage).unwrap_or_default(),
        }
    }

    /// The passages that come nearest, best first.
    pub(crate) fn search(&self, text: &str, limit: usize) -> Vec<Source> {
        let hits = self.hits(text, limit);
        hits.iter().filter_map(|hit| self.entries.get(hit.number)).cloned().collect()
    }

    /// From which probability on an intent is given; `None` where there are none, or too few to tell.
    pub(crate) fn threshold(&self) -> Option<f64> {
        self.intents.as_ref()?.calibration.as_ref().map(|calibration| calibration.threshold)
    }

    fn best_passage(&self, text: &str) -> Option<Best> {
        let passages = self.passages.as_ref()?;
        let look = passages.look(text, &self.entries, &self.languages, None);
        let Look { number, signs } = look.inspect_err(failed).ok()??;
        let [coverage, alone, _] = signs;
        let score = match &self.calibration {
            Some(calibration) => calibration.probability(&signs),
            None => logistic(STEEPNESS * (coverage - EVEN_COVERAGE) + ALONE * alone),
        };
        let intent = self.intents.as_ref().and_then(|intents| intents.of_entries.get(number)?.clone());
        Some(Best { score, threshold: EVEN, intent, source: self.entries.get(number).cloned() })
    }

    fn hits(&self, text: &str, limit: usize) -> Vec<Hit> {
        let Some(passages) = &self.passages else { return Vec::new() };
        let asked = passages.asked(text, &self.languages, &HashSet::new());
        let hits = asked.and_then(|asked| passages.search(&asked, limit));
        hits.inspect_err(failed).unwrap_or_default()
    }
}

fn failed(error: &tantivy::TantivyError) {
    tracing::error!(%error, "a search failed");
}

fn texts(contents: &Contents) -> impl Iterator<Item = &str> {
    let rows = contents.rows.iter().flat_map(|row| row.phrases.iter().map(String::as_str));
    rows.chain(contents.passages.iter().map(|passage| passage.text.as_str()))
}

impl Intents {
    fn build(documents: &[Arc<Document>], languages: &Languages, entries: &mut Vec<Source>) -> Option<Intents> {
        let mut classes: Vec<Class> = Vec::new();
        let mut by_key: HashMap<String, usize> = HashMap::new();
        let mut examples = Vec::new();
        let (mut answers, mut of_entries) = (Vec::new(), Vec::new());
        for (document, row) in
            documents.iter().flat_map(|document| document.contents.rows.iter().map(move |row| (document, row)))
        {
            let class = *by_key.entry(key(row)).or_insert_with(|| {
                classes.push(Class { intent: row.intent.clone(), answer: None });
                classes.len() - 1
            });
            let answer = (!row.answer.is_empty()).then(|| {
                entries.push(Source {
                    document: document.name.clone(),
                    version: document.version,
                    title: row.phrases.first().cloned().unwrap_or_default(),
                    text: row.answer.clone(),
                    line: row.line,
                });
                of_entries.push(row.intent.clone());
                entries.len() - 1
            });
            if let Some(class) = classes.get_mut(class) {
                class.answer = class.answer.or(answer);
            }
            for phrase in &row.phrases {
                let traits = traits(phrase, languages);
                examples.push(Example { text: phrase.clone(), traits, class });
                answers.push(answer);
            }
        }
        if examples.is_empty() {
            return None;
        }
        let (model, trials) = std::thread::scope(|scope| {
            let trials = scope.spawn(|| trials::hold(&examples, classes.len(), languages));
            let all: Vec<_> = examples.iter().map(|example| (&example.traits, example.class)).collect();
            let model = Model::learn(&all, classes.len());
            (model, trials.join().unwrap_or_default())
        });
        Some(Intents { model, calibration: Calibration::learn(&trials), classes, answers, of_entries })
    }

    fn best(&self, text: &str, languages: &Languages, entries: &[Source]) -> Option<Best> {
        let model::Look { class, nearest, signs } = self.model.look(&traits(text, languages))?;
        let (score, threshold) = match &self.calibration {
            Some(calibration) => (calibration.probability(&signs), calibration.threshold),
            None => (logistic(STEEPNESS * (Model::likeness_of(&signs) - EVEN_LIKENESS)), EVEN),
        };
        let class = self.classes.get(class)?;
        let answer = nearest.and_then(|example| *self.answers.get(example)?).or(class.answer);
        let source = answer.and_then(|answer| entries.get(answer)).cloned();
        Some(Best { score, threshold, intent: class.intent.clone(), source })
    }
}

/// How many classes the rows of a document are of.
pub(crate) fn class_count(contents: &Contents) -> usize {
    contents.rows.iter().map(key).collect::<HashSet<String>>().len()
}

/// What makes rows the same class: their intent, else their answer, else their question.
fn key(row: &Row) -> String {
    match &row.intent {
        Some(intent) => format!("i {intent}"),
        None if row.answer.is_empty() => format!("q {}", fold(&row.phrases.join("\n"))),
        None => format!("a {}", row.answer),
    }
}

fn logistic(chance: f32) -> f64 {
    1.0 / (1.0 + f64::from(-chance).exp())
}
