//! W9: folding is total. No sequence of entries breaks it, and what it leaves behind can be decided upon.

use std::collections::BTreeSet;

use conversation::{
    Actor, Assignee, ConversationId, Entry, MessageId, Stamp, StampKind, State, TicketId, Time, evolve,
};
use proptest::prelude::*;

use crate::chat::{Chat, agent_named, ann, ben, bot, close_all, customer, note, open, rule, say, system};

fn actor() -> impl Strategy<Value = Actor> {
    prop::sample::select(vec![ann(), ben(), bot(), rule(), customer(), system()])
}

/// Ids of this conversation, of another one, and such as no conversation gives.
fn ticket() -> impl Strategy<Value = TicketId> {
    prop_oneof![
        8 => (0_u64..8).prop_map(|ordinal| TicketId::new(format!("c-{ordinal}"))),
        1 => (0_u64..8).prop_map(|ordinal| TicketId::new(format!("other-{ordinal}"))),
        1 => prop::sample::select(vec!["", "c", "c-", "-1", "c-01", "c-x", "c-99999999999999999999"])
            .prop_map(TicketId::new),
    ]
}

fn kind() -> impl Strategy<Value = StampKind> {
    prop_oneof![
        4 => (ticket(), prop::option::of(ticket()))
            .prop_map(|(ticket, primary)| StampKind::Opened { ticket, primary, topic: String::new() }),
        3 => ticket().prop_map(|ticket| StampKind::Closed { ticket }),
        1 => Just(StampKind::Assigned { assignee: agent_named("ann") }),
        1 => Just(StampKind::Assigned { assignee: Assignee::Team(String::new()) }),
        1 => Just(StampKind::Unassigned),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let time = prop_oneof![8 => 0_i64..100, 1 => Just(i64::MIN), 1 => Just(i64::MAX)].prop_map(Time);
    let stamp = (actor(), time, kind()).prop_map(|(actor, time, kind)| Entry::Stamp(Stamp { actor, time, kind }));
    let message = Just(Entry::Message { id: MessageId::new("c-m1"), kind: String::new(), sealed: Vec::new() });
    let note = Just(Entry::Note { id: MessageId::new(""), sealed: Vec::new() });
    prop_oneof![8 => stamp, 1 => message, 1 => note]
}

fn fold(entries: &[Entry]) -> State {
    let mut state = State::new(ConversationId::parse("c").unwrap());
    for entry in entries {
        evolve(&mut state, entry);
        check_sane(&state);
    }
    state
}

/// What section 2 never allows, whatever was folded.
fn check_sane(state: &State) {
    let ids: BTreeSet<_> = state.open.iter().map(|ticket| &ticket.id).collect();
    assert_eq!(ids.len(), state.open.len(), "a ticket is open twice");
    let mut open = state.open.iter();
    let primary = open.next();
    assert!(primary.is_none_or(|primary| primary.primary.is_none()), "the oldest open ticket is no primary");
    for nested in open {
        assert_eq!(nested.primary.as_ref(), primary.map(|primary| &primary.id), "a nested one without its primary");
    }
}

fn latest_stamp(entries: &[Entry]) -> Option<Time> {
    let times = entries.iter().filter_map(|entry| match entry {
        Entry::Stamp(stamp) => Some(stamp.time),
        Entry::Message { .. } | Entry::Note { .. } => None,
    });
    times.max()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn w9_no_sequence_of_entries_breaks_the_state(entries in prop::collection::vec(entry(), 0..40)) {
        let state = fold(&entries);
        prop_assert_eq!(state.last_stamp_time, latest_stamp(&entries));
    }

    #[test]
    fn w9_whatever_was_folded_can_be_decided_upon(entries in prop::collection::vec(entry(), 0..40)) {
        let mut chat = Chat::new();
        chat.state = fold(&entries);
        let open_before = chat.state.open.len();
        chat.given(rule(), [open(), say(), note()]);
        prop_assert_eq!(chat.state.open.len(), open_before + 1, "a new ticket has an id of its own");
        check_sane(&chat.state);
        let closed = chat.when(ann(), [close_all()]).decision().closed;
        prop_assert_eq!(closed.len(), open_before + 1);
        prop_assert!(closed[open_before].ticket.primary.is_none(), "the primary closes last");
        prop_assert!(chat.state.open.is_empty());
    }
}

#[test]
fn w9_counts_at_their_end_do_not_overflow() {
    let mut chat = Chat::new();
    chat.state.ticket_ordinal = u64::MAX;
    chat.state.message_ordinal = u64::MAX;
    chat.when(rule(), [open(), say(), note()]).decision();
    assert_eq!((chat.state.ticket_ordinal, chat.state.message_ordinal), (u64::MAX, u64::MAX));
}

#[test]
fn w9_a_decision_carries_the_state_that_its_entries_fold_to() {
    let mut chat = Chat::new();
    let mut folded = chat.state.clone();
    let commands = [(bot(), vec![open(), say()]), (ann(), vec![say(), open(), note()]), (ann(), vec![close_all()])];
    for (actor, actions) in commands {
        for entry in &chat.when(actor, actions).decision().entries {
            evolve(&mut folded, entry);
        }
    }
    assert_eq!(folded.open, chat.state.open);
    assert_eq!((folded.assignee, folded.last_stamp_time), (chat.state.assignee, chat.state.last_stamp_time));
    assert_eq!((folded.ticket_ordinal, folded.message_ordinal), (2, 3));
}
