//! Old events stay readable for ever: the bytes of every kind of event, as this version first wrote them.
//!
//! A new kind gets a file by `THREADMARK_BLESS=1 cargo test -p proto`; a file that exists is never written again.

#![allow(clippy::unwrap_used)] // a test has nothing better to do

use std::path::PathBuf;

use prost::Message;
use proto::v1;
use proto::v1::event::Event as Kind;

fn bytes(text: &str) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(text.as_bytes())
}

fn time(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 5 })
}

fn actor(kind: v1::actor::Kind, id: &str) -> Option<v1::Actor> {
    Some(v1::Actor { kind: kind.into(), id: id.to_owned(), display_name: format!("{id}'s name") })
}

fn assignee() -> Option<v1::Assignee> {
    Some(v1::Assignee { agent_id: "ana".to_owned(), team_id: "billing".to_owned() })
}

fn event(actor: Option<v1::Actor>, kind: Kind) -> v1::Event {
    v1::Event {
        id: "0123456789abcdef".to_owned(),
        workspace: "acme".to_owned(),
        conversation: "c1".to_owned(),
        actor,
        occur_time: time(1_700_000_000),
        record_time: time(1_700_000_001),
        causation_id: "cause".to_owned(),
        correlation_id: "start".to_owned(),
        depth: 3,
        channel: "whatsapp:1".to_owned(),
        event: Some(kind),
    }
}

fn window() -> v1::OpenWindow {
    v1::OpenWindow {
        ticket_id: "c1-2".to_owned(),
        primary_id: "c1-1".to_owned(),
        topic: "refund".to_owned(),
        opened_by: actor(v1::actor::Kind::Bot, "bot"),
        open_time: time(1_700_000_000),
        open_revision: 7,
    }
}

fn stamp(kind: v1::stamp::Kind) -> v1::DecidedEntry {
    let stamp = v1::Stamp {
        actor: actor(v1::actor::Kind::Agent, "ana"),
        time: time(1_700_000_001),
        text: "words".to_owned(),
        kind: Some(kind),
    };
    v1::DecidedEntry { entry: Some(v1::decided_entry::Entry::Stamp(stamp)) }
}

fn decided() -> v1::Decided {
    use v1::decided_entry::Entry;
    use v1::stamp::Kind as Stamp;
    let message = v1::DecidedMessage { id: "c1-m1".to_owned(), r#type: "text".to_owned(), sealed: bytes("sealed") };
    let note = v1::DecidedNote { id: "c1-m2".to_owned(), sealed: bytes("sealed") };
    let opened =
        v1::TicketOpened { ticket_id: "c1-2".to_owned(), primary_id: "c1-1".to_owned(), topic: "refund".to_owned() };
    v1::Decided {
        entries: vec![
            stamp(Stamp::Opened(opened)),
            stamp(Stamp::Closed(v1::TicketClosed { ticket_id: "c1-2".to_owned() })),
            stamp(Stamp::Assigned(v1::ConversationAssigned { assignee: assignee() })),
            stamp(Stamp::Unassigned(v1::ConversationUnassigned {})),
            v1::DecidedEntry { entry: Some(Entry::Message(message)) },
            v1::DecidedEntry { entry: Some(Entry::Note(note)) },
        ],
        tags_added: vec!["vip".to_owned()],
        tags_removed: vec!["new".to_owned()],
        bot_change: v1::decided::BotChange::Paused.into(),
        closed: vec![v1::ClosedWindow { window: Some(window()), assignee: assignee() }],
        after: Some(v1::ConversationState {
            open: vec![window()],
            assignee: assignee(),
            bot_paused: true,
            tags: vec!["vip".to_owned()],
            ticket_ordinal: 2,
            message_ordinal: 2,
            last_stamp_time: time(1_700_000_001),
            recent: vec![v1::RecentCommand { command: 1, digest: 2, revision: 3, causation: 4 }],
        }),
    }
}

/// One of every kind, with every field set.
fn examples() -> Vec<v1::Event> {
    use v1::actor::Kind as Who;
    let (target_ref, sealed) = ("fedcba9876543210".to_owned(), bytes("sealed"));
    let (inbound, outbound) = (v1::Direction::Inbound.into(), v1::Direction::Outbound.into());
    let text = || "text".to_owned();
    let customer = || Some(v1::Actor { kind: Who::Customer.into(), ..v1::Actor::default() });
    let received = v1::MessageReceived { r#type: text(), sealed: sealed.clone(), names_contact: true };
    let echoed = v1::MessageEchoed { r#type: text(), sealed: sealed.clone() };
    let backfilled = v1::MessageBackfilled { direction: outbound, r#type: text(), sealed: sealed.clone() };
    let status = v1::MessageStatusChanged {
        message_ref: target_ref.clone(),
        message_id: "c1-m1".to_owned(),
        status: v1::MessageStatus::Failed.into(),
        sealed: sealed.clone(),
        error_codes: vec![131_026],
    };
    let reaction = v1::ReactionChanged {
        target_ref: target_ref.clone(),
        removed: true,
        direction: inbound,
        sealed: sealed.clone(),
        backfilled: true,
    };
    let edited = v1::MessageEdited {
        target_ref: target_ref.clone(),
        r#type: text(),
        direction: inbound,
        sealed: sealed.clone(),
    };
    let revoked = v1::MessageRevoked { target_ref, direction: inbound, sealed: sealed.clone() };
    let contact = v1::ContactChanged {
        continues: "c0".to_owned(),
        r#type: "user_changed_number".to_owned(),
        sealed,
        names_contact: true,
    };
    vec![
        event(customer(), Kind::MessageReceived(received)),
        event(actor(Who::Agent, "phone"), Kind::MessageEchoed(echoed)),
        event(customer(), Kind::MessageBackfilled(backfilled)),
        event(actor(Who::System, "channel"), Kind::MessageStatusChanged(status)),
        event(customer(), Kind::ReactionChanged(reaction)),
        event(customer(), Kind::MessageEdited(edited)),
        event(customer(), Kind::MessageRevoked(revoked)),
        event(customer(), Kind::ContactChanged(contact)),
        event(actor(Who::Agent, "ana"), Kind::MessagesRead(v1::MessagesRead { through_revision: 9 })),
        event(actor(Who::Automation, "rule"), Kind::Decided(decided())),
        event(actor(Who::Agent, "ana"), Kind::ContactErased(v1::ContactErased {})),
    ]
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.v1.hex"))
}

#[test]
fn every_kind_of_event_reads_and_writes_as_it_first_did() {
    for event in examples() {
        let name = proto::event_name(event.event.as_ref().unwrap());
        let hex: String = event.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
        if !golden(name).exists() && std::env::var_os("THREADMARK_BLESS").is_some() {
            std::fs::write(golden(name), format!("{hex}\n")).unwrap();
        }
        let stored = std::fs::read_to_string(golden(name))
            .unwrap_or_else(|_| panic!("{name} has no golden bytes: THREADMARK_BLESS=1 cargo test -p proto"));
        assert_eq!(stored.trim(), hex, "{name} is written differently");
        let stored: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&stored[at..at + 2], 16).unwrap()).collect();
        assert_eq!(v1::Event::decode(stored.as_slice()).unwrap(), event, "{name} is read differently");
    }
}
