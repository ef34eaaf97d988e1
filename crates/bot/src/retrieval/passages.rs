//! Passages in a full-text index in memory, ranked by BM25.

use std::collections::{HashMap, HashSet};

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{IndexReader, ReloadPolicy, TantivyDocument, TantivyError, Term};

use super::words::{Languages, fold, words};

/// Memory for building, in bytes: the least that the library takes is 15 MB.
const BUILDING: usize = 64 << 20;
/// Words of a question that are looked for: the first of a long message.
const MOST_WORDS: usize = 64;
/// What a word in the title counts beside one in the text.
const TITLE: f32 = 2.0;
/// Letters from which on a word counts in full. Words that mean little are short, in most languages.
const LONG_WORD: f32 = 6.0;

/// A full-text index of passages, which are known by their number.
pub(super) struct Passages {
    reader: IndexReader,
    fields: Fields,
    count: u64,
}

#[derive(Clone, Copy)]
struct Fields {
    title: Field,
    text: Field,
    number: Field,
}

/// A passage that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) number: usize,
    /// BM25.
    pub(super) rank: f32,
}

/// What a question asks for: stems and how much each tells.
pub(super) struct Asked(HashMap<String, f32>);

impl Asked {
    /// How much of it stands in a passage, in 0..=1.
    pub(super) fn coverage(&self, title: &str, text: &str, languages: &Languages) -> f32 {
        let folded = fold(&format!("{title}\n{text}"));
        let stems: HashSet<String> = languages.stems(&folded, &words(&folded)).into_iter().collect();
        let all: f32 = self.0.values().sum();
        let covered: f32 = self.0.iter().filter(|(stem, _)| stems.contains(*stem)).map(|(_, weight)| weight).sum();
        if all > 0.0 { covered / all } else { 0.0 }
    }
}

impl Passages {
    /// An index of titles and texts, in their order.
    pub(super) fn build<'a>(
        passages: impl Iterator<Item = (&'a str, &'a str)>,
        languages: &Languages,
    ) -> Result<Passages, TantivyError> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqs);
        let stems = TextOptions::default().set_indexing_options(indexing);
        let number = NumericOptions::default() | FAST;
        let fields = Fields {
            title: schema.add_text_field("title", stems.clone()),
            text: schema.add_text_field("text", stems),
            number: schema.add_u64_field("number", number.set_stored()),
        };
        let index = tantivy::Index::create_in_ram(schema.build());
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, BUILDING)?;
        let mut count = 0;
        for (title, text) in passages {
            let mut document = TantivyDocument::new();
            document.add_pre_tokenized_text(fields.title, tokens(title, languages));
            document.add_pre_tokenized_text(fields.text, tokens(text, languages));
            document.add_u64(fields.number, count);
            writer.add_document(document)?;
            count += 1;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Passages { reader, fields, count })
    }

    /// What a text asks for.
    pub(super) fn asked(&self, text: &str, languages: &Languages) -> Result<Asked, TantivyError> {
        let folded = fold(text);
        let mut words = words(&folded);
        words.truncate(MOST_WORDS);
        let searcher = self.reader.searcher();
        let mut asked = HashMap::new();
        for (stem, word) in languages.stems(&folded, &words).into_iter().zip(&words) {
            let term = |field| Term::from_field_text(field, &stem);
            let title = searcher.doc_freq(&term(self.fields.title))?;
            let often = title.max(searcher.doc_freq(&term(self.fields.text))?);
            #[allow(clippy::cast_precision_loss)] // counts of passages and letters
            let (length, rarity) = (
                (word.chars().count() as f32 / LONG_WORD).clamp(0.1, 1.0),
                ((1.0 + self.count as f32) / (1.0 + often as f32)).ln() + 1.0,
            );
            asked.insert(stem, length * rarity);
        }
        Ok(Asked(asked))
    }

    /// The passages that come nearest, best first.
    pub(super) fn search(&self, asked: &Asked, limit: usize) -> Result<Vec<Hit>, TantivyError> {
        let terms = asked.0.iter().flat_map(|(stem, weight)| {
            [(self.fields.title, TITLE * weight), (self.fields.text, *weight)].map(|(field, boost)| {
                let term = Term::from_field_text(field, stem);
                let term = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
                (Occur::Should, Box::new(BoostQuery::new(term, boost)) as Box<dyn Query>)
            })
        });
        let query = BooleanQuery::new(terms.collect());
        let searcher = self.reader.searcher();
        let mut hits = Vec::new();
        for (rank, address) in searcher.search(&query, &TopDocs::with_limit(limit.max(1)).order_by_score())? {
            let document: TantivyDocument = searcher.doc(address)?;
            let number = document.get_first(self.fields.number).and_then(|value| value.as_u64());
            hits.push(Hit {
                number: number.and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX),
                rank,
            });
        }
        Ok(hits)
    }
}

fn tokens(text: &str, languages: &Languages) -> PreTokenizedString {
    let folded = fold(text);
    let stems = languages.stems(&folded, &words(&folded));
    let token = |(position, text): (usize, String)| Token { position, text, ..Token::default() };
    PreTokenizedString { text: String::new(), tokens: stems.into_iter().enumerate().map(token).collect() }
}
