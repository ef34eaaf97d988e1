//! From a thought to what is done about a turn. Pure: the policy of the bot, and nothing of its brains.

use proto::v1::bot_turn::Deed as Did;

use super::mark::Mark;
use super::options::Workspace;
use crate::brain::{HandoffReason, Outcome, Source, Thought};

/// Longest topic, in bytes: what a command to open a ticket takes.
const MAX_TOPIC: usize = 256;
/// What it may be about names a ticket only if that is as likely as this: a wrong topic is worse than none.
const LIKELY: f64 = 0.25;

/// What is done about a turn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    /// Says something, with where it comes from.
    Say { text: String, source: Option<Source> },
    /// Asks back; without words of a brain's, for other words.
    AskBack { text: Option<String> },
    /// Gives the conversation to humans.
    HandOff { why: Why, topic: String },
    /// Closes the tickets of its own making, and says so.
    Close { text: String },
    /// Says nothing, and why.
    Silence(&'static str),
}

/// Why humans get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    NotSure,
    AskedForHuman,
    /// So often.
    NotHelped(u32),
    NoKnowledge,
    NoWords,
    /// What it is about is for humans alone.
    HumansOnly,
    /// It is known what is meant, and not what to answer.
    NoAnswer,
    /// Something that can't be read.
    Media,
    /// No brain could think.
    NoBrain,
}

impl Why {
    /// For the record and the staff.
    pub(super) fn text(&self) -> String {
        let text = match self {
            Why::NotSure => "not sure what the answer is",
            Why::AskedForHuman => "the customer asks for a human",
            Why::NotHelped(times) => return format!("the customer said {times} times that it did not help"),
            Why::NoKnowledge => "the workspace has no knowledge",
            Why::NoWords => "there are no words in what the customer sent",
            Why::HumansOnly => "what it is about is for humans alone",
            Why::NoAnswer => "it is known what is meant, and not what to answer",
            Why::Media => "the customer sent something that can't be read",
            Why::NoBrain => "it could not think about it",
        };
        text.to_owned()
    }
}

/// What is known of a turn besides the thought.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) workspace: &'a Workspace,
    /// How often a customer may say that it did not help.
    pub(super) unhelpful: u32,
    /// What the turns before counted.
    pub(super) before: Mark,
    /// Whether tickets of the bot's own making are open, so that nothing but closing them is its to do.
    pub(super) own_tickets: bool,
    /// Whether there is something beside the words that can't be read.
    pub(super) captioned: bool,
    /// Whether the bot has said something before.
    pub(super) spoke: bool,
}

/// What to do, and what to remember of it. `None` stands for a brain that could not think.
pub(super) fn deed(thought: Option<Thought>, about: &About<'_>) -> (Deed, Mark) {
    let Mark { clarified, unhelpful, .. } = about.before;
    let complains = matches!(&thought, Some(Thought { outcome: Outcome::Handoff { reason, .. }, .. }) if *reason == HandoffReason::NotHelped);
    let unhelpful = unhelpful.saturating_add(u32::from(complains));
    let deed = if about.own_tickets { closing(thought) } else { answer(thought, about, unhelpful) };
    let did = match &deed {
        Deed::Say { .. } => Did::Replied,
        Deed::AskBack { .. } => Did::Clarified,
        Deed::HandOff { .. } => Did::HandedOff,
        Deed::Close { .. } => Did::Closed,
        Deed::Silence(_) => Did::Silent,
    };
    let clarified = clarified.saturating_add(u32::from(did == Did::Clarified));
    (deed, Mark { deed: did, clarified, unhelpful })
}

/// While a ticket of its own making is open, it may close it, and nothing else (W12).
fn closing(thought: Option<Thought>) -> Deed {
    match thought.map(|thought| thought.outcome) {
        Some(Outcome::Solved { text }) => Deed::Close { text },
        _ => Deed::Silence("humans have the conversation"),
    }
}

fn answer(thought: Option<Thought>, about: &About<'_>, unhelpful: u32) -> Deed {
    let Some(thought) = thought else { return hand_off(Why::NoBrain, "") };
    let intent = thought.intent.unwrap_or_default();
    let humans_only = about.workspace.is_humans_only(&intent);
    match thought.outcome {
        Outcome::Reply { .. } | Outcome::Clarify { .. } if humans_only => hand_off(Why::HumansOnly, &intent),
        Outcome::Reply { text, .. } if text.trim().is_empty() => hand_off(Why::NoAnswer, &intent),
        Outcome::Reply { text, sources } => Deed::Say { text, source: sources.into_iter().next() },
        Outcome::Clarify { .. } if about.captioned => hand_off(Why::Media, &intent),
        Outcome::Clarify { .. } if about.before.clarified > 0 => hand_off(Why::NotSure, &intent),
        Outcome::Clarify { text } => Deed::AskBack { text: Some(text).filter(|text| !text.trim().is_empty()) },
        Outcome::Handoff { reason, topic } => {
            let guess = reason == HandoffReason::NotSure && thought.score < LIKELY;
            let topic = if guess { String::new() } else { topic.unwrap_or(intent) };
            refer(reason, &topic, about, unhelpful)
        }
        Outcome::Solved { text } | Outcome::Nothing { text } if text.trim().is_empty() => {
            Deed::Silence("nothing was asked")
        }
        Outcome::Solved { text } | Outcome::Nothing { text } => Deed::Say { text, source: None },
    }
}

fn refer(reason: HandoffReason, topic: &str, about: &About<'_>, unhelpful: u32) -> Deed {
    let why = match reason {
        HandoffReason::NotHelped if unhelpful < about.unhelpful => return Deed::AskBack { text: None },
        // A face in answer to what the bot said.
        HandoffReason::NoWords if about.spoke => return Deed::Silence("nothing was asked"),
        HandoffReason::NotHelped => Why::NotHelped(unhelpful),
        HandoffReason::AskedForHuman => Why::AskedForHuman,
        HandoffReason::NotSure | HandoffReason::NoKnowledge | HandoffReason::NoWords if about.captioned => Why::Media,
        HandoffReason::NotSure => Why::NotSure,
        HandoffReason::NoKnowledge => Why::NoKnowledge,
        HandoffReason::NoWords => Why::NoWords,
    };
    let why = if about.workspace.is_humans_only(topic) { Why::HumansOnly } else { why };
    hand_off(why, topic)
}

/// Gives the conversation to humans, with a topic as long as a command takes one.
pub(super) fn hand_off(why: Why, topic: &str) -> Deed {
    let mut end = topic.len().min(MAX_TOPIC);
    while !topic.is_char_boundary(end) {
        end -= 1;
    }
    Deed::HandOff { why, topic: topic[..end].replace(char::is_control, " ") }
}

#[cfg(test)]
mod tests {
    use conversation::Settings;
    use service::config::BotSettings;

    use super::*;

    fn workspace() -> Workspace {
        let bot = BotSettings { humans_only: vec!["Complaint".to_owned()], ..BotSettings::default() };
        Workspace { settings: Settings::default(), bot }
    }

    fn about(workspace: &Workspace) -> About<'_> {
        let before = Mark::default();
        About { workspace, unhelpful: 2, before, own_tickets: false, captioned: false, spoke: false }
    }

    fn thought(outcome: Outcome, intent: &str) -> Option<Thought> {
        Some(Thought { outcome, score: 0.5, intent: Some(intent.to_owned()) })
    }

    fn reply(text: &str) -> Outcome {
        Outcome::Reply { text: text.to_owned(), sources: Vec::new() }
    }

    fn refers(reason: HandoffReason) -> Outcome {
        Outcome::Handoff { reason, topic: None }
    }

    #[track_caller]
    fn check(thought: Option<Thought>, about: &About<'_>, want: &str) {
        let (deed, mark) = deed(thought, about);
        let got = match deed {
            Deed::Say { text, .. } => format!("say {text}"),
            Deed::AskBack { text } => format!("ask {}", text.unwrap_or_default()),
            Deed::HandOff { why, topic } => format!("hand off {why:?} {topic}"),
            Deed::Close { text } => format!("close {text}"),
            Deed::Silence(_) => "silence".to_owned(),
        };
        assert_eq!(format!("{got}; {} {}", mark.clarified, mark.unhelpful), want);
    }

    #[test]
    fn what_is_known_is_answered_and_the_rest_goes_to_humans() {
        let workspace = workspace();
        let fresh = about(&workspace);
        check(thought(reply("30 days."), "returns"), &fresh, "say 30 days.; 0 0");
        check(thought(reply(" "), "returns"), &fresh, "hand off NoAnswer returns; 0 0");
        check(thought(reply("Sorry!"), "complaint"), &fresh, "hand off HumansOnly complaint; 0 0");
        check(thought(refers(HandoffReason::AskedForHuman), "x"), &fresh, "hand off AskedForHuman x; 0 0");
        check(None, &fresh, "hand off NoBrain ; 0 0");
        check(thought(Outcome::Nothing { text: String::new() }, ""), &fresh, "silence; 0 0");
        check(thought(Outcome::Nothing { text: "Hello!".to_owned() }, ""), &fresh, "say Hello!; 0 0");
        check(thought(refers(HandoffReason::NoWords), ""), &fresh, "hand off NoWords ; 0 0");
        check(thought(refers(HandoffReason::NoWords), ""), &About { spoke: true, ..fresh }, "silence; 0 0");
    }

    #[test]
    fn it_asks_back_once_and_never_about_what_it_can_not_see() {
        let workspace = workspace();
        let fresh = about(&workspace);
        let asks = || thought(Outcome::Clarify { text: "Which one?".to_owned() }, "returns");
        check(asks(), &fresh, "ask Which one?; 1 0");
        let asked = Mark { clarified: 1, ..Mark::default() };
        check(asks(), &About { before: asked, ..fresh }, "hand off NotSure returns; 1 0");
        check(asks(), &About { captioned: true, ..fresh }, "hand off Media returns; 0 0");
    }

    #[test]
    fn the_second_complaint_goes_to_humans() {
        let workspace = workspace();
        let fresh = about(&workspace);
        let complains = || thought(refers(HandoffReason::NotHelped), "");
        check(complains(), &fresh, "ask ; 1 1");
        let before = Mark { unhelpful: 1, clarified: 1, ..Mark::default() };
        check(complains(), &About { before, ..fresh }, "hand off NotHelped(2) ; 1 2");
    }

    #[test]
    fn while_its_own_ticket_is_open_it_closes_or_is_silent() {
        let workspace = workspace();
        let own = About { own_tickets: true, ..about(&workspace) };
        check(thought(Outcome::Solved { text: "Glad!".to_owned() }, ""), &own, "close Glad!; 0 0");
        check(thought(reply("30 days."), "returns"), &own, "silence; 0 0");
        check(thought(refers(HandoffReason::AskedForHuman), ""), &own, "silence; 0 0");
        check(None, &own, "silence; 0 0");
    }

    #[test]
    fn a_topic_is_cut_where_a_character_ends() {
        let Deed::HandOff { topic, .. } = hand_off(Why::NotSure, &"é".repeat(300)) else { panic!("no handoff") };
        assert_eq!(topic, "é".repeat(128));
    }
}
