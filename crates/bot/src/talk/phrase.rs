//! Phrases, and how messages are held against them.

use std::collections::HashMap;

use strsim::osa_distance;
use unicode_segmentation::UnicodeSegmentation;

use crate::retrieval::words::fold;

/// Words that a gap takes at most.
const GAP: usize = 3;
/// Letters from which on a word may have one slip in it: shorter ones become other words by it.
const SLIP: usize = 5;

/// What a phrase says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Human,
    NotHuman,
    AloneHuman,
    NotHelped,
    Solved,
    Thanks,
    Greeting,
    Filler,
}

impl Kind {
    fn parse(name: &str) -> Option<Kind> {
        Some(match name {
            "human" => Kind::Human,
            "not-human" => Kind::NotHuman,
            "alone-human" => Kind::AloneHuman,
            "not-helped" => Kind::NotHelped,
            "solved" => Kind::Solved,
            "thanks" => Kind::Thanks,
            "greeting" => Kind::Greeting,
            "filler" => Kind::Filler,
            _ => return None,
        })
    }

    /// Whether it is looked for anywhere in a message.
    fn is_anywhere(self) -> bool {
        matches!(self, Kind::Human | Kind::NotHuman)
    }
}

/// A part of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(String),
    /// Every word that begins so.
    Stem(String),
    /// Up to [`GAP`] words.
    Gap,
}

impl Part {
    fn is(&self, word: &str) -> bool {
        match self {
            Part::Word(own) => own == word || slipped(own, word),
            Part::Stem(own) => word.starts_with(own.as_str()),
            Part::Gap => false,
        }
    }
}

/// Whether two long words differ by one slip of the finger, not in their first letter.
fn slipped(own: &str, word: &str) -> bool {
    let (letters, others) = (own.chars().count(), word.chars().count());
    let close = letters >= SLIP && letters.abs_diff(others) <= 1;
    close && own.chars().next() == word.chars().next() && osa_distance(own, word) == 1
}

/// All phrases.
#[derive(Default)]
pub(super) struct Table {
    anywhere: Vec<(Kind, Vec<Part>)>,
    /// Those that have to make up a whole message, by the first letter of their first word.
    whole: HashMap<char, Vec<(Kind, Vec<Part>)>>,
}

impl Table {
    /// Reads the file; lines of unknown kinds are left out, which a test would tell.
    pub(super) fn parse(text: &str) -> Table {
        let mut table = Table::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut head = line.splitn(3, ' ');
            let kind = head.next().and_then(Kind::parse);
            let (Some(kind), Some(_language), Some(phrases)) = (kind, head.next(), head.next()) else { continue };
            phrases.split('|').for_each(|phrase| table.add(kind, phrase));
        }
        table
    }

    fn add(&mut self, kind: Kind, phrase: &str) {
        let mut parts = Vec::new();
        for piece in phrase.split_whitespace() {
            if piece == ".." {
                parts.push(Part::Gap);
                continue;
            }
            let folded = fold(piece);
            let words: Vec<&str> = folded.unicode_words().collect();
            parts.extend(words.iter().map(|word| Part::Word((*word).to_owned())));
            if piece.ends_with('~')
                && let Some(Part::Word(last)) = parts.pop()
            {
                parts.push(Part::Stem(last));
            }
        }
        let first = match parts.first() {
            Some(Part::Word(word) | Part::Stem(word)) => word.chars().next(),
            _ => None,
        };
        match first {
            Some(_) if kind.is_anywhere() => self.anywhere.push((kind, parts)),
            Some(letter) => self.whole.entry(letter).or_default().push((kind, parts)),
            None => {}
        }
    }

    /// Whether a phrase of a kind stands anywhere among the words.
    pub(super) fn finds(&self, kind: Kind, words: &[&str]) -> bool {
        let phrases = || self.anywhere.iter().filter(|(of, _)| *of == kind);
        (0..words.len()).any(|begin| phrases().any(|(_, parts)| matched(parts, words.get(begin..).unwrap_or_default())))
    }

    /// What kinds of phrases the words are made of, if they are made of phrases alone.
    pub(super) fn covers(&self, words: &[&str]) -> Option<Vec<Kind>> {
        // For each place, the kinds that lead there; those of the longest phrases come first.
        let mut reached: Vec<Option<Vec<Kind>>> = vec![None; words.len() + 1];
        *reached.first_mut()? = Some(Vec::new());
        for begin in 0..words.len() {
            let Some(kinds) = reached.get(begin).cloned().flatten() else { continue };
            let rest = words.get(begin..).unwrap_or_default();
            let letter = rest.first().and_then(|word| word.chars().next())?;
            let mut phrases: Vec<_> = self.whole.get(&letter).into_iter().flatten().collect();
            phrases.retain(|(_, parts)| matched(parts, rest));
            for (kind, parts) in phrases {
                let mut with = kinds.clone();
                with.push(*kind);
                let place = reached.get_mut(begin + parts.len())?;
                // Long phrases say more than fillers one after the other: fewer pieces are the better reading.
                if place.as_ref().is_none_or(|other| weight(&with) < weight(other)) {
                    *place = Some(with);
                }
            }
        }
        reached.pop().flatten()
    }
}

/// Fewer phrases are better, fillers worse than others.
fn weight(kinds: &[Kind]) -> usize {
    kinds.iter().map(|kind| if *kind == Kind::Filler { 3 } else { 2 }).sum()
}

/// Whether the words begin with a phrase.
fn matched(parts: &[Part], words: &[&str]) -> bool {
    match parts {
        [] => true,
        [Part::Gap, rest @ ..] => {
            (0..=GAP.min(words.len())).any(|gap| matched(rest, words.get(gap..).unwrap_or_default()))
        }
        [part, rest @ ..] => match words {
            [word, others @ ..] => part.is(word) && matched(rest, others),
            [] => false,
        },
    }
}
