//! Trials with questions made of passages: what is imported examines itself.
//!
//! A question is what a customer might remember of a passage: some words of one place in it, in which others are lost and
//! words of other passages come in. It is put twice: as it is, to see whether it finds its passage; and as if that passage
//! were not there, when it stands for what customers ask and no passage answers.

use tantivy::TantivyError;
use unicode_segmentation::UnicodeSegmentation;

use super::calibrate::Trial;
use super::passages::{Passages, SIGNS};
use super::words::Languages;
use crate::brain::Source;

/// Passages from which on they can examine themselves: fewer leave too little to be mistaken for.
const ENOUGH: usize = 8;
/// Questions in all: enough for two digits, and few enough for a second or two.
const MOST: usize = 600;
/// Questions about one passage.
const EACH: usize = 12;
/// Words of a question, before some are lost.
const WORDS: std::ops::RangeInclusive<usize> = 3..=9;
/// Of those words, the share that is lost at most; between none and this, each share is as likely.
const LOST: f64 = 0.8;

/// Holds trials; none where there are too few passages.
pub(super) fn hold(
    passages: &Passages,
    entries: &[Source],
    languages: &Languages,
) -> Result<Vec<Trial<SIGNS>>, TantivyError> {
    if entries.len() < ENOUGH {
        return Ok(Vec::new());
    }
    let mut chance = fastrand::Rng::with_seed(7);
    let mut trials = Vec::new();
    let each = (MOST / entries.len()).clamp(1, EACH);
    for (number, entry) in entries.iter().enumerate().step_by(entries.len().div_ceil(MOST)) {
        for _ in 0..each {
            let text = question(entry, entries, &mut chance);
            if let Some(look) = passages.look(&text, entries, languages, None)? {
                // What says the same is as good.
                let right = entries.get(look.number).is_some_and(|found| found.text == entry.text);
                trials.push(Trial { signs: look.signs, right, known: true });
            }
            if let Some(look) = passages.look(&text, entries, languages, Some(number))? {
                let same = entries.get(look.number).is_some_and(|found| found.text == entry.text);
                if !same {
                    trials.push(Trial { signs: look.signs, right: false, known: false });
                }
            }
        }
    }
    Ok(trials)
}

/// Words of one place in a passage, some of them lost to words of others, each of another one.
fn question(entry: &Source, entries: &[Source], chance: &mut fastrand::Rng) -> String {
    let mut said = place(entry, chance);
    let lost = chance.f64() * LOST;
    for word in &mut said {
        if chance.f64() < lost {
            let other = chance.choice(entries).map(|other| place(other, chance)).unwrap_or_default();
            *word = other.first().copied().unwrap_or_default();
        }
    }
    said.join(" ")
}

/// Some words that stand side by side, at any place of the title or the text.
fn place<'a>(entry: &'a Source, chance: &mut fastrand::Rng) -> Vec<&'a str> {
    let words: Vec<&str> = entry.title.unicode_words().chain(entry.text.unicode_words()).collect();
    let count = chance.usize(WORDS).min(words.len());
    let begin = chance.usize(0..=words.len() - count);
    words[begin..begin + count].to_vec()
}
