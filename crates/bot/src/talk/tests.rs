use super::{Remark, has_words, remark};

#[test]
fn who_wants_a_human_is_heard_in_many_languages() {
    for text in [
        "I want to talk to a human",
        "can i please speak with a real person?",
        "Agent!!",
        "HUMAN PLEASE",
        "i wnat to tlak to a humna now, connect me to an agnet",
        "my parcel is late and nobody answers, let me speak to someone",
        "get me a human",
        "Ich möchte bitte mit einem Mitarbeiter sprechen",
        "Je veux parler à un conseiller s'il vous plaît",
        "quiero hablar con una persona",
        "Quero falar com um atendente",
        "vorrei parlare con un operatore",
        "Ik wil graag met een medewerker spreken",
        "Jag vill prata med en människa",
        "chcę porozmawiać z konsultantem",
        "Хочу поговорить с оператором",
        "Потрібен оператор",
        "Müşteri temsilcisine bağlanmak istiyorum",
        "أريد التحدث مع موظف",
        "मुझे इंसान से बात करनी है",
        "saya mau bicara dengan customer service",
        "人間と話したいです",
        "转人工",
        "상담원 연결해 주세요",
        "אני רוצה לדבר עם נציג",
    ] {
        assert_eq!(remark(text), Some(Remark::Human), "{text}");
    }
}

#[test]
fn who_only_mentions_one_is_not_sent_to_one() {
    for text in [
        "is a human able to read this manual?",
        "I don't want to talk to a human",
        "does your agent app work on android",
        "which operator do I need for roaming",
        "can the dog be left alone with a person",
        "my personal data",
        "how do i become a travel agent",
    ] {
        assert_eq!(remark(text), None, "{text}");
    }
}

#[test]
fn thanks_are_thanks_only_alone() {
    for text in [
        "thanks!",
        "Thank you so much :)",
        "ok great thanks",
        "Thnaks",
        "merci beaucoup",
        "Vielen Dank!",
        "¡Gracias!",
        "👍",
        "🙏🙏",
        "ありがとうございます",
        "شكرا",
    ] {
        assert_eq!(remark(text), Some(Remark::Thanks), "{text}");
    }
    for text in [
        "thanks, but my card does not work",
        "thanks and how do I pay?",
        "danke aber wo ist mein Paket",
        "no",
        "perfect color for the sofa?",
    ] {
        assert_eq!(remark(text), None, "{text}");
    }
}

#[test]
fn greetings_and_ends_and_complaints() {
    for (text, expected) in [
        ("hi", Remark::Greeting),
        ("Hello there!!", Remark::Greeting),
        ("buenos días", Remark::Greeting),
        ("привет", Remark::Greeting),
        ("hello, thank you", Remark::Thanks),
        ("it works now, thank you!", Remark::Solved),
        ("Das hat geholfen, danke", Remark::Solved),
        ("problem solved", Remark::Solved),
        ("that didn't help", Remark::NotHelped),
        ("no that's not what I asked", Remark::NotHelped),
        ("Это не помогло", Remark::NotHelped),
        ("ça ne marche toujours pas", Remark::NotHelped),
        ("没用", Remark::NotHelped),
    ] {
        assert_eq!(remark(text), Some(expected), "{text}");
    }
    for text in ["hi, where is my order?", "", "😡", "!!!", "12", "is my order solved with a voucher"] {
        assert_eq!(remark(text), None, "{text}");
    }
}

#[test]
fn signs_are_no_words() {
    assert!(!has_words("😀 👍 !!! …"));
    assert!(has_words("مرحبا") && has_words("寿司") && has_words("42"));
}

#[test]
fn every_line_of_the_table_is_read() {
    let lines = include_str!("phrases.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let kind = line.split(' ').next().unwrap_or_default();
        let known = ["human", "not-human", "alone-human", "not-helped", "solved", "thanks", "greeting", "filler"];
        assert!(known.contains(&kind), "{line}");
    }
}
