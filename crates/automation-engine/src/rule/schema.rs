//! What rules look like in YAML, as types: editors complete and check by the JSON Schema that is made of them.
#![expect(dead_code, reason = "only the schema of these types is used; `parse` reads into the real ones")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The JSON Schema (2020-12) of a file of rules.
pub fn schema() -> serde_json::Value {
    let generator: SchemaGenerator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "Threadmark rules".into());
    schema.to_value()
}

/// Rules that react to what happens in conversations: one, a list, or a mapping with `rules`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Document {
    Rules(Rules),
    List(Vec<Rule>),
    One(Box<Rule>),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rules {
    /// At most 2,000 in a workspace.
    #[schemars(length(max = 2000))]
    rules: Vec<Rule>,
}

/// What happens, what has to be true, and what is done.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rule {
    /// Unique in the workspace.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    name: String,
    /// What it is for.
    #[schemars(length(min = 1, max = 1024))]
    description: Option<String>,
    /// Whether it reacts at all; true when left out.
    enabled: Option<bool>,
    /// What it reacts to.
    on: Trigger,
    /// A condition in CEL; left out, it is always true.
    when: Option<Condition>,
    /// How often it fires; always when left out.
    fires: Option<Fires>,
    /// How often it fires in one conversation, at most; 20 times a minute when left out.
    rate_limit: Option<RateLimit>,
    /// What a refusal means for the actions after it; stop when left out.
    on_refusal: Option<OnRefusal>,
    /// In order, at most 20.
    #[schemars(rename = "do", length(min = 1, max = 20))]
    steps: Vec<Step>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Condition {
    /// For example `message.text.matches("(?i)refund") && conversation.open_ticket_count == 0`.
    Expression(String),
    /// `true` or `false`.
    Constant(bool),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Fires {
    Always,
    OncePerTicket,
    OncePerConversation,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum OnRefusal {
    Stop,
    Continue,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RateLimit {
    #[schemars(range(min = 1, max = 1000))]
    times: u32,
    /// 1s to 24h.
    per: Length,
}

/// A length of time such as 30s, 10m, 1h30m, 24h or 7d.
struct Length;

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time such as 30s, 10m, 1h30m, 24h or 7d.",
            "type": "string",
            "pattern": r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "minLength": 2,
        })
    }
}

/// A text with fields: `Hello {{contact.display_name | default: "there"}}`.
struct Text;

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text with fields: Hello {{contact.display_name | default: \"there\"}}.",
            "type": ["string", "number", "boolean"],
            "minLength": 1,
            "maxLength": crate::template::MAX_CHARS,
        })
    }
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Trigger {
    Name(TriggerName),
    With(TriggerWith),
    ExternalName(ExternalName),
    External(External),
}

#[derive(JsonSchema)]
enum TriggerName {
    #[schemars(rename = "message.received")]
    MessageReceived,
    #[schemars(rename = "message.sent")]
    MessageSent,
    #[schemars(rename = "message.failed")]
    MessageFailed,
    #[schemars(rename = "ticket.opened")]
    TicketOpened,
    #[schemars(rename = "ticket.closed")]
    TicketClosed,
    #[schemars(rename = "conversation.assigned")]
    ConversationAssigned,
    #[schemars(rename = "conversation.unassigned")]
    ConversationUnassigned,
    #[schemars(rename = "conversation.started")]
    ConversationStarted,
    #[schemars(rename = "tag.added")]
    TagAdded,
    #[schemars(rename = "tag.removed")]
    TagRemoved,
    #[schemars(rename = "contact.changed")]
    ContactChanged,
    #[schemars(rename = "agent.online")]
    AgentOnline,
    #[schemars(rename = "agent.offline")]
    AgentOffline,
    #[schemars(rename = "manual")]
    Manual,
}

#[derive(JsonSchema)]
enum TriggerWith {
    /// The customer has not answered for this long.
    #[schemars(rename = "customer.idle")]
    CustomerIdle(Idle),
    /// The customer has not been answered for this long.
    #[schemars(rename = "agent.idle")]
    AgentIdle(AgentIdle),
    /// No agent has written in a ticket for this long.
    #[schemars(rename = "ticket.unanswered")]
    TicketUnanswered(Idle),
    /// A ticket has been open for this long.
    #[schemars(rename = "ticket.open_for")]
    TicketOpenFor(Idle),
    /// A time came.
    #[schemars(rename = "schedule")]
    Schedule(Schedule),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Idle {
    /// 1s to 366d.
    #[schemars(rename = "for")]
    after: Length,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AgentIdle {
    /// 1s to 366d.
    #[schemars(rename = "for")]
    after: Length,
    /// Whose answer counts; an agent's when left out.
    by: Option<AnsweredBy>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum AnsweredBy {
    Agent,
    Anyone,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Schedule {
    /// Minute, hour, day, month, weekday: `0 9 * * mon-fri`.
    #[schemars(length(min = 1, max = 256))]
    cron: String,
    /// IANA name; UTC when left out.
    time_zone: Option<String>,
}

/// `external.<name>`
struct ExternalName;

impl JsonSchema for ExternalName {
    fn schema_name() -> Cow<'static, str> {
        "ExternalName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^external\\.[A-Za-z0-9_-]{1,64}$" })
    }
}

/// `external.<name>`, and how its events are matched to conversations.
struct External;

impl JsonSchema for External {
    fn schema_name() -> Cow<'static, str> {
        "External".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let concerns = generator.subschema_for::<Option<Match>>();
        json_schema!({
            "description": "An event of another system, and how it is matched to a conversation.",
            "type": "object",
            "patternProperties": { "^external\\.[A-Za-z0-9_-]{1,64}$": concerns },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Match {
    Conversation(ByConversation),
    Contact(ByContact),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ByConversation {
    /// The conversation's id: `{{event.data.conversation}}`.
    conversation: Text,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ByContact {
    /// For example `whatsapp:106540352242922`.
    channel: Text,
    /// The customer's number, or user id: `{{event.data.phone}}`.
    contact: Text,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Step {
    Bare(BareAction),
    With(StepWith),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum BareAction {
    OpenTicket,
    CloseTicket,
    Unassign,
    PauseBot,
    ResumeBot,
}

/// One action, and what a refusal means.
#[derive(JsonSchema)]
struct StepWith {
    /// Of this action alone.
    on_refusal: Option<OnRefusal>,
    #[schemars(flatten)]
    action: Action,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Action {
    /// Opens a ticket.
    OpenTicket(Option<OpenTicket>),
    /// Closes tickets.
    CloseTicket(Option<CloseTicket>),
    /// Makes someone the owner of the conversation.
    Assign(Assign),
    /// Ends ownership.
    Unassign(Nothing),
    /// Says something to the customer.
    SendMessage(SendMessage),
    /// Says something to the staff alone.
    AddNote(Note),
    /// Adds a tag.
    AddTag(Tag),
    /// Removes a tag.
    RemoveTag(Tag),
    /// Keeps the bot silent.
    PauseBot(Nothing),
    /// Ends a pause.
    ResumeBot(Nothing),
    /// Calls another system, signed and again until it answers 2xx.
    CallWebhook(Webhook),
    /// Publishes an event on `ext.<workspace>.<name>`.
    Publish(Publish),
    /// Does what follows later.
    Wait(Wait),
    /// Runs another rule about the same event.
    Run(Run),
}

/// No parameters.
struct Nothing;

impl JsonSchema for Nothing {
    fn schema_name() -> Cow<'static, str> {
        "Nothing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["null", "object"], "maxProperties": 0 })
    }
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OpenTicket {
    /// What it is about.
    #[schemars(length(min = 1, max = 256))]
    topic: Option<String>,
    /// Assigned right after opening.
    assignee: Option<Assign>,
    /// Refused while a ticket is open; true when left out. Otherwise a nested one is opened.
    unless_open: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum CloseTicket {
    Which(Which),
    Mapping(CloseMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct CloseMapping {
    which: Option<Which>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Which {
    /// The ticket that the trigger concerns.
    This,
    /// The open ticket that was opened last.
    Last,
    /// Every open one.
    All,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Assign {
    /// An agent's id.
    #[schemars(length(min = 1, max = 256))]
    agent: Option<String>,
    /// A team's id.
    #[schemars(length(min = 1, max = 256))]
    team: Option<String>,
    /// Which agent of the team.
    strategy: Option<Strategy>,
    /// Agents who are not online are passed over.
    only_online: Option<bool>,
    /// Conversations that an agent may hold at once; the agent's own capacity when left out.
    #[schemars(range(min = 1, max = 10000))]
    capacity: Option<u32>,
    /// What to do when nobody is free.
    fallback: Option<Fallbacks>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Strategy {
    Default,
    RoundRobin,
    LeastOpen,
    Sticky,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Fallbacks {
    One(Fallback),
    Several(Vec<Fallback>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Fallback {
    Default,
    RoundRobin,
    LeastOpen,
    Sticky,
    TeamQueue,
    Unassigned,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum SendMessage {
    Text(Text),
    Words(MessageWords),
    Template(MessageTemplate),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct MessageWords {
    text: Text,
    /// One to three reply buttons.
    #[schemars(length(min = 1, max = 3))]
    buttons: Option<Vec<Button>>,
    /// Above the words, with buttons.
    header: Option<Text>,
    /// Below the words, with buttons.
    footer: Option<Text>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Button {
    Title(Text),
    Mapping(ButtonMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ButtonMapping {
    #[schemars(length(min = 1, max = 256))]
    id: String,
    title: Text,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct MessageTemplate {
    template: Template,
}

/// A message that the channel approved beforehand.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Template {
    #[schemars(length(min = 1, max = 512))]
    name: String,
    /// For example en_US.
    #[schemars(length(min = 1, max = 32))]
    language: String,
    /// The texts that fill the body.
    parameters: Option<Vec<Text>>,
    /// The channel's `components` array, instead of parameters.
    components: Option<Vec<serde_json::Value>>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Note {
    Text(Text),
    Mapping(NoteMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NoteMapping {
    text: Text,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Tag {
    Tag(Text),
    Mapping(TagMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TagMapping {
    /// At most 64 bytes, without fields.
    tag: Text,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Webhook {
    Url(String),
    Mapping(WebhookMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WebhookMapping {
    /// http or https, without fields.
    #[schemars(length(max = 2048), regex(pattern = "^https?://[^/@]+"))]
    url: String,
    /// At most 32.
    headers: Option<BTreeMap<String, Text>>,
    /// JSON with fields in its texts; the event and what it concerns when left out.
    body: Option<serde_json::Value>,
    /// Of one try, 1s to 30s; 10s when left out.
    timeout: Option<Length>,
    /// Tries in all; 5 when left out.
    #[schemars(range(min = 1, max = 10))]
    attempts: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Publish {
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    name: String,
    /// JSON with fields in its texts.
    data: Option<serde_json::Value>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Wait {
    Length(Length),
    Mapping(WaitMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WaitMapping {
    /// 1s to 366d.
    #[schemars(rename = "for")]
    length: Length,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Run {
    Rule(String),
    Mapping(RunMapping),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RunMapping {
    /// The rule's name.
    rule: String,
}
