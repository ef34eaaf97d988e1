//! WatchTimeline and WatchTickets: what was missed, then what comes; no gap, no double, from any place.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use proto::v1;
use proto::v1::ticket_service_server::TicketService as _;
use tokio::time::timeout;
use tonic::{Request, Status};
use v1::list_timeline_request::Direction;

use super::history::{Random, WORKSPACE};
use super::tickets::world;
use super::world::{ClearKeys, World};
use crate::query::Queries;

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(30);

fn timeline(conversation: &str, after: (i64, u32)) -> Request<v1::WatchTimelineRequest> {
    Request::new(v1::WatchTimelineRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.to_owned(),
        after_revision: after.0,
        after_index: after.1,
        min_revision: 0,
    })
}

async fn next<T>(stream: &mut (impl Stream<Item = Result<T, Status>> + Unpin)) -> T {
    let answer = timeout(DEADLINE, stream.next()).await.expect("in time");
    answer.expect("goes on").expect("an answer")
}

/// Entries until the watch says that it has everything up to a revision, and the place that it says.
async fn until(
    stream: &mut (impl Stream<Item = Result<v1::WatchTimelineResponse, Status>> + Unpin),
    revision: u64,
) -> (Vec<v1::TimelineEntry>, (i64, u32)) {
    let mut entries = Vec::new();
    loop {
        let answer = next(stream).await;
        match answer.event.expect("an event") {
            v1::watch_timeline_response::Event::Entry(entry) => {
                assert_eq!((answer.revision, answer.index), (entry.change_revision, entry.index));
                entries.push(entry);
            }
            v1::watch_timeline_response::Event::Heartbeat(_) if answer.revision >= revision as i64 => {
                return (entries, (answer.revision, answer.index));
            }
            v1::watch_timeline_response::Event::Heartbeat(_) => {}
        }
    }
}

fn place(entry: &v1::TimelineEntry) -> (i64, u32) {
    (entry.change_revision, entry.index)
}

async fn whole_timeline(queries: &Queries<ClearKeys>, conversation: &str) -> Vec<v1::TimelineEntry> {
    let request = v1::ListTimelineRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: conversation.to_owned(),
        direction: Direction::Newer.into(),
        ..v1::ListTimelineRequest::default()
    };
    super::timeline::walk(queries, request, &mut Random(3)).await
}

fn applied(world: &World) -> u64 {
    world.history.events.len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_watched_from_its_beginning_is_the_timeline_whatever_arrives_meanwhile() {
    for seed in 90..94 {
        let mut world = world(seed, 2, 200);
        let queries = world.queries();
        let chat = world.history.chats[0].id.as_str().to_owned();
        let mut stream = queries.watch_timeline(timeline(&chat, (0, 0))).await.expect("watches").into_inner();
        let (last, total) = (600, 40);
        let watcher = tokio::spawn(async move { until(&mut stream, last).await.0 });
        for step in 0..total {
            world.go_on((last as usize - 200) / total, 1 + step % 3);
            tokio::task::yield_now().await;
        }
        let more = (last as usize).saturating_sub(world.history.events.len());
        world.go_on(more + 1, 7);
        let sent = timeout(DEADLINE, watcher).await.expect("in time").expect("no panic");
        assert!(sent.is_sorted_by(|one, two| place(one) < place(two)), "in order, and none twice");
        let mut last_sent: BTreeMap<(i64, u32), v1::TimelineEntry> = BTreeMap::new();
        for entry in sent {
            last_sent.insert((entry.revision, entry.index), entry);
        }
        // What came behind the last heartbeat is not waited for.
        let seen = last_sent.values().map(|entry| entry.change_revision).max().expect("entries");
        for entry in whole_timeline(&queries, &chat).await {
            if entry.change_revision <= seen {
                assert_eq!(last_sent.get(&(entry.revision, entry.index)), Some(&entry));
            }
        }
    }
}

#[tokio::test]
async fn a_timeline_is_taken_up_again_from_any_place_without_gap_or_double() {
    for seed in 100..103 {
        let mut world = world(seed, 2, 300);
        let queries = world.queries();
        let chat = world.history.chats[1].id.as_str().to_owned();
        let mut all = whole_timeline(&queries, &chat).await;
        all.sort_by_key(place);
        let mut places: Vec<(i64, u32)> = all.iter().map(place).collect();
        places.extend([(0, 0), (1, 0), (150, 0), (299, 7), (300, u32::MAX), (10_000, 0)]);
        for after in places {
            let mut stream = queries.watch_timeline(timeline(&chat, after)).await.expect("watches").into_inner();
            let (sent, beat) = until(&mut stream, applied(&world)).await;
            let expected: Vec<_> = all.iter().filter(|entry| place(entry) > after).cloned().collect();
            assert_eq!(sent, expected, "after {after:?}");
            assert_eq!(beat, (300, u32::MAX).max(after), "everything was sent");
        }
        // From a heartbeat on, exactly what came later.
        world.go_on(100, 9);
        let mut stream = queries.watch_timeline(timeline(&chat, (300, u32::MAX))).await.expect("watches").into_inner();
        let (sent, _) = until(&mut stream, applied(&world)).await;
        let mut expected = whole_timeline(&queries, &chat).await;
        expected.retain(|entry| entry.change_revision > 300);
        expected.sort_by_key(place);
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn a_slow_watcher_misses_nothing_and_a_long_chat_is_taken_up_in_the_middle() {
    let mut world = world(110, 1, 50);
    let queries = world.queries();
    let chat = world.history.chats[0].id.as_str().to_owned();
    let mut slow = queries.watch_timeline(timeline(&chat, (0, 0))).await.expect("watches").into_inner();
    next(&mut slow).await;
    // More commits than are kept for a watcher that lags behind.
    world.go_on(600, 1);
    let long = world.history.long_chat(0, 6_000, "first");
    world.apply(&long, 1_000);
    let (sent, _) = until(&mut slow, applied(&world)).await;
    let mut all = whole_timeline(&queries, &chat).await;
    all.sort_by_key(place);
    let later = all.iter().filter(|entry| entry.change_revision > 50).count();
    assert!(sent.iter().rev().take(later).rev().eq(all.iter().skip(all.len() - later)));
    // Behind more live entries than are looked through from the end.
    let middle = place(&all[all.len() / 3]);
    let mut stream = queries.watch_timeline(timeline(&chat, middle)).await.expect("watches").into_inner();
    let (sent, _) = until(&mut stream, applied(&world)).await;
    assert_eq!(sent, all.into_iter().filter(|entry| place(entry) > middle).collect::<Vec<_>>());
}

fn tickets(after_revision: i64) -> v1::WatchTicketsRequest {
    v1::WatchTicketsRequest {
        workspace: WORKSPACE.to_owned(),
        include_nested: true,
        after_revision,
        ..v1::WatchTicketsRequest::default()
    }
}

/// Tickets until the watch says that it has everything up to a revision, each with the place to go on from.
async fn tickets_until(
    stream: &mut (impl Stream<Item = Result<v1::WatchTicketsResponse, Status>> + Unpin),
    revision: u64,
) -> Vec<(i64, v1::Ticket)> {
    let mut tickets = Vec::new();
    loop {
        let answer = next(stream).await;
        match answer.event.expect("an event") {
            v1::watch_tickets_response::Event::Ticket(ticket) => tickets.push((answer.revision, ticket)),
            v1::watch_tickets_response::Event::Heartbeat(_) if answer.revision >= revision as i64 => return tickets,
            v1::watch_tickets_response::Event::Heartbeat(_) => {}
        }
    }
}

fn last_by_id(tickets: impl IntoIterator<Item = (i64, v1::Ticket)>) -> BTreeMap<String, v1::Ticket> {
    tickets.into_iter().map(|(_, ticket)| (ticket.id.clone(), ticket)).collect()
}

/// What moves a ticket in a watch; the counts of messages do not.
fn stamped(tickets: BTreeMap<String, v1::Ticket>) -> BTreeMap<String, v1::Ticket> {
    let forget = |(id, mut ticket): (String, v1::Ticket)| {
        let metrics = ticket.metrics.as_mut().expect("metrics");
        (metrics.inbound_count, metrics.outbound_count) = (0, 0);
        (id, ticket)
    };
    tickets.into_iter().map(forget).collect()
}

async fn all_tickets(queries: &Queries<ClearKeys>, world: &World) -> BTreeMap<String, v1::Ticket> {
    let mut all = BTreeMap::new();
    for window in world.oracle().windows() {
        let request = v1::GetTicketRequest {
            workspace: WORKSPACE.to_owned(),
            ticket_id: window.id.clone(),
            ..v1::GetTicketRequest::default()
        };
        let ticket = queries.get_ticket(Request::new(request)).await.expect("a ticket").into_inner();
        all.insert(window.id.clone(), ticket);
    }
    all
}

#[tokio::test]
async fn tickets_watched_while_they_change_end_as_they_are() {
    let mut world = world(120, 3, 200);
    let queries = world.queries();
    let watch = queries.watch_tickets(Request::new(tickets(0))).await.expect("watches");
    let mut stream = watch.into_inner();
    let mut sent = tickets_until(&mut stream, applied(&world)).await;
    for step in 0..60 {
        world.go_on(6, 1 + step % 4);
        sent.extend(tickets_until(&mut stream, applied(&world)).await);
    }
    assert!(sent.is_sorted_by_key(|(revision, _)| *revision), "in order");
    let all = all_tickets(&queries, &world).await;
    assert_eq!(stamped(last_by_id(sent.clone())), stamped(all.clone()));
    // Taken up again behind any answer, what was sent and what comes are everything.
    for cut in 0..sent.len() {
        let watch = queries.watch_tickets(Request::new(tickets(sent[cut].0))).await.expect("watches");
        let rest = tickets_until(&mut watch.into_inner(), applied(&world)).await;
        let both = sent[..=cut].iter().cloned().chain(rest);
        assert_eq!(stamped(last_by_id(both)), stamped(all.clone()), "after {cut}");
    }
}

#[tokio::test]
async fn a_watch_of_tickets_holds_what_its_filters_take() {
    let world = world(130, 3, 400);
    let queries = world.queries();
    let all = all_tickets(&queries, &world).await;
    let chat = world.history.chats[1].id.as_str().to_owned();
    type Takes = fn(&v1::Ticket) -> bool;
    let some: [(v1::WatchTicketsRequest, Takes); 4] = [
        (v1::WatchTicketsRequest { include_nested: false, ..tickets(0) }, |ticket| ticket.primary_id.is_empty()),
        (v1::WatchTicketsRequest { state: 1, ..tickets(0) }, |ticket| ticket.close_time.is_none()),
        (v1::WatchTicketsRequest { topic: Some("refund".to_owned()), ..tickets(0) }, |ticket| ticket.topic == "refund"),
        (v1::WatchTicketsRequest { conversation_id: chat, ..tickets(0) }, |ticket| {
            ticket.conversation_id.ends_with("chat1")
        }),
    ];
    for (request, takes) in some {
        let mut watch = queries.watch_tickets(Request::new(request.clone())).await.expect("watches").into_inner();
        let sent = last_by_id(tickets_until(&mut watch, applied(&world)).await);
        let expected = all.clone().into_iter().filter(|(_, ticket)| takes(ticket)).collect();
        assert_eq!(sent, expected, "{request:?}");
    }
    let other = v1::WatchTicketsRequest { workspace: "other".to_owned(), ..tickets(0) };
    let mut watch = queries.watch_tickets(Request::new(other)).await.expect("watches").into_inner();
    assert_eq!(tickets_until(&mut watch, applied(&world)).await, []);
}

#[tokio::test]
async fn watches_go_on_over_a_rebuild() {
    let mut world = world(135, 2, 150);
    let queries = world.queries();
    let chat = world.history.chats[0].id.as_str().to_owned();
    let mut entries = queries.watch_timeline(timeline(&chat, (0, 0))).await.expect("watches").into_inner();
    let mut changes = queries.watch_tickets(Request::new(tickets(0))).await.expect("watches").into_inner();
    until(&mut entries, applied(&world)).await;
    tickets_until(&mut changes, applied(&world)).await;
    let before = applied(&world) as i64;
    world.go_on(50, 5);
    world.rebuild();
    world.go_on(50, 5);
    let (sent, _) = until(&mut entries, applied(&world)).await;
    let mut expected = whole_timeline(&queries, &chat).await;
    expected.retain(|entry| entry.change_revision > before);
    expected.sort_by_key(place);
    assert!(sent.iter().map(place).eq(expected.iter().map(place)));
    let all = all_tickets(&queries, &world).await;
    let sent = stamped(last_by_id(tickets_until(&mut changes, applied(&world)).await));
    assert!(!sent.is_empty());
    assert!(sent.into_iter().all(|(id, ticket)| stamped(all.clone())[&id] == ticket));
}

#[tokio::test]
async fn watches_end_when_shutdown_begins() {
    let world = world(140, 1, 100);
    let queries = world.queries();
    let chat = world.history.chats[0].id.as_str().to_owned();
    let mut entries = queries.watch_timeline(timeline(&chat, (0, 0))).await.expect("watches").into_inner();
    let mut tickets = queries.watch_tickets(Request::new(tickets(0))).await.expect("watches").into_inner();
    next(&mut entries).await;
    world.shutdown.begin();
    assert!(timeout(DEADLINE, entries.next()).await.expect("in time").is_none());
    assert!(timeout(DEADLINE, tickets.next()).await.expect("in time").is_none());
}
