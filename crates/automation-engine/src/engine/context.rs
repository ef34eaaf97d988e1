//! From what was loaded to what conditions and texts see. Pure.

use std::time::Duration;

use conversation::{OpenTicket, Revision, State, Time};
use proto::v1;

use super::happening::{Happening, actor, assignee};
use crate::condition::{
    ActorFields, AssigneeFields, ContactFields, Context, ConversationFields, HistoryFields, LastMessageFields,
    MessageFields, MetricsFields, TicketFields, WorkspaceFields,
};

/// What is known of the conversation when something is judged. What nobody needs is not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The words of the happening's message, unsealed.
    pub(crate) words: Option<v1::Message>,
    pub(crate) contact: Option<v1::Contact>,
    pub(crate) history: Option<HistoryFields>,
    pub(crate) last_ticket: Option<TicketFields>,
    pub(crate) metrics: Option<MetricsFields>,
}

/// What conditions and texts see.
pub(crate) fn context(
    happening: &Happening,
    state: Option<&State>,
    facts: &Facts,
    workspace: WorkspaceFields,
    now: Time,
) -> Context {
    Context {
        event: happening.fields(),
        message: message(happening, facts.words.as_ref()),
        contact: facts.contact.as_ref().map(contact),
        conversation: happening.conversation.is_some().then(|| conversation(happening, state, facts)),
        ticket: ticket(happening, state).map(|ticket| TicketFields { metrics: facts.metrics.clone(), ..ticket }),
        workspace,
        now,
    }
}

/// The id of the ticket that conditions see: the trigger's, else the open primary's.
pub(crate) fn ticket_id(happening: &Happening, state: Option<&State>) -> Option<String> {
    if !happening.ticket.is_empty() {
        return Some(happening.ticket.clone());
    }
    state?.primary().map(|primary| primary.id.as_str().to_owned())
}

fn message(happening: &Happening, words: Option<&v1::Message>) -> Option<MessageFields> {
    let said = happening.message.as_ref()?;
    let words = words.cloned().unwrap_or_default();
    let media = words.media.unwrap_or_default();
    let reply = words.reply.unwrap_or_default();
    Some(MessageFields {
        id: said.id.clone(),
        kind: said.kind.clone(),
        inbound: said.inbound,
        text: words.text,
        mime_type: media.mime_type,
        file_name: media.file_name,
        voice: media.voice,
        reply_id: reply.id,
        reply_title: reply.title,
        reply_to: words.reply_to,
        forwarded: words.forwarded,
        location: words.location.map(|location| (location.latitude, location.longitude)),
    })
}

fn contact(contact: &v1::Contact) -> ContactFields {
    ContactFields {
        id: contact.id.clone(),
        display_name: contact.display_name.clone(),
        user_id: contact.user_id.clone(),
        username: contact.username.clone(),
    }
}

fn conversation(happening: &Happening, state: Option<&State>, facts: &Facts) -> ConversationFields {
    let id = happening.conversation.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
    let fields = ConversationFields {
        id,
        channel: happening.channel.clone(),
        history: facts.history.clone(),
        last_ticket: facts.last_ticket.clone(),
        ..ConversationFields::default()
    };
    let Some(state) = state else { return fields };
    ConversationFields {
        tags: state.tags.iter().cloned().collect(),
        assignee: held_by(state),
        bot_paused: state.bot_paused,
        open_topics: state.open.iter().map(|ticket| ticket.topic.clone()).collect(),
        ticket_count: i64::try_from(state.ticket_ordinal).unwrap_or(i64::MAX),
        ..fields
    }
}

fn held_by(state: &State) -> AssigneeFields {
    let assignee = state.assignee.as_ref();
    AssigneeFields {
        agent: assignee.and_then(|assignee| assignee.agent()).unwrap_or_default().to_owned(),
        team: assignee.and_then(|assignee| assignee.team()).unwrap_or_default().to_owned(),
    }
}

/// As it stands open, else as the event tells of it.
fn ticket(happening: &Happening, state: Option<&State>) -> Option<TicketFields> {
    let id = ticket_id(happening, state)?;
    let open = state.and_then(|state| Some((state, state.open.iter().find(|ticket| ticket.id.as_str() == id)?)));
    match open {
        Some((state, open)) => Some(TicketFields { assignee: held_by(state), ..open_ticket(open) }),
        None => happening.ticket_told.clone(),
    }
}

fn open_ticket(ticket: &OpenTicket) -> TicketFields {
    TicketFields {
        id: ticket.id.as_str().to_owned(),
        primary_id: ticket.primary.as_ref().map(|primary| primary.as_str().to_owned()).unwrap_or_default(),
        topic: ticket.topic.clone(),
        opened_by: actor(Some(&proto::actor_to(&ticket.opened_by))),
        open_time: ticket.open_time,
        ..TicketFields::default()
    }
}

/// A ticket as the view knows it.
pub(crate) fn ticket_of_view(ticket: &v1::Ticket) -> TicketFields {
    let time = |time: Option<&prost_types::Timestamp>| time.and_then(proto::time);
    TicketFields {
        id: ticket.id.clone(),
        primary_id: ticket.primary_id.clone(),
        topic: ticket.topic.clone(),
        opened_by: actor(ticket.opened_by.as_ref()),
        open_time: time(ticket.open_time.as_ref()).unwrap_or_default(),
        closed_by: ticket.closed_by.as_ref().map(|by| actor(Some(by))),
        close_time: time(ticket.close_time.as_ref()),
        assignee: assignee(ticket.assignee.as_ref()),
        metrics: ticket.metrics.as_ref().map(metrics),
    }
}

fn metrics(metrics: &v1::TicketMetrics) -> MetricsFields {
    let span = |span: Option<&prost_types::Duration>| {
        let span = span?;
        Some(Duration::new(u64::try_from(span.seconds).ok()?, u32::try_from(span.nanos).ok()?))
    };
    MetricsFields {
        first_response: span(metrics.first_response.as_ref()),
        first_bot_response: span(metrics.first_bot_response.as_ref()),
        inbound_count: i64::from(metrics.inbound_count),
        outbound_count: i64::from(metrics.outbound_count),
    }
}

/// What was said before an event: from the conversation as the view knows it, and the newest entries of its chat.
pub(crate) fn history(
    conversation: &v1::Conversation,
    newest: &[v1::TimelineEntry],
    before: Revision,
) -> HistoryFields {
    let earlier =
        newest.iter().filter(|entry| before == 0 || u64::try_from(entry.revision).is_ok_and(|at| at < before));
    let last = earlier.filter_map(|entry| match &entry.entry {
        Some(v1::timeline_entry::Entry::Message(message)) => Some((entry, message)),
        _ => None,
    });
    HistoryFields {
        unread_count: i64::from(conversation.unread_count),
        last_message: last.take(1).next().map(|(entry, message)| LastMessageFields {
            time: entry.time.as_ref().and_then(proto::time).unwrap_or_default(),
            actor: message.actor.as_ref().map_or_else(ActorFields::default, |by| actor(Some(by))),
            inbound: message.direction() == v1::Direction::Inbound,
        }),
        continues: conversation.continues.clone(),
    }
}
