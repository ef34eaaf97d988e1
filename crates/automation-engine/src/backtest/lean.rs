//! Reading an event without what no backtest looks at. Above all the remembered commands, which are most of a decision,
//! are stepped over.

use bytes::Bytes;
use prost::Message;
use proto::v1;
use proto::v1::event::Event as Kind;

/// As `v1::Event`, with fewer fields.
#[derive(Clone, PartialEq, Message)]
struct LeanEvent {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "3")]
    conversation: String,
    #[prost(message, optional, tag = "4")]
    actor: Option<v1::Actor>,
    #[prost(message, optional, tag = "5")]
    occur_time: Option<prost_types::Timestamp>,
    #[prost(message, optional, tag = "6")]
    record_time: Option<prost_types::Timestamp>,
    #[prost(string, tag = "8")]
    correlation_id: String,
    #[prost(uint32, tag = "9")]
    depth: u32,
    #[prost(string, tag = "10")]
    channel: String,
    #[prost(oneof = "LeanKind", tags = "16, 17, 19, 23, 24, 25")]
    event: Option<LeanKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum LeanKind {
    #[prost(message, tag = "16")]
    MessageReceived(v1::MessageReceived),
    #[prost(message, tag = "17")]
    MessageEchoed(v1::MessageEchoed),
    #[prost(message, tag = "19")]
    MessageStatusChanged(v1::MessageStatusChanged),
    #[prost(message, tag = "23")]
    ContactChanged(v1::ContactChanged),
    #[prost(message, tag = "24")]
    MessagesRead(v1::MessagesRead),
    #[prost(message, tag = "25")]
    Decided(Box<LeanDecided>),
}

/// As `v1::Decided`.
#[derive(Clone, PartialEq, Message)]
struct LeanDecided {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<v1::DecidedEntry>,
    #[prost(string, repeated, tag = "2")]
    tags_added: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    tags_removed: Vec<String>,
    #[prost(int32, tag = "4")]
    bot_change: i32,
    #[prost(message, repeated, tag = "5")]
    closed: Vec<v1::ClosedWindow>,
    #[prost(message, optional, tag = "6")]
    after: Option<LeanState>,
}

/// As `v1::ConversationState`, without `recent`.
#[derive(Clone, PartialEq, Message)]
struct LeanState {
    #[prost(message, repeated, tag = "1")]
    open: Vec<v1::OpenWindow>,
    #[prost(message, optional, tag = "2")]
    assignee: Option<v1::Assignee>,
    #[prost(bool, tag = "3")]
    bot_paused: bool,
    #[prost(string, repeated, tag = "4")]
    tags: Vec<String>,
    #[prost(uint64, tag = "5")]
    ticket_ordinal: u64,
    #[prost(uint64, tag = "6")]
    message_ordinal: u64,
    #[prost(message, optional, tag = "7")]
    last_stamp_time: Option<prost_types::Timestamp>,
}

/// Reads an event. Kinds that mean nothing to rules come without their content, and the workspace is left out.
///
/// # Errors
/// For what is no event.
pub(super) fn decode(payload: Bytes) -> Result<v1::Event, prost::DecodeError> {
    let lean = LeanEvent::decode(payload)?;
    Ok(v1::Event {
        id: lean.id,
        conversation: lean.conversation,
        actor: lean.actor,
        occur_time: lean.occur_time,
        record_time: lean.record_time,
        correlation_id: lean.correlation_id,
        depth: lean.depth,
        channel: lean.channel,
        event: lean.event.map(whole),
        ..v1::Event::default()
    })
}

fn whole(kind: LeanKind) -> Kind {
    match kind {
        LeanKind::MessageReceived(received) => Kind::MessageReceived(received),
        LeanKind::MessageEchoed(echoed) => Kind::MessageEchoed(echoed),
        LeanKind::MessageStatusChanged(changed) => Kind::MessageStatusChanged(changed),
        LeanKind::ContactChanged(changed) => Kind::ContactChanged(changed),
        LeanKind::MessagesRead(read) => Kind::MessagesRead(read),
        LeanKind::Decided(decided) => Kind::Decided(v1::Decided {
            entries: decided.entries,
            tags_added: decided.tags_added,
            tags_removed: decided.tags_removed,
            bot_change: decided.bot_change,
            closed: decided.closed,
            after: decided.after.map(|after| v1::ConversationState {
                open: after.open,
                assignee: after.assignee,
                bot_paused: after.bot_paused,
                tags: after.tags,
                ticket_ordinal: after.ticket_ordinal,
                message_ordinal: after.message_ordinal,
                last_stamp_time: after.last_stamp_time,
                recent: Vec::new(),
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_but_the_remembered_commands() {
        let stamp = v1::Stamp {
            actor: Some(v1::Actor { kind: 4, id: "ann".to_owned(), ..v1::Actor::default() }),
            kind: Some(v1::stamp::Kind::Closed(v1::TicketClosed { ticket_id: "c1-1".to_owned() })),
            ..v1::Stamp::default()
        };
        let window = v1::OpenWindow { ticket_id: "c1-2".to_owned(), open_revision: 7, ..v1::OpenWindow::default() };
        let state = v1::ConversationState {
            open: vec![window.clone()],
            assignee: Some(v1::Assignee { agent_id: "ann".to_owned(), team_id: "billing".to_owned() }),
            bot_paused: true,
            tags: vec!["vip".to_owned()],
            ticket_ordinal: 2,
            message_ordinal: 9,
            last_stamp_time: Some(prost_types::Timestamp { seconds: 5, nanos: 6 }),
            recent: vec![v1::RecentCommand { command: 1, ..Default::default() }; 64],
        };
        let decided = v1::Decided {
            entries: vec![v1::DecidedEntry { entry: Some(v1::decided_entry::Entry::Stamp(stamp)) }],
            tags_added: vec!["vip".to_owned()],
            tags_removed: vec!["new".to_owned()],
            bot_change: v1::decided::BotChange::Paused.into(),
            closed: vec![v1::ClosedWindow { window: Some(window), assignee: None }],
            after: Some(state),
        };
        let mut event = v1::Event {
            id: "e1".to_owned(),
            conversation: "c1".to_owned(),
            actor: Some(v1::Actor { kind: 4, id: "ann".to_owned(), ..v1::Actor::default() }),
            occur_time: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
            record_time: Some(prost_types::Timestamp { seconds: 3, nanos: 4 }),
            correlation_id: "e0".to_owned(),
            depth: 3,
            channel: "web:1".to_owned(),
            event: Some(Kind::Decided(decided)),
            ..v1::Event::default()
        };
        let read = decode(event.encode_to_vec().into()).unwrap();
        if let Some(Kind::Decided(decided)) = &mut event.event {
            decided.after.as_mut().unwrap().recent.clear();
        }
        assert_eq!(read, event);
        event.event = Some(Kind::MessageReceived(v1::MessageReceived {
            r#type: "text".to_owned(),
            sealed: Bytes::from_static(b"sealed"),
            names_contact: true,
        }));
        assert_eq!(decode(event.encode_to_vec().into()).unwrap(), event);
        assert!(decode(Bytes::from_static(b"\xff\xff")).is_err());
    }
}
