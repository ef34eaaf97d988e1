//! From bytes to contents. Everything that is wrong is told with its place, and then nothing is taken.

use proto::v1::knowledge_document::Format;

use super::contents::{Contents, MAX_ANSWER, MAX_BYTES, MAX_INTENT, MAX_ITEMS, MAX_MISTAKES, MAX_PHRASE, Mistake, Row};
use super::{markdown, rows, text};

/// What a document holds.
///
/// # Errors
/// Everything that is wrong with it, at most [`MAX_MISTAKES`].
pub(crate) fn parse(format: Format, data: &[u8]) -> Result<Contents, Vec<Mistake>> {
    if data.len() > MAX_BYTES {
        let size = format!("is {} bytes: at most {MAX_BYTES} are taken; split it into several documents", data.len());
        return Err(vec![Mistake::at(1, 1, size)]);
    }
    let text = utf8(data)?;
    let contents = match format {
        Format::Markdown => markdown::parse(text),
        Format::Text => text::parse(text),
        Format::Csv => rows::csv(text)?,
        Format::Jsonl => rows::jsonl(text)?,
        Format::Unspecified => return Err(vec![Mistake::at(1, 1, "has no format")]),
    };
    let items = contents.passages.len() + contents.rows.len();
    if items == 0 {
        return Err(vec![Mistake::at(1, 1, "holds nothing that could be known")]);
    }
    if items > MAX_ITEMS {
        let many = format!("holds {items} rows or passages: at most {MAX_ITEMS} are taken");
        return Err(vec![Mistake::at(1, 1, many)]);
    }
    Ok(contents)
}

fn utf8(data: &[u8]) -> Result<&str, Vec<Mistake>> {
    match std::str::from_utf8(data) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = data.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let column = String::from_utf8_lossy(last).chars().count() + 1;
            Err(vec![Mistake::at(line, column, "is not UTF-8: save it as UTF-8")])
        }
    }
}

/// Rows that were read so far, and what was wrong with them.
#[derive(Default)]
pub(super) struct Collected {
    contents: Contents,
    mistakes: Vec<Mistake>,
}

/// What a row says, field by field; empty where it says nothing.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) text: String,
    pub(super) question: String,
    pub(super) answer: String,
    pub(super) intent: String,
}

impl Collected {
    pub(super) fn mistake(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// Whether more mistakes would not be told.
    pub(super) fn full(&self) -> bool {
        self.mistakes.len() >= MAX_MISTAKES
    }

    pub(super) fn row(&mut self, line: usize, fields: Fields) {
        let Fields { text, question, answer, intent } = fields;
        let (text, question, answer, intent) = (text.trim(), question.trim(), answer.trim(), intent.trim());
        for (name, value, most) in [
            ("text", text, MAX_PHRASE.max(MAX_ANSWER)),
            ("question", question, MAX_PHRASE),
            ("answer", answer, MAX_ANSWER),
            ("intent", intent, MAX_INTENT),
        ] {
            if value.len() > most {
                let long = format!("{name} is {} bytes long: at most {most} are taken", value.len());
                return self.mistake(Mistake::at(line, 1, long));
            }
        }
        let place = u32::try_from(line).unwrap_or(u32::MAX);
        if text.is_empty() && question.is_empty() {
            return self.mistake(Mistake::at(line, 1, "has neither text nor question: what would a customer say?"));
        }
        // A text alone is something to know, not something that a customer says.
        if question.is_empty() && answer.is_empty() && intent.is_empty() {
            self.contents.passages.extend(super::text::passages("", text, place));
            return;
        }
        if text.len() > MAX_PHRASE {
            let long = format!("text is {} bytes long: a phrase has at most {MAX_PHRASE}", text.len());
            return self.mistake(Mistake::at(line, 1, long));
        }
        let phrases = [question, text].into_iter().filter(|phrase| !phrase.is_empty()).map(str::to_owned).collect();
        let intent = Some(intent).filter(|intent| !intent.is_empty()).map(str::to_owned);
        self.contents.rows.push(Row { phrases, intent, answer: answer.to_owned(), line: place });
    }

    pub(super) fn done(self) -> Result<Contents, Vec<Mistake>> {
        if self.mistakes.is_empty() { Ok(self.contents) } else { Err(self.mistakes) }
    }
}
