//! Texts as sparse vectors: words, pairs of words, and groups of letters, weighted by how rare they are.

use std::collections::HashMap;

use super::words::{Languages, fold, words};

/// Groups of letters, within a word with a blank on either side: long enough to mean something, short enough to survive
/// a slip of the finger.
const GRAMS: std::ops::RangeInclusive<usize> = 3..=4;
/// How much pairs of words and groups of letters weigh beside words.
const WEIGHTS: [f32; KINDS] = [1.0, 0.7, 1.0];
/// Words, pairs, groups of letters.
pub(super) const KINDS: usize = 3;
/// From so many texts on, what stands in one alone is left out: it helps nobody and takes most of the space.
const MANY: usize = 1_000;

/// What a text is made of, as hashes.
pub(super) type Traits = [Vec<u64>; KINDS];

/// A sparse vector, of length 1 unless nothing in it is known.
pub(super) type Vector = Vec<(u32, f32)>;

/// What a text is made of.
pub(super) fn traits(text: &str, languages: &Languages) -> Traits {
    let folded = fold(text);
    let words = words(&folded);
    let stems = languages.stems(&folded, &words);
    let singles = stems.iter().map(|stem| hash(1, stem.bytes())).collect();
    let mut ends = vec![""];
    ends.extend(stems.iter().map(String::as_str));
    ends.push("");
    let pairs = ends.windows(2).map(|pair| hash(2, pair.join(" ").bytes())).collect();
    let mut grams = Vec::new();
    let mut buffer = [0; 4];
    for word in &words {
        let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
        for length in GRAMS {
            for gram in letters.windows(length) {
                let bytes = gram.iter().flat_map(|c| c.encode_utf8(&mut buffer).bytes().collect::<Vec<_>>());
                grams.push(hash(3, bytes));
            }
        }
    }
    [singles, pairs, grams]
}

/// FNV-1a, begun differently for each kind.
fn hash(kind: u64, bytes: impl Iterator<Item = u8>) -> u64 {
    let begin = 0xcbf2_9ce4_8422_2325 ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes.fold(begin, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Which traits are known, and how rare they are.
pub(super) struct Vocabulary {
    known: HashMap<u64, (u32, f32)>,
    rarest: f32,
}

#[allow(clippy::cast_precision_loss)] // counts of traits and texts
impl Vocabulary {
    pub(super) fn of(texts: &[&Traits]) -> Vocabulary {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for kind in texts.iter().flat_map(|traits| traits.iter()) {
            let mut once = kind.clone();
            once.sort_unstable();
            once.dedup();
            once.into_iter().for_each(|hash| *counts.entry(hash).or_default() += 1);
        }
        let least = if texts.len() > MANY { 2 } else { 1 };
        let rarity = |count: u32| ((1.0 + texts.len() as f32) / (1.0 + count as f32)).ln() + 1.0;
        let mut kept: Vec<(u64, u32)> = counts.into_iter().filter(|(_, count)| *count >= least).collect();
        // Numbered in an order of their own, so that the same knowledge gives the same model.
        kept.sort_unstable();
        let known = (0..).zip(kept).map(|(id, (hash, count))| (hash, (id, rarity(count)))).collect();
        Vocabulary { known, rarest: rarity(0) }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// A text's vector, and how much of its words, pairs and groups of letters is known, in 0..=1.
    pub(super) fn vector(&self, traits: &Traits) -> (Vector, [f32; KINDS]) {
        let mut vector = Vector::new();
        let mut known = [0.0; KINDS];
        for ((hashes, weight), known) in traits.iter().zip(WEIGHTS).zip(&mut known) {
            let mut sorted = hashes.clone();
            sorted.sort_unstable();
            let begin = vector.len();
            let (mut all, mut mine) = (0.0, 0.0);
            for same in sorted.chunk_by(|a, b| a == b) {
                let often = 1.0 + (same.len() as f32).ln();
                match same.first().and_then(|hash| self.known.get(hash)) {
                    Some((id, rarity)) => {
                        let value = often * rarity;
                        mine += value * value;
                        vector.push((*id, value));
                    }
                    None => all += (often * self.rarest).powi(2),
                }
            }
            all += mine;
            if mine > 0.0 {
                *known = mine / all;
                let scale = weight / mine.sqrt();
                vector.iter_mut().skip(begin).for_each(|(_, value)| *value *= scale);
            }
        }
        let length = vector.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
        if length > 0.0 {
            vector.iter_mut().for_each(|(_, value)| *value /= length);
        }
        (vector, known)
    }
}
