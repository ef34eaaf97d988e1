//! Every row against the oracle's reading of the same history, and the indexes against the rows.

use std::collections::{BTreeMap, BTreeSet};

use conversation::{Basis, Period, Time};
use oracle::{Line, Metrics, Shown, Span, Window};
use prost::Message as _;

use super::folded::{Cut, Folded, key};
use super::log::{Log, WORKSPACE};
use super::random::{Random, history};
use super::translate::{translate, wire_actor, wire_assignee};
use crate::view::counters::{Count, Counters, Series};
use crate::view::keys::{self, Place, ShortDigest, TicketKey, WorkspaceKey, table};
use crate::view::rows::{ConversationRow, EntryKind, EntryRow, TicketRow, WindowRow, ticket_id};

const HISTORIES: u64 = 60;

#[test]
fn the_view_of_random_histories_is_that_of_the_oracle() {
    for seed in 0..HISTORIES {
        let log = history(seed, 150);
        let mut random = Random(seed);
        let folded = Folded::empty(crate::store::Engine::Fjall);
        folded.fold(&log.events, |_| if random.below(9) == 0 { Cut::Batch } else { Cut::None });
        let expected = oracle::read(&translate(&log.events));
        for (chat, expected) in &expected.conversations {
            check_conversation(&folded, chat, expected, seed);
        }
        check_counts(&folded, &expected, seed);
        check_indexes(&folded, seed);
        check_unread(&folded, &log, seed);
    }
}

fn check_conversation(folded: &Folded, chat: &str, expected: &oracle::Conversation, seed: u64) {
    let row = folded.conversation(chat);
    assert_eq!(row.assignee.as_ref().map(wire_assignee), expected.assignee, "{seed} {chat}");
    assert_eq!(row.tags, expected.tags.iter().cloned().collect::<Vec<_>>(), "{seed} {chat}");
    assert_eq!(row.bot_paused, expected.bot_paused, "{seed} {chat}");
    let open: Vec<String> = row.open.iter().map(|open| row.ticket_id(open.ordinal)).collect();
    assert_eq!(open, expected.open, "{seed} {chat}");
    assert_eq!(row.last_entry_time, expected.last_entry_time, "{seed} {chat}");
    assert_eq!(row.revision, expected.revision, "{seed} {chat}");
    let lines: Vec<Line> =
        folded.timeline(chat).iter().filter(|(_, entry)| !entry.hidden).map(|line| show(chat, line)).collect();
    assert_eq!(lines, expected.timeline, "{seed} {chat}");
    for window in &expected.windows {
        assert_eq!(show_window(&folded.ticket(&window.id)), *window, "{seed}");
    }
    assert_eq!(folded.rows(&keys::windows_prefix(key(chat))).len(), expected.windows.len(), "{seed} {chat}");
}

fn show(chat: &str, (place, entry): &(Place, EntryRow)) -> Line {
    let id = entry.id.clone();
    let shown = match entry.kind() {
        EntryKind::Received => Shown::Inbound(id),
        EntryKind::Backfilled if entry.direction() == proto::v1::Direction::Inbound => Shown::Inbound(id),
        EntryKind::Echoed | EntryKind::Backfilled | EntryKind::Decided => Shown::Outbound(id),
        EntryKind::Note => Shown::Note(id),
        EntryKind::Stamp => Shown::Stamp(show_stamp(entry)),
        _ => Shown::Other(id),
    };
    Line {
        revision: place.revision,
        index: place.index,
        time: place.time.0,
        late: entry.late,
        tickets: entry.tickets.iter().map(|ordinal| ticket_id(chat, *ordinal)).collect(),
        shown,
    }
}

fn show_stamp(entry: &EntryRow) -> oracle::Stamp {
    use oracle::Mark;
    use proto::v1::stamp::Kind;
    let stamp = entry.stamp.as_ref().unwrap();
    let mark = match stamp.kind.as_ref().unwrap() {
        Kind::Opened(opened) => Mark::Opened {
            ticket: opened.ticket_id.clone(),
            primary: Some(opened.primary_id.clone()).filter(|id| !id.is_empty()),
            topic: opened.topic.clone(),
        },
        Kind::Closed(closed) => Mark::Closed { ticket: closed.ticket_id.clone() },
        Kind::Assigned(assigned) => Mark::Assigned(wire_assignee(assigned.assignee.as_ref().unwrap())),
        Kind::Unassigned(_) => Mark::Unassigned,
    };
    let time = stamp.time.as_ref().and_then(proto::time).unwrap().0;
    oracle::Stamp { actor: wire_actor(stamp.actor.as_ref().unwrap()), time, mark }
}

fn show_window(row: &TicketRow) -> Window {
    let chat = &row.conversation;
    let nanos = |nanos: u64| i64::try_from(nanos).unwrap();
    Window {
        id: ticket_id(chat, row.ordinal),
        conversation: chat.clone(),
        primary: row.nested().then(|| ticket_id(chat, row.primary)),
        topic: row.topic.clone(),
        opener: wire_actor(row.opened_by.as_ref().unwrap()),
        closer: row.closed_by.as_ref().map(wire_actor),
        open_time: row.open_time,
        close_time: row.close_time,
        open_revision: row.open_revision,
        close_revision: Some(row.close_revision).filter(|revision| *revision > 0),
        assignee: row.assignee.as_ref().map(wire_assignee),
        assignments: row.assignments.iter().map(show_span).collect(),
        metrics: Metrics {
            first_response: row.first_response.map(nanos),
            first_bot_response: row.first_bot_response.map(nanos),
            resolution: row.resolution().map(nanos),
            inbound_count: row.inbound_count,
            outbound_count: row.outbound_count,
        },
    }
}

fn show_span(span: &crate::view::rows::SpanRow) -> Span {
    Span {
        assignee: wire_assignee(span.assignee.as_ref().unwrap()),
        actor: wire_actor(span.actor.as_ref().unwrap()),
        start: span.start_time,
        end: span.end_time,
    }
}

fn check_counts(folded: &Folded, expected: &oracle::View, seed: u64) {
    let counters = Counters::new(&*folded.store, WorkspaceKey::of(WORKSPACE));
    let times: Vec<i64> =
        expected.windows().flat_map(|window| [Some(window.open_time), window.close_time]).flatten().collect();
    let mut random = Random(seed);
    for _ in 0..if times.is_empty() { 0 } else { 40 } {
        let mut instant = || random.pick(&times) + random.pick(&[0, 0, 1, -1, 1_000_000_000, -86_400_000_000_000]);
        let (a, b) = (instant(), instant());
        let (start, end) = (a.min(b), a.max(b));
        for (basis, of) in [
            (Basis::Opened, oracle::Basis::Opened),
            (Basis::Closed, oracle::Basis::Closed),
            (Basis::OpenDuring, oracle::Basis::OpenDuring),
        ] {
            let period = Period { start: Time(start), end: Time(end) };
            let got = counters.count(Series::total(), basis, period, None).unwrap();
            let want = expected.count(of, start, end);
            assert_eq!(
                got,
                Count { primary: want.primary as i64, nested: want.nested as i64 },
                "{seed} {basis:?} {period:?}"
            );
        }
    }
}

/// Each index has exactly the rows that the tickets, conversations and entries ask for.
fn check_indexes(folded: &Folded, seed: u64) {
    let mut want: BTreeMap<u8, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let workspace = WorkspaceKey::of(WORKSPACE);
    for (row_key, row) in folded.rows(&[table::TICKETS]) {
        let at = keys::index_parts(&row_key).unwrap();
        let row = TicketRow::decode(&row[..]).unwrap();
        let ticket = TicketKey { workspace, open_time: at.time, conversation: at.conversation, ordinal: at.ordinal };
        assert_eq!((row.open_time, row.ordinal, key(&row.conversation)), (at.time.0, at.ordinal, at.conversation));
        let topic = ShortDigest::of(&row.topic);
        let mut by_topic = |of, time| {
            want.entry(table::BY_TOPIC).or_default().insert(ticket.by_topic(of, topic, Time(time)));
        };
        by_topic(table::TICKETS, row.open_time);
        row.close_time.into_iter().for_each(|close| by_topic(table::BY_CLOSE, close));
        match row.close_time {
            Some(close) => {
                assert_eq!(folded.row(&ticket.by_close(Time(close))), Some(row.clone()));
                want.entry(table::BY_CLOSE).or_default().insert(ticket.by_close(Time(close)))
            }
            None => want.entry(table::OPEN_NOW).or_default().insert(ticket.open_now()),
        };
        want.entry(table::BY_CHANGE).or_default().insert(ticket.by_change(row.change_revision));
        let window: WindowRow = folded.row(&keys::window(at.conversation, at.ordinal)).unwrap();
        assert_eq!((window.open_time, window.close_time, window.nested), (row.open_time, row.close_time, row.nested()));
    }
    for (_, row) in folded.rows(&[table::CONVERSATION]) {
        let row = ConversationRow::decode(&row[..]).unwrap();
        let activity = keys::activity(workspace, row.held(), row.activity_time(), key(&row.id));
        want.entry(table::ACTIVITY).or_default().insert(activity);
        for (place, entry) in folded.timeline(&row.id) {
            let changed = if entry.change_revision > 0 { entry.change_revision } else { place.revision };
            if entry.change_revision > 0 || (entry.late && !entry.hidden) {
                want.entry(table::CHANGES).or_default().insert(keys::change(key(&row.id), changed, place.index));
            }
        }
    }
    for of in [table::BY_CLOSE, table::OPEN_NOW, table::BY_TOPIC, table::BY_CHANGE, table::ACTIVITY, table::CHANGES] {
        let got: BTreeSet<Vec<u8>> = folded.rows(&[of]).into_iter().map(|(key, _)| key).collect();
        assert_eq!(got, want.remove(&of).unwrap_or_default(), "{seed} {}", char::from(of));
    }
}

/// Counted from the events one by one.
fn check_unread(folded: &Folded, log: &Log, seed: u64) {
    use proto::v1::event::Event as Wire;
    let mut seen = BTreeSet::new();
    let mut chats: BTreeMap<&str, (u64, Vec<u64>)> = BTreeMap::new();
    for (revision, event) in log.events.iter().filter(|(_, event)| seen.insert(&event.id)) {
        let (read, inbound) = chats.entry(&event.conversation).or_default();
        let time = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(proto::time).unwrap();
        let live = !conversation::is_late(time(&event.occur_time), time(&event.record_time), false);
        let by_agent = event.actor.as_ref().unwrap().kind() == proto::v1::actor::Kind::Agent;
        match event.event.as_ref().unwrap() {
            Wire::MessageReceived(_) if live => inbound.push(*revision),
            Wire::MessageEchoed(_) if live => *read = *revision,
            Wire::Decided(decided) if by_agent => {
                let wrote = |entry: &proto::v1::DecidedEntry| {
                    matches!(entry.entry, Some(proto::v1::decided_entry::Entry::Message(_)))
                };
                if decided.entries.iter().any(wrote) {
                    *read = *revision;
                }
            }
            Wire::MessagesRead(mark) => {
                let through = if mark.through_revision == 0 { *revision } else { mark.through_revision as u64 };
                *read = (*read).max(through.min(*revision));
            }
            _ => {}
        }
    }
    for (chat, (read, inbound)) in chats {
        let unread = inbound.iter().filter(|revision| **revision > read).count();
        assert_eq!(folded.conversation(chat).unread_count as usize, unread, "{seed} {chat}");
    }
}
