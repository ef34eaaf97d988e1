//! Rules: what people write in YAML, checked whole, as types that the engine runs.

mod action;
mod fill;
mod known;
mod length;
mod mistake;
mod nearest;
mod parse;
mod parse_action;
mod parse_assign;
mod parse_message;
mod parse_trigger;
mod read;
mod schedule;
mod schema;
mod trigger;
mod yaml;

pub use action::{
    Action, Assign, Button, CallWebhook, CloseWhich, Content, Fallback, Json, Strategy, StrategyName, TemplateMessage,
};
pub use fill::Filled;
pub use known::{Known, KnownTeam};
pub use length::length_text;
pub use mistake::{Mistake, within};
pub(crate) use nearest::nearest;
pub use parse::parse;
pub use schedule::Schedule;
pub use schema::schema;
pub use trigger::{AnsweredBy, Match, Trigger};

use std::time::Duration;

use crate::condition::{Condition, Needs};

/// Longest text that is taken, in bytes.
pub const MAX_YAML_BYTES: usize = 1 << 20;
/// Most rules in a workspace.
pub const MAX_RULES: usize = 2000;
/// Most actions of a rule.
pub const MAX_ACTIONS: usize = 20;
/// Longest name of a rule, in bytes: it becomes part of subjects and ids.
pub const MAX_NAME_BYTES: usize = 128;

/// A checked rule: it can be evaluated against any context.
#[derive(Debug)]
pub struct Rule {
    /// 1 to 128 of a-z, A-Z, 0-9, `-`, `_` and `.`; unique in the workspace.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it reacts at all.
    pub enabled: bool,
    /// What it reacts to.
    pub on: Trigger,
    /// What has to be true; `None` is always true.
    pub when: Option<Condition>,
    /// How often it fires.
    pub fires: Fires,
    /// How often it fires in one conversation, at most.
    pub rate_limit: RateLimit,
    /// What it does, in order. The conversation actions that stand together are one decision.
    pub steps: Vec<Step>,
    /// Its own text: parsed alone it gives this rule again.
    pub yaml: String,
}

/// One action of a rule.
#[derive(Debug)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// What a refusal means for the actions after it.
    pub on_refusal: OnRefusal,
}

/// How often a rule fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fires {
    /// Once per event.
    #[default]
    Always,
    /// Once while a ticket is open; without a ticket, as `Always`.
    OncePerTicket,
    /// Once in a conversation, for ever.
    OncePerConversation,
}

/// What a refusal means for the actions after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRefusal {
    /// They are not tried.
    #[default]
    Stop,
    /// They are.
    Continue,
}

/// How often a rule fires in one conversation, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// 1 to 1,000.
    pub times: u32,
    /// 1 s to 24 h.
    pub per: Duration,
}

impl Default for RateLimit {
    /// 20 a minute: more than any chat needs, and what two rules that answer each other soon reach.
    fn default() -> RateLimit {
        RateLimit { times: 20, per: Duration::from_secs(60) }
    }
}

impl Rule {
    /// What has to be loaded for its condition.
    pub fn condition_needs(&self) -> Needs {
        self.when.as_ref().map(Condition::needs).unwrap_or_default()
    }

    /// What has to be loaded for its texts, and for its trigger's mapping: only once it matches.
    pub fn text_needs(&self) -> Needs {
        let of_trigger = self.on.templates().into_iter();
        let of_steps = self.steps.iter().flat_map(|step| step.action.templates());
        of_trigger.chain(of_steps).fold(Needs::default(), |needs, template| needs.and(template.needs()))
    }
}

#[cfg(test)]
mod tests;
