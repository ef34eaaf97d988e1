//! Passages in a full-text index in memory, ranked by BM25.

use std::collections::HashSet;

use strsim::osa_distance;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions, Value};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{IndexReader, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term};

use super::words::{Languages, fold, words};
use crate::brain::Source;

/// Memory for building, in bytes: the least that the library takes is 15 MB.
const BUILDING: usize = 64 << 20;
/// Words of a question that are looked for: the first of a long message.
const MOST_WORDS: usize = 64;
/// What a word in the title counts beside one in the text.
const TITLE: f32 = 2.0;
/// Letters from which on a word counts in full. Words that mean little are short, in most languages.
const LONG_WORD: f32 = 6.0;

/// Letters from which on a word may have one slip of the finger in it, as in what customers say of the chat, and two.
const ONE_SLIP: usize = 5;
const TWO_SLIPS: usize = 9;
/// Words of a question that stand nowhere and are looked up with slips, and of which some are found so: work stays bounded.
const MOST_LOOKED_UP: usize = 8;
const MOST_SLIPPED: usize = 2;
/// Stems that one word may have slipped from.
const MOST_STEMS: usize = 4;

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

/// Signs of how sure a passage is: the share of the question that it covers, how far the second is behind, and how many
/// words of the question it holds.
pub(super) const SIGNS: usize = 3;

/// What is found to a question.
pub(super) struct Look {
    pub(super) number: usize,
    pub(super) signs: [f32; SIGNS],
}

/// A passage that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) number: usize,
    /// BM25.
    pub(super) rank: f32,
}

/// What a question asks for.
pub(super) struct Asked(Vec<Word>);

/// A word of a question.
struct Word {
    /// Its stem; where that stands nowhere, stems that differ by slips of the finger.
    stems: Vec<String>,
    /// How much it tells.
    weight: f32,
    /// How like it is to the stems, in 0..=1.
    likeness: f32,
}

impl Asked {
    /// How much of it stands in a passage, in 0..=1, and how many of its words do.
    fn coverage(&self, stems: &HashSet<String>) -> (f32, f32) {
        let all: f32 = self.0.iter().map(|word| word.weight).sum();
        let stands = |word: &&Word| word.stems.iter().any(|stem| stems.contains(stem));
        let covered: f32 = self.0.iter().filter(stands).map(|word| word.weight * word.likeness).sum();
        let count = self.0.iter().filter(stands).map(|word| word.likeness).sum();
        (if all > 0.0 { covered / all } else { 0.0 }, count)
    }
}

/// The stems of a passage.
fn stems_of(title: &str, text: &str, languages: &Languages) -> HashSet<String> {
    let folded = fold(&format!("{title}\n{text}"));
    languages.stems(&folded, &words(&folded)).into_iter().collect()
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

    /// The passage that comes nearest to a text, if the passage of the number `without` were not there.
    pub(super) fn look(
        &self,
        text: &str,
        entries: &[Source],
        languages: &Languages,
        without: Option<usize>,
    ) -> Result<Option<Look>, TantivyError> {
        let stems = |number: usize| entries.get(number).map(|entry| stems_of(&entry.title, &entry.text, languages));
        let asked = self.asked(text, languages, &without.and_then(stems).unwrap_or_default())?;
        let mut hits = self.search(&asked, 2 + usize::from(without.is_some()))?;
        hits.retain(|hit| Some(hit.number) != without);
        let Some((first, stems)) = hits.first().and_then(|first| Some((first, stems(first.number)?))) else {
            return Ok(None);
        };
        let second = hits.get(1).map_or(0.0, |hit| hit.rank);
        let alone = if first.rank > 0.0 { 1.0 - second / first.rank } else { 0.0 };
        let (coverage, count) = asked.coverage(&stems);
        Ok(Some(Look { number: first.number, signs: [coverage, alone, count.ln_1p()] }))
    }

    /// What a text asks for, if the passage that holds the stems `without` were not there.
    pub(super) fn asked(
        &self,
        text: &str,
        languages: &Languages,
        without: &HashSet<String>,
    ) -> Result<Asked, TantivyError> {
        let folded = fold(text);
        let mut words = words(&folded);
        words.truncate(MOST_WORDS);
        let searcher = self.reader.searcher();
        let often = |stem: &str| self.often(&searcher, stem, without);
        let (mut seen, mut asked, mut unknown) = (HashSet::new(), Vec::new(), Vec::new());
        for (stem, word) in languages.stems(&folded, &words).into_iter().zip(&words) {
            if !seen.insert(stem.clone()) {
                continue;
            }
            let often = often(&stem)?;
            if often == 0 {
                unknown.push((asked.len(), stem.clone(), slips(word)));
            }
            asked.push(Word { weight: length(word) * self.rarity(often), stems: vec![stem], likeness: 1.0 });
        }
        unknown.retain(|(_, _, most)| *most > 0);
        let mut slipped = Vec::new();
        for (place, stem, most) in unknown.into_iter().take(MOST_LOOKED_UP) {
            if let Some((likeness, stems)) = self.slipped(&searcher, &stem, most, often)? {
                slipped.push((place, likeness, stems));
            }
        }
        // Somebody who slips in many words can't be told from somebody who speaks of something else.
        slipped.sort_by(|(_, a, _), (_, b, _)| b.total_cmp(a));
        for (place, likeness, stems) in slipped.into_iter().take(MOST_SLIPPED) {
            if let Some(word) = asked.get_mut(place) {
                *word = Word { stems, likeness, ..*word };
            }
        }
        Ok(Asked(asked))
    }

    /// In how many passages a stem stands.
    fn often(&self, searcher: &Searcher, stem: &str, without: &HashSet<String>) -> Result<u64, TantivyError> {
        let term = |field| Term::from_field_text(field, stem);
        let title = searcher.doc_freq(&term(self.fields.title))?;
        let often = title.max(searcher.doc_freq(&term(self.fields.text))?);
        Ok(often.saturating_sub(u64::from(without.contains(stem))))
    }

    #[allow(clippy::cast_precision_loss)] // counts of passages
    fn rarity(&self, often: u64) -> f32 {
        ((1.0 + self.count as f32) / (1.0 + often as f32)).ln() + 1.0
    }

    /// The stems that differ from an unknown one by the fewest slips of the finger, at most so many, none of them in the
    /// first letter; and how like they are.
    fn slipped(
        &self,
        searcher: &Searcher,
        stem: &str,
        most: u8,
        often: impl Fn(&str) -> Result<u64, TantivyError>,
    ) -> Result<Option<(f32, Vec<String>)>, TantivyError> {
        let mut near: Vec<(usize, String)> = Vec::new();
        for field in [self.fields.title, self.fields.text] {
            let query = FuzzyTermQuery::new(Term::from_field_text(field, stem), most, true);
            for segment in searcher.segment_readers() {
                let inverted = segment.inverted_index(field)?;
                let mut found = inverted.terms().search(query.automaton()?).into_stream()?;
                while let Some((other, _)) = found.next() {
                    let Ok(other) = std::str::from_utf8(other) else { continue };
                    if other.chars().next() == stem.chars().next() && often(other)? > 0 {
                        near.push((osa_distance(stem, other), other.to_owned()));
                    }
                }
            }
        }
        near.sort();
        near.dedup();
        let Some(fewest) = near.first().map(|(distance, _)| *distance) else { return Ok(None) };
        let nearest = near.into_iter().take_while(|(distance, _)| *distance == fewest).take(MOST_STEMS);
        #[allow(clippy::cast_precision_loss)] // counts of letters
        let likeness = 1.0 - fewest as f32 / stem.chars().count().max(1) as f32;
        Ok(Some((likeness, nearest.map(|(_, stem)| stem).collect())))
    }

    /// The passages that come nearest, best first.
    pub(super) fn search(&self, asked: &Asked, limit: usize) -> Result<Vec<Hit>, TantivyError> {
        let stems = asked.0.iter().flat_map(|word| word.stems.iter().map(|stem| (stem, word.weight * word.likeness)));
        let terms = stems.flat_map(|(stem, weight)| {
            [(self.fields.title, TITLE * weight), (self.fields.text, weight)].map(|(field, boost)| {
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

/// How many slips of the finger a word may have in it: none where it is short, since it becomes another word by one, and
/// none in numbers.
fn slips(word: &str) -> u8 {
    match word.chars().count() {
        _ if !word.chars().all(char::is_alphabetic) => 0,
        count if count >= TWO_SLIPS => 2,
        count => u8::from(count >= ONE_SLIP),
    }
}

#[allow(clippy::cast_precision_loss)] // a count of letters
fn length(word: &str) -> f32 {
    (word.chars().count() as f32 / LONG_WORD).clamp(0.1, 1.0)
}

fn tokens(text: &str, languages: &Languages) -> PreTokenizedString {
    let folded = fold(text);
    let stems = languages.stems(&folded, &words(&folded));
    let token = |(position, text): (usize, String)| Token { position, text, ..Token::default() };
    PreTokenizedString { text: String::new(), tokens: stems.into_iter().enumerate().map(token).collect() }
}
