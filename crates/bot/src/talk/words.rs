//! What the bot says of its own, in the customer's language as far as it knows it.

use whatlang::{Detector, Lang};

/// What there are words for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sentence {
    /// Ask for other words.
    Clarify,
    /// Answer thanks.
    Welcome,
    /// Answer a greeting.
    Hello,
    /// Answer that it is solved.
    Glad,
}

/// Clarify, welcome, hello, glad.
type Words = [&'static str; 4];

const ENGLISH: Words = [
    "I am not sure that I understand. Could you say it in other words?",
    "You're welcome!",
    "Hello! How can I help?",
    "Glad to hear it!",
];

/// By language; English for every other.
const WORDS: [(Lang, Words); 14] = [
    (
        Lang::Deu,
        [
            "Das habe ich nicht ganz verstanden. Können Sie es anders sagen?",
            "Gern geschehen!",
            "Hallo! Wie kann ich helfen?",
            "Das freut mich!",
        ],
    ),
    (
        Lang::Fra,
        [
            "Je ne suis pas sûr de comprendre. Pouvez-vous le dire autrement ?",
            "Avec plaisir !",
            "Bonjour ! Comment puis-je vous aider ?",
            "Ravi de l'apprendre !",
        ],
    ),
    (
        Lang::Spa,
        [
            "No estoy seguro de entender. ¿Puede decirlo con otras palabras?",
            "¡De nada!",
            "¡Hola! ¿En qué puedo ayudar?",
            "¡Me alegro!",
        ],
    ),
    (
        Lang::Por,
        ["Não sei se entendi. Pode dizer com outras palavras?", "De nada!", "Olá! Como posso ajudar?", "Que bom!"],
    ),
    (
        Lang::Ita,
        [
            "Non sono sicuro di aver capito. Può dirlo con altre parole?",
            "Prego!",
            "Salve! Come posso aiutare?",
            "Mi fa piacere!",
        ],
    ),
    (
        Lang::Nld,
        [
            "Ik weet niet zeker of ik het begrijp. Kunt u het anders zeggen?",
            "Graag gedaan!",
            "Hallo! Hoe kan ik helpen?",
            "Fijn om te horen!",
        ],
    ),
    (
        Lang::Pol,
        [
            "Nie jestem pewien, czy rozumiem. Czy można to ująć inaczej?",
            "Nie ma za co!",
            "Dzień dobry! W czym mogę pomóc?",
            "Cieszę się!",
        ],
    ),
    (
        Lang::Rus,
        [
            "Не уверен, что понял. Можете сказать другими словами?",
            "Пожалуйста!",
            "Здравствуйте! Чем могу помочь?",
            "Рад это слышать!",
        ],
    ),
    (
        Lang::Ukr,
        [
            "Не певен, що зрозумів. Можете сказати іншими словами?",
            "Будь ласка!",
            "Вітаю! Чим можу допомогти?",
            "Радий це чути!",
        ],
    ),
    (
        Lang::Tur,
        [
            "Tam anlayamadım. Başka türlü söyleyebilir misiniz?",
            "Rica ederim!",
            "Merhaba! Nasıl yardımcı olabilirim?",
            "Sevindim!",
        ],
    ),
    (
        Lang::Ara,
        [
            "لست متأكدا من أنني فهمت. هل يمكنك قولها بكلمات أخرى؟",
            "على الرحب والسعة!",
            "مرحبا! كيف يمكنني المساعدة؟",
            "يسعدني ذلك!",
        ],
    ),
    (
        Lang::Ind,
        [
            "Saya kurang mengerti. Bisa dijelaskan dengan kata lain?",
            "Sama-sama!",
            "Halo! Ada yang bisa dibantu?",
            "Senang mendengarnya!",
        ],
    ),
    (
        Lang::Jpn,
        [
            "よく分かりませんでした。別の言葉で言っていただけますか？",
            "どういたしまして！",
            "こんにちは！ご用件をどうぞ。",
            "よかったです！",
        ],
    ),
    (Lang::Cmn, ["我不太明白。您能换一种说法吗？", "不客气！", "您好！有什么可以帮您？", "很高兴听到！"]),
];

/// What to say, in the language of what the customer wrote.
pub(crate) fn say(sentence: Sentence, to: &str) -> String {
    let known = WORDS.iter().map(|(lang, _)| *lang).chain([Lang::Eng]).collect();
    let found = Detector::with_allowlist(known).detect(to);
    // A word or two in Latin letters may be of many languages.
    let lang = found.filter(|found| found.is_reliable()).map(|found| found.lang());
    let words = WORDS.iter().find(|(known, _)| Some(*known) == lang).map_or(&ENGLISH, |(_, words)| words);
    let place = match sentence {
        Sentence::Clarify => 0,
        Sentence::Welcome => 1,
        Sentence::Hello => 2,
        Sentence::Glad => 3,
    };
    words[place].to_owned()
}
