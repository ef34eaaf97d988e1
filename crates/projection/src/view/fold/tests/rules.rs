//! The rules of the window as the view shows them.

use conversation::{Action, ActorKind, Assignee, Time, Which};
use proto::v1;
use proto::v1::event::Event as Kind;

use super::folded::Folded;
use super::log::{Log, SECOND, WORKSPACE, agent, assign, bot, close, open, say, sealed};

const CHAT: &str = "chat";

fn seconds(count: i64) -> Time {
    Time(count * SECOND)
}

fn nanos(count: u64) -> u64 {
    count * 1_000_000_000
}

#[test]
fn w7_an_entry_lies_in_the_windows_open_at_its_place() {
    let mut log = Log::new();
    let before = log.at(0).received(CHAT, "before");
    log.at(10).decide(CHAT, agent("ann"), vec![open("a")]).unwrap();
    let inside = log.at(20).received(CHAT, "inside");
    log.at(30).decide(CHAT, agent("ann"), vec![open("b")]).unwrap();
    let nested = log.at(40).received(CHAT, "nested");
    log.at(50).decide(CHAT, agent("ann"), vec![Action::CloseTicket(Which::All)]).unwrap();
    let after = log.at(60).received(CHAT, "after");
    let folded = Folded::of(&log.events);
    for (revision, tickets) in [(before, vec![]), (inside, vec![1]), (nested, vec![1, 2]), (after, vec![])] {
        assert_eq!(folded.entry(CHAT, revision).tickets, tickets, "revision {revision}");
    }
}

#[test]
fn w7_entries_inside_a_decision_see_the_windows_as_of_their_index() {
    let mut log = Log::new();
    log.at(0).received(CHAT, "hello");
    let opened = log.at(1).decide(CHAT, agent("ann"), vec![open("a"), open("b"), say("hi")]).unwrap();
    let closed = log.at(2).decide(CHAT, agent("ann"), vec![Action::CloseTicket(Which::All)]).unwrap();
    let folded = Folded::of(&log.events);
    let tickets = |revision, index| folded.entry_at(CHAT, revision, index).tickets;
    // Opened, opened, assigned by writing, the message.
    assert_eq!(
        (0..4).map(|index| tickets(opened, index)).collect::<Vec<_>>(),
        [vec![1], vec![1, 2], vec![1, 2], vec![1, 2]]
    );
    // The nested one closes first, then its primary; "Unassigned" follows the last and lies in none.
    assert_eq!((0..3).map(|index| tickets(closed, index)).collect::<Vec<_>>(), [vec![1, 2], vec![1], vec![]]);
}

#[test]
fn w7_a_late_entry_lies_where_it_happened_and_outside_every_metric() {
    let mut log = Log::new();
    log.at(0).received(CHAT, "hello");
    log.at(100).decide(CHAT, agent("ann"), vec![open("a")]).unwrap();
    log.at(200).decide(CHAT, agent("ann"), vec![close()]).unwrap();
    let late = log.at(1_000).received_at(CHAT, "late", seconds(150));
    let at_close = log.at(1_000).received_at(CHAT, "at close", seconds(200));
    let live = log.at(1_000).received_at(CHAT, "live", seconds(700));
    let folded = Folded::of(&log.events);
    let entry = folded.entry(CHAT, late);
    assert_eq!((entry.late, entry.tickets), (true, vec![1]));
    assert_eq!(folded.entry(CHAT, at_close).tickets, Vec::<u64>::new());
    assert!(!folded.entry(CHAT, live).late, "five minutes are not more than five minutes");
    assert_eq!(folded.ticket("chat-1").inbound_count, 0);
    assert_eq!(folded.conversation(CHAT).unread_count, 2, "the first and the live one");
    let order: Vec<u64> = folded.timeline(CHAT).iter().map(|(place, _)| place.revision).collect();
    assert_eq!(order, [1, 2, late, 3, at_close, live]);
}

#[test]
fn w7_backfilled_is_late_and_the_future_is_live() {
    let mut log = Log::new();
    log.at(1_000).decide(CHAT, agent("ann"), vec![open("a")]).unwrap();
    let filled = |direction: v1::Direction| {
        Kind::MessageBackfilled(v1::MessageBackfilled {
            direction: direction.into(),
            sealed: sealed("x"),
            ..Default::default()
        })
    };
    let now = log.now;
    let recent = log.fact(CHAT, "recent", ActorKind::Customer, now, filled(v1::Direction::Inbound));
    let future = log.received_at(CHAT, "future", seconds(9_999));
    let folded = Folded::of(&log.events);
    assert!(folded.entry(CHAT, recent).late);
    assert!(!folded.entry(CHAT, future).late);
    assert_eq!(folded.conversation(CHAT).last_entry_time, Some(seconds(1_000).0));
    assert_eq!(folded.ticket("chat-1").inbound_count, 1);
}

#[test]
fn w7_place_times_of_live_entries_never_go_back() {
    let mut log = Log::new();
    let first = log.at(100).received(CHAT, "first");
    let second = log.at(90).received(CHAT, "second");
    let folded = Folded::of(&log.events);
    let places: Vec<_> = folded.timeline(CHAT).iter().map(|(place, _)| (place.time, place.revision)).collect();
    assert_eq!(places, [(seconds(100), first), (seconds(100), second)]);
}

#[test]
fn w7_a_stamp_by_a_slow_clock_puts_late_entries_right() {
    let mut log = Log::new();
    log.at(0).decide(CHAT, agent("ann"), vec![open("a")]).unwrap();
    // Recorded by a clock that is a minute ahead of the one that closes and opens.
    let late = log.at(1_000).received_at(CHAT, "late", seconds(650));
    log.at(600).decide(CHAT, agent("ann"), vec![close()]).unwrap();
    let closed = Folded::of(&log.events).entry(CHAT, late).tickets;
    log.at(640).decide(CHAT, agent("ann"), vec![open("b")]).unwrap();
    let opened = Folded::of(&log.events).entry(CHAT, late).tickets;
    assert_eq!((closed, opened), (vec![], vec![2]));
}

#[test]
fn metrics_measure_live_messages_inside_the_window() {
    let mut log = Log::new();
    log.at(0).received(CHAT, "before");
    log.at(10).decide(CHAT, bot(), vec![say("hm"), open("a"), say("a human will come")]).unwrap();
    log.at(20).received(CHAT, "inside");
    log.at(25).decide(CHAT, Actor::rule(), vec![say("we close at six")]).unwrap();
    log.at(30).echoed(CHAT, "echo");
    log.at(40).decide(CHAT, agent("ann"), vec![say("hi")]).unwrap();
    log.at(70).decide(CHAT, agent("ann"), vec![close()]).unwrap();
    let ticket = Folded::of(&log.events).ticket("chat-1");
    assert_eq!((ticket.inbound_count, ticket.outbound_count), (1, 4));
    assert_eq!(ticket.first_response, Some(nanos(20)), "an echo is a human speaking");
    assert_eq!(ticket.first_bot_response, Some(nanos(0)));
    assert_eq!(ticket.resolution(), Some(nanos(60)));
}

#[test]
fn w6_assignments_are_spans_inside_the_window() {
    let mut log = Log::new();
    log.at(0).decide(CHAT, agent("ann"), vec![assign("bob")]).unwrap();
    log.at(10).decide(CHAT, agent("cat"), vec![open("a")]).unwrap();
    log.at(20).decide(CHAT, agent("cat"), vec![assign("dan")]).unwrap();
    log.at(30).decide(CHAT, agent("cat"), vec![Action::Unassign]).unwrap();
    log.at(40).decide(CHAT, agent("cat"), vec![Action::Assign(Assignee::Team("t".into()))]).unwrap();
    log.at(50).decide(CHAT, agent("cat"), vec![close()]).unwrap();
    let folded = Folded::of(&log.events);
    let ticket = folded.ticket("chat-1");
    let spans: Vec<_> = ticket
        .assignments
        .iter()
        .map(|span| {
            let assignee = span.assignee.clone().unwrap();
            let by = span.actor.clone().unwrap().id;
            (assignee.agent_id + &assignee.team_id, by, span.start_time / SECOND, span.end_time.map(|end| end / SECOND))
        })
        .collect();
    let span = |who: &str, by: &str, start, end| (who.to_owned(), by.to_owned(), start, Some(end));
    assert_eq!(spans, [span("bob", "ann", 10, 20), span("dan", "cat", 20, 30), span("t", "cat", 40, 50)]);
    assert_eq!(ticket.assignee.unwrap().team_id, "t", "at closing");
    assert_eq!(folded.conversation(CHAT).assignee, None);
}

#[test]
fn w2_w3_w4_windows_are_kept_by_the_rules_even_where_stamps_are_not() {
    let mut log = Log::new();
    log.at(0).decide(CHAT, agent("ann"), vec![open("a")]).unwrap();
    let mut odd = log.events[0].1.clone();
    for (n, kind) in [
        opened("chat-1"),
        opened("other-1"),
        opened("nonsense"),
        opened("chat-7"),
        closed("chat-9"),
        closed("chat-1"),
        closed("chat-1"),
    ]
    .into_iter()
    .enumerate()
    {
        odd.id = format!("odd{n}");
        let stamp = v1::Stamp { time: Some(proto::timestamp(seconds(-5))), kind: Some(kind), ..Default::default() };
        let entry = v1::DecidedEntry { entry: Some(v1::decided_entry::Entry::Stamp(stamp)) };
        odd.event = Some(Kind::Decided(v1::Decided { entries: vec![entry], ..Default::default() }));
        log.append(odd.clone());
    }
    let folded = Folded::of(&log.events);
    assert_eq!(folded.timeline(CHAT).len(), 8, "every stamp is shown");
    assert_eq!(folded.ticket("chat-7").primary, 1, "nested, whatever its stamp says");
    assert_eq!(folded.ticket("chat-7").close_revision, 7, "closed with its primary");
    assert_eq!(folded.ticket("chat-1").close_time, Some(0), "not before it opened");
    assert!(folded.conversation(CHAT).open.is_empty());
}

fn opened(id: &str) -> v1::stamp::Kind {
    v1::stamp::Kind::Opened(v1::TicketOpened { ticket_id: id.to_owned(), ..Default::default() })
}

fn closed(id: &str) -> v1::stamp::Kind {
    v1::stamp::Kind::Closed(v1::TicketClosed { ticket_id: id.to_owned() })
}

#[test]
fn an_event_is_applied_once() {
    let mut log = Log::new();
    let first = log.at(0).received(CHAT, "hello");
    let reported = log.status(CHAT, "s1", ("hello", ""), v1::MessageStatus::Read);
    log.at(500).received(CHAT, "hello");
    let last = log.status(CHAT, "s1", ("hello", ""), v1::MessageStatus::Read);
    let folded = Folded::of(&log.events);
    assert_eq!(folded.timeline(CHAT).len(), 1);
    assert_eq!(folded.entry(CHAT, first).reports.len(), 1);
    assert_eq!(folded.conversation(CHAT).unread_count, 1);
    assert_eq!(folded.conversation(CHAT).revision, reported, "a repeat changes nothing but the position");
    assert_eq!(folded.position().revision, last);
}

#[test]
fn unread_counts_what_came_since_an_agent_wrote_or_read() {
    let mut log = Log::new();
    let first = log.at(0).received(CHAT, "1");
    log.at(1).received(CHAT, "2");
    log.at(2).decide(CHAT, bot(), vec![say("i am a bot")]).unwrap();
    let unread = |log: &Log| Folded::of(&log.events).conversation(CHAT).unread_count;
    assert_eq!(unread(&log), 2, "a bot reads for nobody");
    log.at(3).read(CHAT, "r1", first);
    assert_eq!(unread(&log), 1);
    log.at(4).read(CHAT, "r0", first);
    log.at(4).received(CHAT, "3");
    assert_eq!(unread(&log), 2, "what was read stays read");
    log.at(5).echoed(CHAT, "e");
    assert_eq!(unread(&log), 0);
    log.at(6).received(CHAT, "4");
    log.at(7).read(CHAT, "r2", 0);
    assert_eq!(unread(&log), 0);
    log.at(8).received(CHAT, "5");
    log.at(9).decide(CHAT, agent("ann"), vec![say("hi")]).unwrap();
    assert_eq!(unread(&log), 0);
}

#[test]
fn the_status_of_a_message_only_rises_and_every_report_is_kept() {
    use v1::MessageStatus::{Accepted, Delivered, Failed, Read, Sent};
    let mut log = Log::new();
    let said = log.at(0).decide(CHAT, agent("ann"), vec![assign("ann"), say("hi")]).unwrap();
    // The channel's reports overtake our own, which tells the channel's id of the message.
    log.at(2).status(CHAT, "s1", ("ref", ""), Delivered);
    log.at(3).status(CHAT, "s2", ("ref", ""), Sent);
    let linked = log.at(4).status(CHAT, "s3", ("ref", "chat-m1"), Accepted);
    log.at(5).status(CHAT, "s4", ("ref", ""), Read);
    let last = log.at(6).status(CHAT, "s5", ("ref", ""), Failed);
    let folded = Folded::of(&log.events);
    let entry = folded.entry_at(CHAT, said, 1);
    let reports: Vec<_> = entry.reports.iter().map(|report| report.status()).collect();
    assert_eq!(reports, [Delivered, Sent, Accepted, Read, Failed]);
    assert_eq!((entry.status(), entry.change_revision), (Read, last));
    assert!(linked < last && folded.known(CHAT, "ref").pending.is_empty());
}

#[test]
fn a_status_waits_for_its_message() {
    let mut log = Log::new();
    log.at(0).status(CHAT, "s1", ("echo", ""), v1::MessageStatus::Delivered);
    log.at(0).status(CHAT, "s1", ("echo", ""), v1::MessageStatus::Delivered);
    let echo = log.at(1).echoed(CHAT, "echo");
    let entry = Folded::of(&log.events).entry(CHAT, echo);
    assert_eq!((entry.status(), entry.reports.len()), (v1::MessageStatus::Delivered, 1));
    assert_eq!(entry.change_revision, 0, "it came so");
}

fn reaction(target: &str, removed: bool) -> Kind {
    let direction = v1::Direction::Inbound.into();
    Kind::ReactionChanged(v1::ReactionChanged { target_ref: target.into(), removed, direction, ..Default::default() })
}

#[test]
fn reactions_edits_and_revocations_change_the_message_they_point_to() {
    let mut log = Log::new();
    let hello = log.at(0).received(CHAT, "hello");
    log.at(10).fact(CHAT, "r2", ActorKind::Customer, seconds(9), reaction("hello", true));
    log.at(11).fact(CHAT, "r1", ActorKind::Customer, seconds(5), reaction("hello", false));
    let edit = |text: &str| {
        Kind::MessageEdited(v1::MessageEdited {
            target_ref: "hello".into(),
            sealed: sealed(text),
            ..Default::default()
        })
    };
    log.at(12).fact(CHAT, "e2", ActorKind::Customer, seconds(8), edit("newer"));
    log.at(13).fact(CHAT, "e1", ActorKind::Customer, seconds(7), edit("older"));
    let revoke = Kind::MessageRevoked(v1::MessageRevoked { target_ref: "hello".into(), ..Default::default() });
    let last = log.at(14).fact(CHAT, "v", ActorKind::Customer, seconds(14), revoke);
    let folded = Folded::of(&log.events);
    assert_eq!(folded.timeline(CHAT).len(), 1);
    let entry = folded.entry(CHAT, hello);
    assert_eq!(entry.reactions.len(), 1);
    assert!(entry.reactions[0].removed, "what was done last counts, not what came last");
    assert_eq!(entry.edit.unwrap().sealed, "newer");
    assert!(entry.revoked);
    assert_eq!(entry.change_revision, last);
}

#[test]
fn a_reaction_to_an_unknown_message_is_an_entry_of_its_own() {
    let mut log = Log::new();
    let own = log.at(0).fact(CHAT, "r", ActorKind::Customer, seconds(0), reaction("nowhere", false));
    let folded = Folded::of(&log.events);
    assert_eq!(folded.entry(CHAT, own).r#type, "reaction");
    assert_eq!(folded.conversation(CHAT).unread_count, 0);
}

#[test]
fn the_newest_entries_say_who_the_contact_is() {
    let mut log = Log::new();
    log.at(0).received(CHAT, "named");
    let nameless = v1::MessageReceived { sealed: sealed("x"), ..Default::default() };
    let now = log.at(1).now;
    let second = log.fact(CHAT, "nameless", ActorKind::Customer, now, Kind::MessageReceived(nameless));
    let folded = Folded::of(&log.events);
    let row = folded.conversation(CHAT);
    assert_eq!((row.named_entry.unwrap().revision, row.contact_entry.unwrap().revision), (1, second));
    let changed =
        v1::ContactChanged { continues: "old".into(), sealed: sealed("y"), names_contact: true, ..Default::default() };
    let third = log.at(2).fact(CHAT, "c", ActorKind::System, seconds(2), Kind::ContactChanged(changed));
    let folded = Folded::of(&log.events);
    let row = folded.conversation(CHAT);
    assert_eq!((row.named_entry.unwrap().revision, row.contact_entry.unwrap().revision), (third, third));
    assert_eq!((row.continues.as_str(), row.last_entry_time), ("old", Some(seconds(1).0)));
    assert!(folded.entry(CHAT, third).hidden, "the channel has no word for it");
}

#[test]
fn folding_is_total() {
    let mut log = Log::new();
    let empty = v1::Event { workspace: WORKSPACE.into(), conversation: CHAT.into(), ..Default::default() };
    let kinds = [
        Kind::MessageReceived(Default::default()),
        Kind::MessageEchoed(Default::default()),
        Kind::MessageBackfilled(Default::default()),
        Kind::MessageStatusChanged(Default::default()),
        Kind::ReactionChanged(Default::default()),
        Kind::MessageEdited(Default::default()),
        Kind::MessageRevoked(Default::default()),
        Kind::ContactChanged(Default::default()),
        Kind::MessagesRead(v1::MessagesRead { through_revision: -1 }),
        Kind::Decided(v1::Decided { entries: vec![Default::default()], bot_change: 77, ..Default::default() }),
    ];
    for kind in kinds {
        for _ in 0..2 {
            log.append(v1::Event { event: Some(kind.clone()), ..empty.clone() });
        }
    }
    log.append(v1::Event::default());
    log.append(empty);
    let folded = Folded::of(&log.events);
    assert_eq!(folded.position().revision, log.revision());
    assert!(!folded.conversation(CHAT).bot_paused);
}

use conversation::Actor as DomainActor;

/// Short for the rule that speaks in these tests.
struct Actor;

impl Actor {
    fn rule() -> DomainActor {
        DomainActor::new(ActorKind::Automation, "closing-time")
    }
}
