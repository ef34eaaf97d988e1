//! The three tools of a model, and what their calls have to be. Pure.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{Answer, ModelError};
use crate::brain::{HandoffReason, Outcome, Source};

/// Longest answer, in characters.
const MAX_TEXT: usize = 8_000;
/// Longest question back, in characters: it has no source, so it has to be short.
const MAX_QUESTION: usize = 300;
/// Longest topic, in characters.
const MAX_TOPIC: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    text: String,
    sources: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOff {
    reason: Reason,
    #[serde(default)]
    topic: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    NotSure,
    AskedForHuman,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Close {}

/// The tools as the endpoint takes them.
pub(super) fn schema() -> Value {
    let tool = |name: &str, description: &str, properties: Value, required: &[&str]| {
        let parameters = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters } })
    };
    let text = json!({ "type": "string" });
    let sources = json!({ "type": "array", "items": { "type": "integer" } });
    let reason = json!({ "type": "string", "enum": ["not_sure", "asked_for_human"] });
    json!([
        tool(
            "reply",
            "Say something to the customer.",
            json!({ "text": text, "sources": sources }),
            &["text", "sources"]
        ),
        tool("hand_off", "Give the chat to a human.", json!({ "reason": reason, "topic": text }), &["reason"]),
        tool("close", "The customer says that the matter is solved.", json!({}), &[]),
    ])
}

/// What an answer comes to.
///
/// # Errors
/// [`ModelError::Nonsense`] for whatever is not exactly one good call of one of the tools.
pub(super) fn outcome(answer: &Answer, passages: &[Source]) -> Result<Outcome, ModelError> {
    let [(name, arguments)] = answer.calls.as_slice() else {
        return nonsense(&format!("{} calls instead of one", answer.calls.len()));
    };
    match name.as_str() {
        "reply" => reply(parse(arguments)?, passages),
        "hand_off" => hand_off(parse(arguments)?),
        "close" => parse(arguments).map(|Close {}| Outcome::Solved { text: String::new() }),
        _ => nonsense("it calls a tool that there is not"),
    }
}

fn reply(Reply { text, sources }: Reply, passages: &[Source]) -> Result<Outcome, ModelError> {
    let long = text.chars().count();
    if text.trim().is_empty() || long > MAX_TEXT {
        return nonsense("words that are none, or too many");
    }
    let cited: Option<Vec<&Source>> = sources.iter().map(|nth| passages.get(nth.checked_sub(1)?)).collect();
    let Some(cited) = cited else { return nonsense("a source that it was not given") };
    if !links(&text).all(|link| cited.iter().any(|source| source.text.contains(link))) {
        return nonsense("a link that its sources do not have");
    }
    if cited.is_empty() {
        return if long <= MAX_QUESTION {
            Ok(Outcome::Clarify { text })
        } else {
            nonsense("an answer without a source")
        };
    }
    Ok(Outcome::Reply { text, sources: cited.into_iter().cloned().collect() })
}

fn hand_off(HandOff { reason, topic }: HandOff) -> Result<Outcome, ModelError> {
    let reason = match reason {
        Reason::NotSure => HandoffReason::NotSure,
        Reason::AskedForHuman => HandoffReason::AskedForHuman,
    };
    let plain = |topic: &String| {
        topic.chars().count() <= MAX_TOPIC && topic.chars().all(|c| c.is_alphanumeric() || " -_".contains(c))
    };
    // What is no topic is left out: the handoff stands.
    Ok(Outcome::Handoff { reason, topic: topic.filter(plain).filter(|topic| !topic.trim().is_empty()) })
}

/// Whatever leads elsewhere: web addresses and mail addresses.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let edges = |c: char| !c.is_alphanumeric() && c != '/';
    let leads = |word: &&str| {
        let word = word.to_lowercase();
        word.contains("://") || word.contains("www.") || word.contains('@')
    };
    text.split(|c: char| c.is_whitespace() || "()[]<>\"'".contains(c))
        .filter(leads)
        .map(move |word| word.trim_matches(edges))
        .filter(|word| !word.is_empty())
}

fn parse<T: DeserializeOwned>(arguments: &str) -> Result<T, ModelError> {
    // Some endpoints send nothing where nothing is to be said.
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    serde_json::from_str(arguments).map_err(|error| ModelError::Nonsense(format!("arguments: {error}")))
}

fn nonsense<T>(what: &str) -> Result<T, ModelError> {
    Err(ModelError::Nonsense(what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages() -> Vec<Source> {
        let text = "Send it back within 30 days: https://acme.example/returns or help@acme.example.".to_owned();
        vec![Source { document: "faq".to_owned(), version: 1, title: "Returns".to_owned(), text, line: 1 }]
    }

    #[track_caller]
    fn check(name: &str, arguments: &str, want: &str) {
        let answer = Answer { calls: vec![(name.to_owned(), arguments.to_owned())], tokens: None };
        let got = match outcome(&answer, &passages()) {
            Ok(Outcome::Reply { .. }) => "reply",
            Ok(Outcome::Clarify { .. }) => "clarify",
            Ok(Outcome::Handoff { topic: Some(_), .. }) => "handoff with topic",
            Ok(Outcome::Handoff { .. }) => "handoff",
            Ok(Outcome::Solved { .. }) => "close",
            Ok(Outcome::Nothing { .. }) => "nothing",
            Err(_) => "nonsense",
        };
        assert_eq!(got, want, "{name} {arguments}");
    }

    #[test]
    fn calls_are_good_or_nonsense() {
        check("reply", r#"{"text":"30 days, see https://acme.example/returns.","sources":[1]}"#, "reply");
        check("reply", r#"{"text":"Write to help@acme.example","sources":[1]}"#, "reply");
        check("reply", r#"{"text":"Which order?","sources":[]}"#, "clarify");
        check("reply", r#"{"text":"See https://evil.example/x","sources":[1]}"#, "nonsense");
        check("reply", r#"{"text":"See [here](https://evil.example)","sources":[1]}"#, "nonsense");
        check("reply", r#"{"text":"30 days","sources":[2]}"#, "nonsense");
        check("reply", r#"{"text":"30 days","sources":[0]}"#, "nonsense");
        check("reply", r#"{"text":"30 days"}"#, "nonsense");
        check("reply", r#"{"text":" ","sources":[1]}"#, "nonsense");
        check("reply", r#"{"text":"30 days","sources":[1],"conversation_id":"other"}"#, "nonsense");
        check("reply", &format!(r#"{{"text":"{}","sources":[]}}"#, "x".repeat(301)), "nonsense");
        check("hand_off", r#"{"reason":"not_sure","topic":"returns"}"#, "handoff with topic");
        check("hand_off", r#"{"reason":"not_sure","topic":"<script>"}"#, "handoff");
        check("hand_off", r#"{"reason":"because"}"#, "nonsense");
        check("hand_off", r#"{"reason":"not_sure","assignee":"ceo"}"#, "nonsense");
        check("close", "", "close");
        check("close", r#"{"all":true}"#, "nonsense");
        check("refund", r#"{"amount":100}"#, "nonsense");
        check("reply", "not json", "nonsense");
    }
}
