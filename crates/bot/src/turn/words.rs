//! What the bot says of its own: everything else comes from a brain.

use whatlang::{Detector, Lang};

use crate::brain::{Question, Source, Speaker};

/// Longest name of a source that is shown, in characters.
const MAX_SOURCE: usize = 160;

/// That the conversation goes to humans, by language.
const HANDED_OFF: [(Lang, &str); 15] = [
    (Lang::Eng, "I'm passing this to a colleague, who will answer you here."),
    (Lang::Deu, "Ich gebe das an eine Kollegin oder einen Kollegen weiter. Sie bekommen hier Antwort."),
    (Lang::Fra, "Je transmets votre demande à un collègue, qui vous répondra ici."),
    (Lang::Spa, "Paso su consulta a un compañero, que le responderá aquí."),
    (Lang::Por, "Vou passar isto a um colega, que lhe responderá aqui."),
    (Lang::Ita, "Passo la richiesta a un collega, che le risponderà qui."),
    (Lang::Nld, "Ik geef dit door aan een collega, die u hier antwoordt."),
    (Lang::Pol, "Przekazuję to współpracownikowi, który odpowie tutaj."),
    (Lang::Rus, "Передаю ваш вопрос коллеге, вам ответят здесь."),
    (Lang::Ukr, "Передаю ваше запитання колезі, вам дадуть відповідь тут."),
    (Lang::Tur, "Bunu bir iş arkadaşıma iletiyorum, size buradan yanıt verecek."),
    (Lang::Ara, "سأحيل هذا إلى أحد الزملاء، وسيجيبك هنا."),
    (Lang::Ind, "Saya teruskan ke rekan saya, yang akan menjawab di sini."),
    (Lang::Jpn, "担当者に引き継ぎます。こちらでお返事いたします。"),
    (Lang::Cmn, "我会把您的问题转给同事，他们将在这里答复您。"),
];
/// Letters from which on a language other than English is believed: short words are of many.
const ENOUGH: usize = 12;

/// What a customer is told at a handoff, in the language of what they wrote.
pub(super) fn handed_off(question: &Question) -> &'static str {
    let said = question.history.iter().filter(|said| said.by == Speaker::Customer).map(|said| said.text.as_str());
    let text = said.chain([question.text.as_str()]).collect::<Vec<_>>().join("\n");
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    // Scripts tell a language sooner than words do.
    let believed = letters >= ENOUGH || text.chars().any(|c| c.is_alphabetic() && c > '\u{24f}');
    let known = HANDED_OFF.iter().map(|(lang, _)| *lang).collect();
    let lang = Detector::with_allowlist(known).detect_lang(&text).filter(|_| believed);
    HANDED_OFF.iter().find(|(known, _)| Some(*known) == lang).map_or(HANDED_OFF[0].1, |(_, words)| words)
}

/// An answer with where it comes from.
pub(super) fn sourced(text: &str, source: Option<&Source>) -> String {
    match source.map(name).filter(|name| !name.is_empty()) {
        Some(name) => format!("{}\n\n— {name}", text.trim_end()),
        None => text.to_owned(),
    }
}

/// The name of a source, on one line.
pub(super) fn name(source: &Source) -> String {
    let both = [source.document.trim(), source.title.trim()].into_iter().filter(|part| !part.is_empty());
    let name = both.collect::<Vec<_>>().join(": ").replace(char::is_control, " ");
    match name.char_indices().nth(MAX_SOURCE) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_told_in_their_language() {
        let told = |text: &str| handed_off(&Question { text: text.to_owned(), ..Question::default() });
        assert!(told("Ich möchte bitte mit einem Menschen sprechen").starts_with("Ich gebe"));
        assert!(told("quiero hablar con una persona de verdad, por favor").starts_with("Paso"));
        assert!(told("人と話したいです").starts_with("担当者"));
        assert!(told("أريد التحدث مع إنسان").starts_with("سأحيل"));
        assert!(told("human!").starts_with("I'm passing"));
        assert!(told("").starts_with("I'm passing"));
    }
}
