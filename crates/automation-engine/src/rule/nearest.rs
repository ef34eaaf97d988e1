/// From this similarity on a guess is a help, 1 being the same.
const SIMILAR: f64 = 0.9;

/// `; did you mean …?` for a word that is close to a known one; else empty.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    // A third of the word may be mistyped, or it may only end otherwise.
    let mistakes = (word.chars().count() / 3).max(1);
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(word, name), name));
    let close = scored.filter(|(score, name)| *score >= SIMILAR || strsim::damerau_levenshtein(word, name) <= mistakes);
    match close.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}
