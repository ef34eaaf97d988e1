use conversation::Time;

/// What conditions and templates see of one event. Built once for an event, and shared by all rules.
///
/// A part that is `None`, and an empty string that a field calls optional, is absent: `has()` is false, and a condition
/// that uses it without asking is false with a reason. What no rule refers to need not be filled; see
/// [`Needs`](super::Needs).
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What happened.
    pub event: EventFields,
    /// The message of message.received, message.sent, message.failed and conversation.started.
    pub message: Option<MessageFields>,
    /// The customer.
    pub contact: Option<ContactFields>,
    /// The chat, as of the decision that this event is judged on.
    pub conversation: Option<ConversationFields>,
    /// The ticket of a ticket trigger, else the open primary.
    pub ticket: Option<TicketFields>,
    /// The business.
    pub workspace: WorkspaceFields,
    /// When this is judged.
    pub now: Time,
}

/// Who did something.
#[derive(Clone, Debug, Default)]
pub struct ActorFields {
    /// "customer", "bot", "automation", "agent" or "system".
    pub kind: String,
    /// Empty for a customer.
    pub id: String,
    /// Empty where none is known.
    pub name: String,
}

/// Who a conversation is assigned to; both empty for nobody.
#[derive(Clone, Debug, Default)]
pub struct AssigneeFields {
    /// The agent's id.
    pub agent: String,
    /// The team's id.
    pub team: String,
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct EventFields {
    /// The event's id.
    pub id: String,
    /// The trigger, for example "message.received".
    pub kind: String,
    /// When it was recorded.
    pub time: Time,
    /// When it happened, where that is known.
    pub occur_time: Option<Time>,
    /// Who did it.
    pub actor: ActorFields,
    /// Links from the start of the chain.
    pub depth: i64,
    /// Of tag.added and tag.removed.
    pub tag: String,
    /// The agent of agent.online and agent.offline.
    pub agent: String,
    /// Of conversation.assigned.
    pub assignee: AssigneeFields,
    /// Of message.failed: the channel's codes.
    pub error_codes: Vec<i64>,
    /// Of external events: the name.
    pub name: String,
    /// Of external events: the JSON.
    pub data: Option<serde_json::Value>,
}

/// What was said. Its words are sealed in the log: see [`Needs::words`](super::Needs::words).
#[derive(Clone, Debug, Default)]
pub struct MessageFields {
    /// Our id of the message, or the event's.
    pub id: String,
    /// The channel's own word: "text", "image", ….
    pub kind: String,
    /// Whether the customer wrote it.
    pub inbound: bool,
    /// The body, the caption or the title of the reply; empty where there are no words.
    pub text: String,
    /// Of media.
    pub mime_type: String,
    /// Of media.
    pub file_name: String,
    /// Whether it is a recorded voice message.
    pub voice: bool,
    /// Of a chosen button or row.
    pub reply_id: String,
    /// Of a chosen button or row.
    pub reply_title: String,
    /// The message that this one answers.
    pub reply_to: String,
    /// Whether it was forwarded.
    pub forwarded: bool,
    /// Latitude and longitude, in degrees.
    pub location: Option<(f64, f64)>,
}

/// The customer. Sealed in the log: see [`Needs::words`](super::Needs::words).
#[derive(Clone, Debug, Default)]
pub struct ContactFields {
    /// The address on the channel: a number, else the channel's user id.
    pub id: String,
    /// Empty where none is known.
    pub display_name: String,
    /// The channel's own user id.
    pub user_id: String,
    /// The channel's user name.
    pub username: String,
}

/// The chat. The first part is read off the last decision, [`HistoryFields`] from the view.
#[derive(Clone, Debug, Default)]
pub struct ConversationFields {
    /// Its id.
    pub id: String,
    /// The address of the business.
    pub channel: String,
    /// Sorted.
    pub tags: Vec<String>,
    /// Who holds it.
    pub assignee: AssigneeFields,
    /// Whether the bot was told to be silent.
    pub bot_paused: bool,
    /// Topics of the open tickets, the primary's first; as many as tickets are open.
    pub open_topics: Vec<String>,
    /// Tickets opened so far.
    pub ticket_count: i64,
    /// See [`Needs::history`](super::Needs::history).
    pub history: Option<HistoryFields>,
    /// The ticket that was closed last. See [`Needs::last_ticket`](super::Needs::last_ticket).
    pub last_ticket: Option<TicketFields>,
}

/// What was said before this event.
#[derive(Clone, Debug, Default)]
pub struct HistoryFields {
    /// Messages of the customer since an agent last wrote or marked the chat read.
    pub unread_count: i64,
    /// The newest message before this event.
    pub last_message: Option<LastMessageFields>,
    /// The older conversation that this one goes on from; empty for none.
    pub continues: String,
}

/// The newest message before this event.
#[derive(Clone, Debug, Default)]
pub struct LastMessageFields {
    /// When it took its place.
    pub time: Time,
    /// Who wrote it.
    pub actor: ActorFields,
    /// Whether the customer wrote it.
    pub inbound: bool,
}

/// A ticket.
#[derive(Clone, Debug, Default)]
pub struct TicketFields {
    /// Its id.
    pub id: String,
    /// Of a nested ticket; empty on a primary.
    pub primary_id: String,
    /// May be empty.
    pub topic: String,
    /// Who opened it.
    pub opened_by: ActorFields,
    /// When.
    pub open_time: Time,
    /// Unset while it is open.
    pub closed_by: Option<ActorFields>,
    /// Unset while it is open.
    pub close_time: Option<Time>,
    /// Now, or at closing.
    pub assignee: AssigneeFields,
    /// See [`Needs::ticket_metrics`](super::Needs::ticket_metrics).
    pub metrics: Option<MetricsFields>,
}

/// What is counted of a ticket.
#[derive(Clone, Debug, Default)]
pub struct MetricsFields {
    /// From the opening to the first message of an agent.
    pub first_response: Option<std::time::Duration>,
    /// From the opening to the first message of the bot.
    pub first_bot_response: Option<std::time::Duration>,
    /// Messages of the customer in the window.
    pub inbound_count: i64,
    /// Messages to the customer in the window.
    pub outbound_count: i64,
}

/// The business.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceFields {
    /// Its name.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// Whether `now` lies in business hours.
    pub open: bool,
    /// Whether `now` lies on a holiday.
    pub holiday: bool,
}
