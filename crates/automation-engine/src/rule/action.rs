use std::time::Duration;

use crate::condition::{Context, Fault};
use crate::template::Template;

/// Something that a rule does.
#[derive(Debug)]
pub enum Action {
    /// Opens a ticket.
    OpenTicket {
        /// What it is about; may be empty.
        topic: String,
        /// Assigned right after opening.
        assignee: Option<Assign>,
        /// Refused while a ticket is open; otherwise a nested one is opened.
        unless_open: bool,
    },
    /// Closes tickets.
    CloseTicket(CloseWhich),
    /// Makes someone the owner of the conversation.
    Assign(Assign),
    /// Ends ownership.
    Unassign,
    /// Says something to the customer.
    SendMessage(Content),
    /// Says something to the staff alone.
    AddNote(Template),
    /// Adds a tag.
    AddTag(String),
    /// Removes a tag.
    RemoveTag(String),
    /// Keeps the bot silent until it is resumed or the last ticket closes.
    PauseBot,
    /// Ends a pause.
    ResumeBot,
    /// Calls another system.
    CallWebhook(CallWebhook),
    /// Publishes an event on `ext.<workspace>.<name>`.
    Publish {
        /// The last token of the subject: 1 to 64 of a-z, A-Z, 0-9, `-` and `_`.
        name: String,
        /// What it says.
        data: Json,
    },
    /// Does what follows later; what this rule needs then is read anew.
    Wait(Duration),
    /// Runs another rule about the same event: its condition, then its actions.
    Run {
        /// Its name.
        rule: String,
    },
}

/// Which tickets to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseWhich {
    /// The ticket that the trigger concerns.
    This,
    /// The open ticket that was opened last.
    Last,
    /// Every open one.
    All,
}

/// Whom to assign to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assign {
    /// How to find the assignee.
    pub strategy: Strategy,
    /// Agents who are not online are passed over.
    pub only_online: bool,
    /// Conversations that an agent may hold at once; `None`: the agent's own capacity.
    pub capacity: Option<u32>,
    /// What to do when nobody is free, in order. Never empty: ends with the queue or with nobody.
    pub fallback: Vec<Fallback>,
}

/// How to find the assignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// This agent.
    Agent {
        /// The agent's id.
        agent: String,
        /// As a member of this team.
        team: Option<String>,
    },
    /// The team itself: any of its agents may take it.
    Team(String),
    /// One of a team's agents.
    OfTeam {
        /// The team's id.
        team: String,
        /// Which one.
        by: StrategyName,
    },
    /// The agent who held the last ticket, of whatever team.
    Sticky,
}

/// Which agent of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrategyName {
    /// The team's default assignee.
    Default,
    /// In turn.
    RoundRobin,
    /// The one with the fewest conversations; of several, the one whose turn is first.
    LeastOpen,
    /// The agent of the conversation's last ticket.
    Sticky,
}

/// What to do when nobody is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Another way to choose, in the same team.
    Strategy(StrategyName),
    /// The team becomes the assignee, and the conversation waits in its queue.
    TeamQueue,
    /// Nobody is assigned.
    Unassigned,
}

/// What a rule says to the customer.
#[derive(Debug)]
pub enum Content {
    /// Plain words.
    Text(Template),
    /// Words with reply buttons.
    Buttons {
        /// Above the words.
        header: Option<Template>,
        /// The words.
        text: Template,
        /// Below the words.
        footer: Option<Template>,
        /// One to three.
        buttons: Vec<Button>,
    },
    /// A message that the channel approved beforehand.
    Template(TemplateMessage),
}

/// A reply button.
#[derive(Debug)]
pub struct Button {
    /// At most 256 bytes; what `message.reply.id` says when it is pressed.
    pub id: String,
    /// What it shows: at most 20 characters, which is the channel's limit.
    pub title: Template,
}

/// A message that the channel approved beforehand.
#[derive(Debug)]
pub struct TemplateMessage {
    /// Its name there.
    pub name: String,
    /// A language tag such as "en_US".
    pub language: String,
    /// The channel's `components` array, with fields in its texts; `None` for none.
    pub components: Option<Json>,
}

/// A call to another system.
#[derive(Debug)]
pub struct CallWebhook {
    /// http or https, without user info and fragment.
    pub url: String,
    /// Besides those that every call has.
    pub headers: Vec<(String, Template)>,
    /// What is posted; `None`: the event and what it concerns.
    pub body: Option<Json>,
    /// For one try: 1 to 30 s.
    pub timeout: Duration,
    /// Tries in all: 1 to 10.
    pub attempts: u32,
}

/// JSON with fields in its texts.
#[derive(Debug)]
pub enum Json {
    /// As it is.
    Fixed(serde_json::Value),
    /// A text; one that is a single field keeps that field's type.
    Text(Template),
    /// In order.
    List(Vec<Json>),
    /// In order.
    Map(Vec<(String, Json)>),
}

impl Action {
    /// As it is written: "open_ticket".
    pub fn name(&self) -> &'static str {
        match self {
            Action::OpenTicket { .. } => "open_ticket",
            Action::CloseTicket(_) => "close_ticket",
            Action::Assign(_) => "assign",
            Action::Unassign => "unassign",
            Action::SendMessage(_) => "send_message",
            Action::AddNote(_) => "add_note",
            Action::AddTag(_) => "add_tag",
            Action::RemoveTag(_) => "remove_tag",
            Action::PauseBot => "pause_bot",
            Action::ResumeBot => "resume_bot",
            Action::CallWebhook(_) => "call_webhook",
            Action::Publish { .. } => "publish",
            Action::Wait(_) => "wait",
            Action::Run { .. } => "run",
        }
    }

    /// Whether it acts on a conversation, so that it is part of a decision.
    pub fn decides(&self) -> bool {
        !matches!(self, Action::CallWebhook(_) | Action::Publish { .. } | Action::Wait(_) | Action::Run { .. })
    }

    /// Whether it says what a channel takes only while its window is open.
    pub fn is_free_form(&self) -> bool {
        matches!(self, Action::SendMessage(Content::Text(_) | Content::Buttons { .. }))
    }

    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Action::SendMessage(content) => content.templates(),
            Action::AddNote(text) => vec![text],
            Action::CallWebhook(call) => {
                let body = call.body.iter().flat_map(Json::templates);
                call.headers.iter().map(|(_, value)| value).chain(body).collect()
            }
            Action::Publish { data, .. } => data.templates(),
            _ => Vec::new(),
        }
    }
}

impl Content {
    fn templates(&self) -> Vec<&Template> {
        match self {
            Content::Text(text) => vec![text],
            Content::Buttons { header, text, footer, buttons } => {
                let titles = buttons.iter().map(|button| &button.title);
                header.iter().chain([text]).chain(footer).chain(titles).collect()
            }
            Content::Template(message) => message.components.iter().flat_map(Json::templates).collect(),
        }
    }
}

impl Assign {
    /// The team that it looks in, if it looks in one.
    pub fn team(&self) -> Option<&str> {
        match &self.strategy {
            Strategy::Agent { team, .. } => team.as_deref(),
            Strategy::Team(team) | Strategy::OfTeam { team, .. } => Some(team),
            Strategy::Sticky => None,
        }
    }
}

impl StrategyName {
    /// Every strategy, as it is written.
    pub const ALL: [(&'static str, StrategyName); 4] = [
        ("default", StrategyName::Default),
        ("round_robin", StrategyName::RoundRobin),
        ("least_open", StrategyName::LeastOpen),
        ("sticky", StrategyName::Sticky),
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            StrategyName::Default => "default",
            StrategyName::RoundRobin => "round_robin",
            StrategyName::LeastOpen => "least_open",
            StrategyName::Sticky => "sticky",
        }
    }
}

impl Json {
    /// The JSON with its fields filled.
    ///
    /// # Errors
    /// [`Fault`] where a field without a default is absent.
    pub fn fill(&self, context: &Context) -> Result<serde_json::Value, Fault> {
        match self {
            Json::Fixed(value) => Ok(value.clone()),
            Json::Text(template) => template.fill_json(context),
            Json::List(list) => list.iter().map(|json| json.fill(context)).collect(),
            Json::Map(map) => {
                let entries = map.iter().map(|(key, json)| Ok((key.clone(), json.fill(context)?)));
                entries.collect::<Result<serde_json::Map<_, _>, Fault>>().map(serde_json::Value::Object)
            }
        }
    }

    fn templates(&self) -> Vec<&Template> {
        match self {
            Json::Fixed(_) => Vec::new(),
            Json::Text(template) => vec![template],
            Json::List(list) => list.iter().flat_map(Json::templates).collect(),
            Json::Map(map) => map.iter().flat_map(|(_, json)| json.templates()).collect(),
        }
    }
}
