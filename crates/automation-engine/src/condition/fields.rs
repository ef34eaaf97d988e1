use std::borrow::Cow;

use conversation::Time;

use super::context::{ActorFields, AssigneeFields, Context, HistoryFields, LastMessageFields, MessageFields};
use super::context::{MetricsFields, TicketFields};
use super::value::{Type, Value};

/// A field of the context: what conditions and templates may name.
#[derive(Debug)]
pub struct Field {
    /// As it is written, for example "message.text".
    pub path: &'static str,
    /// Its type.
    pub kind: FieldType,
    /// Whether it may be absent although its part of the context is there.
    pub optional: bool,
    /// Which triggers have it.
    pub scope: Scope,
    /// What the engine has to load for it.
    pub source: Source,
    /// What it is, for people.
    pub doc: &'static str,
    pub(crate) get: for<'a> fn(&'a Context) -> Option<Value<'a>>,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// bool
    Bool,
    /// int
    Int,
    /// double
    Double,
    /// string
    String,
    /// timestamp
    Timestamp,
    /// duration
    Duration,
    /// list(string)
    Strings,
    /// list(int)
    Ints,
    /// dyn: JSON of another system
    Dyn,
}

impl FieldType {
    /// The same as the type of an expression.
    pub fn as_type(self) -> Type {
        match self {
            FieldType::Bool => Type::Bool,
            FieldType::Int => Type::Int,
            FieldType::Double => Type::Double,
            FieldType::String => Type::String,
            FieldType::Timestamp => Type::Timestamp,
            FieldType::Duration => Type::Duration,
            FieldType::Strings => Type::String.list(),
            FieldType::Ints => Type::Int.list(),
            FieldType::Dyn => Type::Dyn,
        }
    }
}

/// Which triggers have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// Every trigger.
    Always,
    /// Those that concern a conversation.
    Conversation,
    /// Those that concern a message.
    Message,
    /// message.failed.
    Failed,
    /// tag.added and tag.removed.
    Tag,
    /// conversation.assigned.
    Assigned,
    /// agent.online and agent.offline.
    Agent,
    /// external.<name>.
    External,
}

/// What the engine has to load for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The event, the clock and the settings: at hand.
    Event,
    /// Sealed words.
    Words,
    /// The last decision of the conversation.
    State,
    /// The view: the conversation and its newest message.
    History,
    /// The view: the ticket that was closed last.
    LastTicket,
    /// The view: what is counted of the ticket.
    Metrics,
}

/// The field of this path.
pub(super) fn find(path: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.path == path)
}

/// Every field that lies under this path, for example those of "conversation.assignee".
pub(super) fn under(path: &str) -> impl Iterator<Item = &'static Field> {
    let inside = move |field: &&Field| field.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    FIELDS.iter().filter(inside)
}

fn text(text: &str) -> Option<Value<'_>> {
    Some(Value::Text(Cow::Borrowed(text)))
}

/// A text that is absent when it is empty.
fn some(words: &str) -> Option<Value<'_>> {
    if words.is_empty() { None } else { text(words) }
}

fn time(time: Time) -> Option<Value<'static>> {
    Some(Value::Time(time))
}

fn yes(yes: bool) -> Option<Value<'static>> {
    Some(Value::Bool(yes))
}

fn span(duration: std::time::Duration) -> Option<Value<'static>> {
    Some(Value::Span(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
}

fn direction(inbound: bool) -> Option<Value<'static>> {
    Some(Value::Text(Cow::Borrowed(if inbound { "inbound" } else { "outbound" })))
}

fn message(context: &Context) -> Option<&MessageFields> {
    context.message.as_ref()
}

fn history(context: &Context) -> Option<&HistoryFields> {
    context.conversation.as_ref()?.history.as_ref()
}

fn last_message(context: &Context) -> Option<&LastMessageFields> {
    history(context)?.last_message.as_ref()
}

fn last_ticket(context: &Context) -> Option<&TicketFields> {
    context.conversation.as_ref()?.last_ticket.as_ref()
}

fn metrics(context: &Context) -> Option<&MetricsFields> {
    context.ticket.as_ref()?.metrics.as_ref()
}

fn closed_by(ticket: Option<&TicketFields>) -> Option<&ActorFields> {
    ticket?.closed_by.as_ref()
}

fn assignee(context: &Context) -> Option<&AssigneeFields> {
    Some(&context.conversation.as_ref()?.assignee)
}

macro_rules! fields {
    ($($path:literal: $kind:ident $presence:ident, $scope:ident from $source:ident, $doc:literal, |$context:ident| $get:expr;)*) => {
        /// Every field, in the order in which they are documented.
        pub static FIELDS: &[Field] = &[$(Field {
            path: $path,
            kind: FieldType::$kind,
            optional: fields!(@ $presence),
            scope: Scope::$scope,
            source: Source::$source,
            doc: $doc,
            get: |$context| $get,
        }),*];
    };
    (@ always) => { false };
    (@ optional) => { true };
}

fields! {
    "event.id": String always, Always from Event, "the event's id", |c| text(&c.event.id);
    "event.type": String always, Always from Event, "the trigger, for example `message.received`", |c| text(&c.event.kind);
    "event.time": Timestamp always, Always from Event, "when it was recorded", |c| time(c.event.time);
    "event.occur_time": Timestamp optional, Always from Event, "when it happened, by the clock of the channel", |c| c.event.occur_time.and_then(time);
    "event.actor.kind": String always, Always from Event, "who did it: `customer`, `bot`, `automation`, `agent` or `system`", |c| text(&c.event.actor.kind);
    "event.actor.id": String optional, Always from Event, "an agent's id, a rule's name; absent for customers", |c| some(&c.event.actor.id);
    "event.actor.name": String optional, Always from Event, "the display name", |c| some(&c.event.actor.name);
    "event.depth": Int always, Always from Event, "links from the start of the chain; chains stop at 8", |c| Some(Value::Int(c.event.depth));
    "event.tag": String always, Tag from Event, "the tag that was added or removed", |c| some(&c.event.tag);
    "event.agent": String always, Agent from Event, "the agent who came or went", |c| some(&c.event.agent);
    "event.assignee.agent": String optional, Assigned from Event, "the agent whom it was assigned to", |c| some(&c.event.assignee.agent);
    "event.assignee.team": String optional, Assigned from Event, "the team that it was assigned to", |c| some(&c.event.assignee.team);
    "event.error_codes": Ints always, Failed from Event, "what the channel gave as reasons", |c| Some(Value::Ints(&c.event.error_codes));
    "event.name": String always, External from Event, "the name of the external event", |c| some(&c.event.name);
    "event.data": Dyn always, External from Event, "its JSON: `event.data.order.id`", |c| c.event.data.as_ref().map(Value::Json);

    "message.id": String always, Message from Event, "the message's id", |c| text(&message(c)?.id);
    "message.type": String always, Message from Event, "the channel's own word: `text`, `image`, `interactive`, …", |c| text(&message(c)?.kind);
    "message.direction": String always, Message from Event, "`inbound` or `outbound`", |c| direction(message(c)?.inbound);
    "message.text": String always, Message from Words, "the body, the caption or the title of the reply; empty where there are no words", |c| text(&message(c)?.text);
    "message.media.mime_type": String optional, Message from Words, "of media, for example `image/jpeg`", |c| some(&message(c)?.mime_type);
    "message.media.file_name": String optional, Message from Words, "of documents", |c| some(&message(c)?.file_name);
    "message.media.voice": Bool optional, Message from Words, "whether it is a recorded voice message; absent without media", |c| message(c).filter(|m| !m.mime_type.is_empty()).and_then(|m| yes(m.voice));
    "message.reply.id": String optional, Message from Words, "the id of the button or row that was chosen", |c| some(&message(c)?.reply_id);
    "message.reply.title": String optional, Message from Words, "the title of the button or row that was chosen", |c| some(&message(c)?.reply_title);
    "message.reply_to": String optional, Message from Words, "the message that this one answers", |c| some(&message(c)?.reply_to);
    "message.forwarded": Bool always, Message from Words, "whether it was forwarded", |c| yes(message(c)?.forwarded);
    "message.location.latitude": Double optional, Message from Words, "of a shared place, in degrees", |c| message(c)?.location.map(|(latitude, _)| Value::Double(latitude));
    "message.location.longitude": Double optional, Message from Words, "of a shared place, in degrees", |c| message(c)?.location.map(|(_, longitude)| Value::Double(longitude));

    "contact.id": String always, Conversation from Words, "the customer's address on the channel: a number, else a user id", |c| text(&c.contact.as_ref()?.id);
    "contact.display_name": String optional, Conversation from Words, "the name that the customer goes by", |c| some(&c.contact.as_ref()?.display_name);
    "contact.user_id": String optional, Conversation from Words, "the channel's own user id", |c| some(&c.contact.as_ref()?.user_id);
    "contact.username": String optional, Conversation from Words, "the channel's user name", |c| some(&c.contact.as_ref()?.username);

    "conversation.id": String always, Conversation from Event, "the conversation's id", |c| text(&c.conversation.as_ref()?.id);
    "conversation.channel": String always, Conversation from Event, "the address of the business, for example `whatsapp:106540352242922`", |c| text(&c.conversation.as_ref()?.channel);
    "conversation.tags": Strings always, Conversation from State, "the tags on it: `\"vip\" in conversation.tags`", |c| Some(Value::Texts(&c.conversation.as_ref()?.tags));
    "conversation.assigned": Bool always, Conversation from State, "whether an agent or a team holds it", |c| assignee(c).and_then(|a| yes(!a.agent.is_empty() || !a.team.is_empty()));
    "conversation.assignee.agent": String optional, Conversation from State, "the agent who holds it", |c| some(&assignee(c)?.agent);
    "conversation.assignee.team": String optional, Conversation from State, "the team that holds it", |c| some(&assignee(c)?.team);
    "conversation.bot_paused": Bool always, Conversation from State, "whether the bot was told to be silent", |c| yes(c.conversation.as_ref()?.bot_paused);
    "conversation.open_ticket_count": Int always, Conversation from State, "open tickets, nested ones included", |c| Some(Value::Int(i64::try_from(c.conversation.as_ref()?.open_topics.len()).unwrap_or(i64::MAX)));
    "conversation.open_topics": Strings always, Conversation from State, "their topics, the primary's first", |c| Some(Value::Texts(&c.conversation.as_ref()?.open_topics));
    "conversation.ticket_count": Int always, Conversation from State, "tickets opened so far", |c| Some(Value::Int(c.conversation.as_ref()?.ticket_count));
    "conversation.unread_count": Int always, Conversation from History, "messages of the customer since an agent last wrote or looked", |c| Some(Value::Int(history(c)?.unread_count));
    "conversation.continues": String optional, Conversation from History, "the older conversation that this one goes on from", |c| some(&history(c)?.continues);
    "conversation.last_message.time": Timestamp optional, Conversation from History, "when the newest message before this event came; absent in an empty chat", |c| last_message(c).and_then(|m| time(m.time));
    "conversation.last_message.direction": String optional, Conversation from History, "`inbound` or `outbound`", |c| direction(last_message(c)?.inbound);
    "conversation.last_message.actor.kind": String optional, Conversation from History, "who wrote it", |c| text(&last_message(c)?.actor.kind);
    "conversation.last_message.actor.id": String optional, Conversation from History, "an agent's id, a rule's name", |c| some(&last_message(c)?.actor.id);
    "conversation.last_ticket.id": String optional, Conversation from LastTicket, "the primary ticket that was closed last; absent if none was", |c| text(&last_ticket(c)?.id);
    "conversation.last_ticket.topic": String optional, Conversation from LastTicket, "its topic; may be empty", |c| text(&last_ticket(c)?.topic);
    "conversation.last_ticket.close_time": Timestamp optional, Conversation from LastTicket, "when it was closed", |c| last_ticket(c)?.close_time.and_then(time);
    "conversation.last_ticket.closed_by.kind": String optional, Conversation from LastTicket, "who closed it", |c| text(&closed_by(last_ticket(c))?.kind);
    "conversation.last_ticket.closed_by.id": String optional, Conversation from LastTicket, "an agent's id, a rule's name", |c| some(&closed_by(last_ticket(c))?.id);
    "conversation.last_ticket.assignee.agent": String optional, Conversation from LastTicket, "the agent who held it at closing", |c| some(&last_ticket(c)?.assignee.agent);
    "conversation.last_ticket.assignee.team": String optional, Conversation from LastTicket, "the team that held it at closing", |c| some(&last_ticket(c)?.assignee.team);

    "ticket.id": String optional, Conversation from State, "the ticket of a ticket trigger, else the open primary; absent without one", |c| text(&c.ticket.as_ref()?.id);
    "ticket.nested": Bool optional, Conversation from State, "whether it is counted within a primary", |c| yes(!c.ticket.as_ref()?.primary_id.is_empty());
    "ticket.primary_id": String optional, Conversation from State, "the primary of a nested ticket", |c| some(&c.ticket.as_ref()?.primary_id);
    "ticket.topic": String optional, Conversation from State, "its topic; may be empty", |c| text(&c.ticket.as_ref()?.topic);
    "ticket.opened_by.kind": String optional, Conversation from State, "who opened it", |c| text(&c.ticket.as_ref()?.opened_by.kind);
    "ticket.opened_by.id": String optional, Conversation from State, "an agent's id, a rule's name", |c| some(&c.ticket.as_ref()?.opened_by.id);
    "ticket.open_time": Timestamp optional, Conversation from State, "when it was opened", |c| time(c.ticket.as_ref()?.open_time);
    "ticket.age": Duration optional, Conversation from State, "how long ago it was opened", |c| span(c.now.since(c.ticket.as_ref()?.open_time));
    "ticket.closed": Bool optional, Conversation from State, "whether it is closed", |c| yes(c.ticket.as_ref()?.close_time.is_some());
    "ticket.close_time": Timestamp optional, Conversation from State, "when it was closed; absent while it is open", |c| c.ticket.as_ref()?.close_time.and_then(time);
    "ticket.closed_by.kind": String optional, Conversation from State, "who closed it", |c| text(&closed_by(c.ticket.as_ref())?.kind);
    "ticket.closed_by.id": String optional, Conversation from State, "an agent's id, a rule's name", |c| some(&closed_by(c.ticket.as_ref())?.id);
    "ticket.assignee.agent": String optional, Conversation from State, "the agent who holds it, or did at closing", |c| some(&c.ticket.as_ref()?.assignee.agent);
    "ticket.assignee.team": String optional, Conversation from State, "the team that holds it, or did at closing", |c| some(&c.ticket.as_ref()?.assignee.team);
    "ticket.answered": Bool optional, Conversation from Metrics, "whether an agent has written in it", |c| yes(metrics(c)?.first_response.is_some());
    "ticket.first_response": Duration optional, Conversation from Metrics, "from the opening to the first message of an agent", |c| metrics(c)?.first_response.and_then(span);
    "ticket.first_bot_response": Duration optional, Conversation from Metrics, "from the opening to the first message of the bot", |c| metrics(c)?.first_bot_response.and_then(span);
    "ticket.inbound_count": Int optional, Conversation from Metrics, "messages of the customer in it", |c| Some(Value::Int(metrics(c)?.inbound_count));
    "ticket.outbound_count": Int optional, Conversation from Metrics, "messages to the customer in it", |c| Some(Value::Int(metrics(c)?.outbound_count));

    "workspace.name": String always, Always from Event, "the workspace", |c| text(&c.workspace.name);
    "workspace.time_zone": String always, Always from Event, "its IANA time zone: `now.getHours(workspace.time_zone)`", |c| text(&c.workspace.time_zone);
    "workspace.open": Bool always, Always from Event, "whether it is business hours; always, where none are configured", |c| yes(c.workspace.open);
    "workspace.holiday": Bool always, Always from Event, "whether today is a holiday", |c| yes(c.workspace.holiday);
    "now": Timestamp always, Always from Event, "when this is judged", |c| time(c.now);
}
