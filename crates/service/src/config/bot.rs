use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::Secret;

/// Longest pause within a turn of the customer, in milliseconds: who waits longer waits for an answer.
const MAX_PAUSE_MS: u64 = 60_000;
/// Longest time for one thought, in milliseconds: a conversation waits meanwhile.
const MAX_THINK_MS: u64 = 300_000;
/// Longest name, words or topic, in bytes.
const MAX_BYTES: usize = 256;
/// Longest words to a customer, in characters: the channel's limit.
const MAX_WORDS: usize = 4_096;

/// How the bot works.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bot {
    /// Whether it answers in workspaces that do not say.
    pub enabled: bool,
    /// Where `TicketService` answers, as in `http://127.0.0.1:7070`; empty for this process.
    pub ticket_service: String,
    /// Messages of a customer with no longer pause between them are one turn, in milliseconds.
    pub pause_ms: u64,
    /// How long it may think about one turn, in milliseconds; then it hands off.
    pub think_ms: u64,
    /// How often a customer may say that it did not help; then it hands off.
    pub unhelpful: u32,
    /// A language model; without one it answers from knowledge alone.
    pub llm: Llm,
}

/// A language model behind an OpenAI-compatible chat endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Llm {
    /// As in `https://api.openai.com/v1`; empty for none.
    pub base_url: String,
    /// Which model, as the endpoint names it.
    pub model: String,
    /// What the endpoint asks for as a bearer token; empty for none.
    pub key: Secret,
    /// How long one answer of the model may take, in milliseconds.
    pub timeout_ms: u64,
    /// Tokens that each workspace may spend on a day (UTC), questions and answers together; 0 for no bound.
    pub tokens_per_day: u64,
    /// Longest answer, in tokens.
    pub answer_tokens: u32,
}

/// What the bot of one workspace does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BotSettings {
    /// Whether it answers; left out, what `bot.enabled` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What stamps call it; left out, "Bot".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The team that gets what is handed off: any of its agents may take it from there.
    pub team: String,
    /// The agent who gets what is handed off; "default" for the default assignee of `team`.
    pub agent: String,
    /// Intents and topics that are for humans alone.
    pub humans_only: Vec<String>,
    /// What the customer is told at a handoff; left out, words in the customer's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff_words: Option<String>,
}

impl Bot {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(ConfigError::Wrong(text));
        let Bot { pause_ms, think_ms, unhelpful, llm, .. } = self;
        if *pause_ms > MAX_PAUSE_MS {
            return wrong(format!("bot.pause_ms is {pause_ms}: at most {MAX_PAUSE_MS}"));
        }
        if !(1..=MAX_THINK_MS).contains(think_ms) {
            return wrong(format!("bot.think_ms is {think_ms}: it has to be 1 to {MAX_THINK_MS}"));
        }
        if *unhelpful == 0 {
            return wrong("bot.unhelpful is 0: it has to be 1 or more".to_owned());
        }
        if !llm.base_url.is_empty() && llm.model.is_empty() {
            return wrong("bot.llm.model is empty: name the model that bot.llm.base_url serves".to_owned());
        }
        if !llm.base_url.is_empty() && (llm.timeout_ms == 0 || llm.answer_tokens == 0) {
            return wrong("bot.llm.timeout_ms and bot.llm.answer_tokens have to be 1 or more".to_owned());
        }
        Ok(())
    }
}

impl BotSettings {
    pub(super) fn check(&self, workspace: &str) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, why: String| Err(ConfigError::Wrong(format!("workspace {workspace:?}: bot.{key} {why}")));
        let long = |text: &str| text.len() > MAX_BYTES;
        if self.name.as_ref().is_some_and(|name| name.is_empty() || long(name)) {
            return wrong("name", format!("has to be 1 to {MAX_BYTES} bytes"));
        }
        if [&self.team, &self.agent].into_iter().chain(&self.humans_only).any(|text| long(text)) {
            return wrong("team, agent and humans_only", format!("have to be at most {MAX_BYTES} bytes each"));
        }
        if self.agent == "default" && self.team.is_empty() {
            return wrong("agent", "is \"default\": name the team".to_owned());
        }
        let words = self.handoff_words.as_ref();
        if words.is_some_and(|words| words.trim().is_empty() || words.chars().count() > MAX_WORDS) {
            return wrong("handoff_words", format!("have to be 1 to {MAX_WORDS} characters"));
        }
        Ok(())
    }
}
