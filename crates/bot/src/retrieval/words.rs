//! Words as they are compared: folded, and stemmed by their language.

use std::collections::HashMap;

use frostem::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use whatlang::{Detector, Lang};

/// Longest word that is looked at, in characters: what is longer is no word.
const LONGEST: usize = 40;
/// Words of a text that are looked at: a chat message has fewer, and work stays bounded.
const MOST: usize = 512;
/// Texts whose language is looked at when languages are learned: enough to see which there are.
const SAMPLE: usize = 2_000;
/// Share of the texts that a language needs to be one of the knowledge: below it is chance, since short texts are often
/// taken for a neighbouring language.
const SHARE: f64 = 0.05;

/// A text without what does not tell words apart: compatibility forms, case, accents, vowel points.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut base = ' ';
    for c in text.nfkd().flat_map(char::to_lowercase) {
        match c {
            // Accents of Latin and Greek; in other scripts a mark makes another letter.
            '\u{300}'..='\u{36f}' if base < '\u{400}' => {}
            // Points and lengthening of Arabic and Hebrew, which chats leave out.
            '\u{591}'..='\u{5c7}' | '\u{640}' | '\u{64b}'..='\u{652}' | '\u{200b}'..='\u{200f}' => {}
            '’' | '‘' | 'ʼ' => folded.push('\''),
            // Letters that no normal form takes apart.
            'ı' => folded.push('i'),
            'ł' => folded.push('l'),
            'ø' => folded.push('o'),
            'đ' => folded.push('d'),
            'ß' => folded.push_str("ss"),
            other => {
                base = other;
                folded.push(other);
            }
        }
    }
    folded.nfc().collect()
}

/// The words of a folded text.
pub(crate) fn words(folded: &str) -> Vec<&str> {
    folded.unicode_words().filter(|word| word.chars().count() <= LONGEST).take(MOST).collect()
}

/// The languages of some knowledge, and how their words are stemmed.
#[derive(Default)]
pub(crate) struct Languages(Vec<Lang>);

impl Languages {
    /// The languages that texts are written in.
    pub(crate) fn of<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> Languages {
        let step = texts.len().div_ceil(SAMPLE).max(1);
        let mut counts: HashMap<Lang, usize> = HashMap::new();
        let mut all = 0;
        for found in texts.step_by(step).filter_map(whatlang::detect) {
            *counts.entry(found.lang()).or_default() += 1;
            all += 1;
        }
        #[allow(clippy::cast_precision_loss)] // counts of at most SAMPLE
        let enough = |count: usize| count as f64 >= SHARE * f64::from(all) && count > 1 || all == 1;
        let mut languages: Vec<Lang> =
            counts.into_iter().filter(|(_, count)| enough(*count)).map(|(lang, _)| lang).collect();
        languages.sort_by_key(Lang::code);
        Languages(languages)
    }

    /// The stems of words, in their order. `folded` is what they come from.
    pub(crate) fn stems(&self, folded: &str, words: &[&str]) -> Vec<String> {
        let lang = match self.0.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => Detector::with_allowlist(several.to_vec()).detect_lang(folded),
        };
        match lang.and_then(algorithm).map(Stemmer::new) {
            Some(stemmer) => words.iter().map(|word| stemmer.stem(word).to_string()).collect(),
            None => words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }
}

/// How a language is stemmed, if there is a way.
fn algorithm(lang: Lang) -> Option<Algorithm> {
    Some(match lang {
        Lang::Ara => Algorithm::Arabic,
        Lang::Cat => Algorithm::Catalan,
        Lang::Ces => Algorithm::Czech,
        Lang::Dan => Algorithm::Danish,
        Lang::Nld => Algorithm::Dutch,
        Lang::Eng => Algorithm::English,
        Lang::Est => Algorithm::Estonian,
        Lang::Fin => Algorithm::Finnish,
        Lang::Fra => Algorithm::French,
        Lang::Deu => Algorithm::German,
        Lang::Ell => Algorithm::Greek,
        Lang::Hin => Algorithm::Hindi,
        Lang::Hun => Algorithm::Hungarian,
        Lang::Ind => Algorithm::Indonesian,
        Lang::Ita => Algorithm::Italian,
        Lang::Lit => Algorithm::Lithuanian,
        Lang::Nob => Algorithm::Norwegian,
        Lang::Pes => Algorithm::Persian,
        Lang::Pol => Algorithm::Polish,
        Lang::Por => Algorithm::Portuguese,
        Lang::Ron => Algorithm::Romanian,
        Lang::Rus => Algorithm::Russian,
        Lang::Spa => Algorithm::Spanish,
        Lang::Swe => Algorithm::Swedish,
        Lang::Tam => Algorithm::Tamil,
        Lang::Tur => Algorithm::Turkish,
        Lang::Ukr => Algorithm::Ukrainian,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test has nothing better to do")]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_tell_words_apart_is_folded() {
        for (text, folded) in [
            ("ＲＥＦＵＮＤ", "refund"),
            ("Où est mon Colis ?", "ou est mon colis ?"),
            ("Größe", "grosse"),
            ("йод", "йод"),
            ("Ζητώ ΒΟΉΘΕΙΑ", "ζητω βοηθεια"),
            ("مُحَمَّد", "محمد"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(fold(text), folded.nfc().collect::<String>(), "{text}");
        }
    }

    #[test]
    fn languages_come_from_the_texts() {
        let texts = ["Where is my parcel right now, please?", "How can I get my money back for this order?"];
        let languages = Languages::of(texts.into_iter());
        let folded = fold("refunded orders");
        assert_eq!(languages.stems(&folded, &words(&folded)), ["refund", "order"]);
        assert!(Languages::of([].into_iter()).stems("x", &["x"]) == ["x"]);
    }
}
