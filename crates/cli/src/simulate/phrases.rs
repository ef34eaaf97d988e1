//! What invented stories are put together from.

/// What customers are called.
pub(super) const NAMES: &[&str] = &[
    "Maya Thompson",
    "Oliver Grant",
    "Lucía Fernández",
    "Jonas Weber",
    "Camille Laurent",
    "Rafael Souza",
    "ليلى حداد",
    "佐藤 健",
    "Zofia Nowak",
    "Marko Horvat",
    "Aylin Demir",
    "Noor Jansen",
    "Đặng Minh",
    "Иван Петров",
    "Eleni Pappas",
    "Priya Nair",
    "김민준",
    "Amara Okafor",
    "Liam O'Connor",
    "Søren Dahl",
];

/// How customers begin.
pub(super) const QUESTIONS: &[&str] = &[
    "Hi, where is my parcel?",
    "I was charged twice 😕",
    "Can I change the delivery address?",
    "The size does not fit, can I exchange it?",
    "¿Cuánto tarda el envío?",
    "Me ha llegado roto",
    "Kann ich noch stornieren?",
    "Bonjour, le livreur n'est pas passé",
    "O cupom não funciona",
    "متى يصل طلبي؟",
    "領収書をお願いします",
    "Hello? Is anyone there?",
];

/// How they go on.
pub(super) const REMARKS: &[&str] = &[
    "order 4711",
    "it says delivered but it is not here",
    "yes",
    "no, the other one",
    "ok, thank you",
    "👍🏽",
    "I can send you a photo if that helps you to see what I mean, it is quite obvious once you look at the left corner of the box",
    "vale, gracias",
    "ja bitte",
    "merci !",
    "obrigado 🙏🏽",
    "شكراً",
    "ありがとうございます",
];

/// How agents answer.
pub(super) const ANSWERS: &[&str] = &[
    "Let me have a look.",
    "Thank you for waiting. I found it.",
    "It leaves our warehouse today.",
    "I have refunded it, you will see it in two to three days.",
    "Could you send me a photo, please?",
    "Anything else I can do for you?",
    "Se lo confirmo ahora mismo.",
    "Einen Moment, bitte.",
    "C'est noté, merci.",
];

/// What agents note.
pub(super) const NOTES: &[&str] =
    &["Carrier says Friday.", "Second time this month.", "Asked the warehouse, waiting.", "VIP, be generous."];

/// What tickets are about.
pub(super) const TOPICS: &[&str] = &["delivery", "refund", "exchange", "invoice", "warranty", "address", ""];

/// Who agents belong to.
pub(super) const TEAMS: &[&str] = &["support", "billing"];

/// What customers choose.
pub(super) const CHOICES: &[&str] = &["Yes", "No", "Talk to someone", "A new one", "Money back"];

/// What conversations are tagged with.
pub(super) const TAGS: &[&str] = &["vip", "billing", "warranty", "new"];

/// How customers react.
pub(super) const EMOJI: &[&str] = &["👍", "❤️", "😂", "🙏🏽"];
