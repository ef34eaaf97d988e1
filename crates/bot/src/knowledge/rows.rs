//! CSV and JSONL.

use csv::{ReaderBuilder, StringRecord};
use serde::Deserialize;

use super::contents::{Contents, Mistake};
use super::parse::{Collected, Fields};

/// What may stand between the values of a CSV file; the one that stands in the header most often does.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A line of JSONL; what else it holds is left alone.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    text: Option<String>,
    question: Option<String>,
    answer: Option<String>,
    intent: Option<String>,
}

pub(super) fn jsonl(text: &str) -> Result<Contents, Vec<Mistake>> {
    let mut collected = Collected::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Line>(line) {
            Ok(Line { text, question, answer, intent }) => {
                let [text, question, answer, intent] = [text, question, answer, intent].map(Option::unwrap_or_default);
                collected.row(number, Fields { text, question, answer, intent });
            }
            Err(error) => {
                let words = error.to_string();
                let reason = words.split(" at line ").next().unwrap_or(&words);
                collected.mistake(Mistake::at(number, error.column().max(1), format!("is no row: {reason}")));
            }
        }
        if collected.full() {
            break;
        }
    }
    collected.done()
}

pub(super) fn csv(text: &str) -> Result<Contents, Vec<Mistake>> {
    let header = text.lines().next().unwrap_or_default();
    let often = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // The first of those that stand there equally often.
    let separator = SEPARATORS.into_iter().rev().max_by_key(often).unwrap_or(b',');
    let mut reader = ReaderBuilder::new().delimiter(separator).has_headers(true).from_reader(text.as_bytes());
    let columns = Columns::of(reader.headers().map_err(|error| vec![mistake(&error)])?)?;
    let mut collected = Collected::default();
    for record in reader.records() {
        match record {
            Ok(record) if record.iter().all(|value| value.trim().is_empty()) => {}
            Ok(record) => {
                let line = record.position().map_or(1, csv::Position::line);
                collected.row(usize::try_from(line).unwrap_or(usize::MAX), columns.fields(&record));
            }
            Err(error) => collected.mistake(mistake(&error)),
        }
        if collected.full() {
            break;
        }
    }
    collected.done()
}

/// Where the columns stand.
struct Columns {
    text: Option<usize>,
    question: Option<usize>,
    answer: Option<usize>,
    intent: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Columns, Vec<Mistake>> {
        let named = |name: &str| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
        let [text, question, answer, intent] = ["text", "question", "answer", "intent"].map(named);
        if text.is_none() && question.is_none() {
            let reason = "has no column \"question\" or \"text\": the first line names the columns, as in \
                          question,answer,intent";
            return Err(vec![Mistake::at(1, 1, reason)]);
        }
        Ok(Columns { text, question, answer, intent })
    }

    fn fields(&self, record: &StringRecord) -> Fields {
        let value = |column: Option<usize>| column.and_then(|column| record.get(column)).unwrap_or_default().to_owned();
        Fields {
            text: value(self.text),
            question: value(self.question),
            answer: value(self.answer),
            intent: value(self.intent),
        }
    }
}

fn mistake(error: &csv::Error) -> Mistake {
    let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} values, the header has {expected_len}: put values that hold a separator into quotes")
        }
        _ => error.to_string(),
    };
    Mistake::at(line, 1, reason)
}
