//! ListTickets and GetTicket against the oracle's windows.

use conversation::{Basis, Period, Time};
use proto::v1;
use proto::v1::ticket_service_server::TicketService as _;
use tonic::Request;

use super::history::{History, MINUTE, Random, WORKSPACE};
use super::world::{ClearKeys, World, actor, nanos};
use crate::query::Queries;

/// 2026-03-27T12:00:00Z: Europe's clocks change two days later.
pub(crate) const START: Time = Time(1_774_612_800_000_000_000);

pub(crate) fn world(seed: u64, chats: usize, events: usize) -> World {
    let mut world = World::new(History::new(seed, START, chats));
    world.go_on(events, 1 + (seed as usize % 50));
    world
}

/// Some instant of the history, often one at which something happened.
pub(crate) fn instant(world: &World, random: &mut Random) -> Time {
    let (_, event) = random.pick(&world.history.events);
    let at = nanos(event.record_time.as_ref());
    match random.below(4) {
        0 => Time(at.div_euclid(MINUTE) * MINUTE),
        1 => Time(at + 1),
        2 => Time(at + (random.next() % (600 * MINUTE as u64)) as i64 - 300 * MINUTE),
        _ => Time(at),
    }
}

/// One of a few instants, for which the oracle is asked once.
pub(crate) fn as_of(world: &World, random: &mut Random) -> Time {
    instant(world, &mut Random(random.below(8) as u64))
}

pub(crate) fn basis(random: &mut Random) -> (v1::Basis, Basis) {
    let all = [
        (v1::Basis::Unspecified, Basis::Opened),
        (v1::Basis::Opened, Basis::Opened),
        (v1::Basis::Closed, Basis::Closed),
        (v1::Basis::OpenDuring, Basis::OpenDuring),
    ];
    *random.pick(&all)
}

fn maybe<T>(random: &mut Random, percent: usize, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
    random.chance(percent).then(|| make(random))
}

fn request(world: &World, random: &mut Random) -> v1::ListTicketsRequest {
    let mut times = [instant(world, random), instant(world, random)];
    times.sort();
    let chat = world.history.chats[random.below(world.history.chats.len())].id.as_str().to_owned();
    v1::ListTicketsRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: maybe(random, 25, |_| chat).unwrap_or_default(),
        state: maybe(random, 40, |random| 1 + random.below(2) as i32).unwrap_or_default(),
        opener: maybe(random, 15, |random| some_actor(world, random)),
        closer: maybe(random, 15, |random| some_actor(world, random)),
        opener_kind: maybe(random, 20, |random| 1 + random.below(4) as i32).unwrap_or_default(),
        assignee: maybe(random, 25, |random| v1::Assignee {
            agent_id: maybe(random, 60, |random| random.pick(&["ana", "ben"]).to_string()).unwrap_or_default(),
            team_id: maybe(random, 40, |_| "billing".to_owned()).unwrap_or_default(),
        }),
        topic: maybe(random, 20, |random| random.pick(&["", "refund"]).to_string()),
        start_time: maybe(random, 60, |_| proto::timestamp(times[0])),
        end_time: maybe(random, 60, |_| proto::timestamp(times[1])),
        basis: basis(random).0.into(),
        include_nested: random.chance(60),
        as_of_time: maybe(random, 30, |random| proto::timestamp(as_of(world, random))),
        ..v1::ListTicketsRequest::default()
    }
}

/// Whoever did something in the history.
fn some_actor(world: &World, random: &mut Random) -> v1::Actor {
    random.pick(&world.history.events).1.actor.clone().unwrap_or_default()
}

fn is(wanted: &v1::Actor, actor: &oracle::Actor) -> bool {
    wanted.kind == kind(actor.kind) && wanted.id == actor.id
}

fn basis_of(request: &v1::ListTicketsRequest) -> Basis {
    match request.basis() {
        v1::Basis::Unspecified | v1::Basis::Opened => Basis::Opened,
        v1::Basis::Closed => Basis::Closed,
        v1::Basis::OpenDuring => Basis::OpenDuring,
    }
}

/// Windows that the request asks for, as (time of the basis, id), unsorted.
fn expected(request: &v1::ListTicketsRequest, view: &oracle::View) -> Vec<(i64, String)> {
    let time =
        |time: &Option<prost_types::Timestamp>, else_: i64| time.as_ref().map_or(else_, |time| nanos(Some(time)));
    let period =
        Period { start: Time(time(&request.start_time, i64::MIN)), end: Time(time(&request.end_time, i64::MAX)) };
    let basis = basis_of(request);
    let wanted = request.assignee.clone().unwrap_or_default();
    let state = |window: &oracle::Window| if window.close_time.is_some() { 2 } else { 1 };
    let assigned = |window: &oracle::Window| {
        let has = window.assignee.clone().unwrap_or(oracle::Assignee::new("", ""));
        (wanted.agent_id.is_empty() || wanted.agent_id == has.agent)
            && (wanted.team_id.is_empty() || wanted.team_id == has.team)
    };
    let chosen = view.windows().filter(|window| {
        period.counts(basis, Time(window.open_time), window.close_time.map(Time))
            && (request.include_nested || window.primary.is_none())
            && (request.conversation_id.is_empty() || request.conversation_id == window.conversation)
            && (request.state == 0 || request.state == state(window))
            && (request.opener_kind == 0 || request.opener_kind == kind(window.opener.kind))
            && request.topic.as_ref().is_none_or(|topic| *topic == window.topic)
            && assigned(window)
            && request.opener.as_ref().is_none_or(|actor| is(actor, &window.opener))
            && request
                .closer
                .as_ref()
                .is_none_or(|actor| window.closer.as_ref().is_some_and(|closer| is(actor, closer)))
    });
    let time = |window: &oracle::Window| match basis {
        Basis::Closed => window.close_time.expect("closed"),
        _ => window.open_time,
    };
    chosen.map(|window| (time(window), window.id.clone())).collect()
}

fn kind(kind: oracle::Kind) -> i32 {
    match kind {
        oracle::Kind::Customer => 1,
        oracle::Kind::Bot => 2,
        oracle::Kind::Automation => 3,
        oracle::Kind::Agent => 4,
        oracle::Kind::System => 5,
    }
}

/// Every page, of random sizes.
async fn walk(queries: &Queries<ClearKeys>, request: &v1::ListTicketsRequest, random: &mut Random) -> Vec<v1::Ticket> {
    let mut tickets = Vec::new();
    let mut request = request.clone();
    loop {
        request.page_size = random.below(9) as i32;
        let page = queries.list_tickets(Request::new(request.clone())).await.expect("a page").into_inner();
        assert!(request.page_size == 0 || page.tickets.len() <= request.page_size as usize);
        tickets.extend(page.tickets);
        if page.next_page_token.is_empty() {
            return tickets;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn lists_hold_what_the_oracle_says_newest_first() {
    for seed in 0..6 {
        let world = world(seed, 3 + seed as usize, 500);
        let queries = world.queries();
        let mut random = Random(seed ^ 0xabcd);
        for _ in 0..150 {
            let request = request(&world, &mut random);
            let as_of = request.as_of_time.as_ref().map(|time| proto::time(time).expect("valid"));
            let view = world.oracle_as_of(as_of);
            let mut expected = expected(&request, &view);
            let found = walk(&queries, &request, &mut random).await;
            let by_close = basis_of(&request) == Basis::Closed;
            let time = |ticket: &v1::Ticket| {
                nanos(if by_close { ticket.close_time.as_ref() } else { ticket.open_time.as_ref() })
            };
            let mut pairs: Vec<(i64, String)> = found.iter().map(|ticket| (time(ticket), ticket.id.clone())).collect();
            assert!(pairs.is_sorted_by(|one, two| one.0 >= two.0), "newest first: {request:?}");
            pairs.sort();
            expected.sort();
            assert_eq!(pairs, expected, "seed {seed} {request:?}");
            for ticket in &found {
                same(&world, ticket, view.window(&ticket.id).expect("a window"), as_of);
            }
        }
    }
}

/// Whether a ticket says what the oracle's window says.
fn same(world: &World, ticket: &v1::Ticket, window: &oracle::Window, as_of: Option<Time>) {
    assert_eq!(ticket.workspace, WORKSPACE);
    assert_eq!(ticket.conversation_id, window.conversation);
    assert_eq!(ticket.channel, world.channel(&window.conversation));
    assert_eq!(ticket.primary_id, window.primary.clone().unwrap_or_default());
    assert_eq!(ticket.topic, window.topic);
    assert_eq!(ticket.state() == v1::ticket::State::Closed, window.close_time.is_some());
    assert_eq!(nanos(ticket.open_time.as_ref()), window.open_time);
    assert_eq!(ticket.close_time.as_ref().map(|time| nanos(Some(time))), window.close_time);
    assert_eq!(ticket.opened_by.as_ref().map(actor), Some(window.opener.clone()));
    assert_eq!(ticket.closed_by.as_ref().map(actor), window.closer);
    assert_eq!(ticket.assignee.as_ref().map(assignee), window.assignee, "{ticket:?}");
    assert_eq!(ticket.open_revision, window.open_revision as i64);
    assert_eq!(ticket.close_revision, window.close_revision.unwrap_or_default() as i64);
    let spans: Vec<_> = ticket.assignments.iter().map(span).collect();
    let expected: Vec<_> =
        window.assignments.iter().map(|span| (span.assignee.clone(), span.start, span.end)).collect();
    assert_eq!(spans, expected, "{ticket:?}");
    let metrics = ticket.metrics.as_ref().expect("metrics");
    // The oracle lets answers after `as_of` count: in its reading the window is open still.
    let known = |took: &i64| as_of.is_none_or(|at| window.open_time + took <= at.0);
    let took =
        |took: &Option<prost_types::Duration>| took.map(|took| took.seconds * 1_000_000_000 + i64::from(took.nanos));
    assert_eq!(took(&metrics.first_response), window.metrics.first_response.filter(known), "{ticket:?}");
    assert_eq!(took(&metrics.first_bot_response), window.metrics.first_bot_response.filter(known));
    assert_eq!(took(&metrics.resolution), window.metrics.resolution);
    if as_of.is_none() {
        assert_eq!(metrics.inbound_count, window.metrics.inbound_count, "{ticket:?}");
        assert_eq!(metrics.outbound_count, window.metrics.outbound_count);
    }
}

fn assignee(assignee: &v1::Assignee) -> oracle::Assignee {
    oracle::Assignee::new(&assignee.agent_id, &assignee.team_id)
}

fn span(span: &v1::Assignment) -> (oracle::Assignee, i64, Option<i64>) {
    let end = span.end_time.as_ref().map(|end| nanos(Some(end)));
    (assignee(span.assignee.as_ref().expect("an assignee")), nanos(span.start_time.as_ref()), end)
}

#[tokio::test]
async fn a_walk_sees_each_ticket_of_its_beginning_once_while_new_ones_open() {
    let mut world = world(11, 4, 400);
    let queries = world.queries();
    let before: Vec<String> = world.oracle().windows().map(|window| window.id.clone()).collect();
    let mut request = v1::ListTicketsRequest {
        workspace: WORKSPACE.to_owned(),
        include_nested: true,
        page_size: 3,
        ..v1::ListTicketsRequest::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = queries.list_tickets(Request::new(request.clone())).await.expect("a page").into_inner();
        seen.extend(page.tickets.into_iter().map(|ticket| ticket.id));
        world.go_on(5, 2);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let (mut seen, mut before) = (seen, before);
    seen.sort();
    before.sort();
    assert_eq!(seen, before);
}

#[tokio::test]
async fn a_ticket_is_found_by_its_id_in_its_workspace_alone() {
    let world = world(5, 4, 300);
    let queries = world.queries();
    let view = world.oracle();
    for window in view.windows() {
        let request = |workspace: &str, ticket: &str| {
            Request::new(v1::GetTicketRequest {
                workspace: workspace.to_owned(),
                ticket_id: ticket.to_owned(),
                min_revision: 0,
            })
        };
        let ticket = queries.get_ticket(request(WORKSPACE, &window.id)).await.expect("a ticket").into_inner();
        same(&world, &ticket, window, None);
        for (workspace, id) in [("other", window.id.as_str()), (WORKSPACE, "acmechat0-9999"), (WORKSPACE, "nonsense")] {
            let refused = queries.get_ticket(request(workspace, id)).await.expect_err("no ticket");
            assert_eq!(refused.code(), tonic::Code::NotFound);
        }
    }
}

#[tokio::test]
async fn tickets_open_during_a_period_are_found_without_paging_through_all_that_closed_before() {
    let mut world = World::new(History::new(77, START, 40));
    world.go_on(200, 100);
    // The tickets of the history so far are old; most of them close.
    let closed = world.history.many_closed(0, 8_000);
    world.apply(&closed, 500);
    let middle = world.history.now;
    world.go_on(300, 50);
    let queries = world.queries();
    for (state, as_of) in [(0, None), (1, Some(world.history.now)), (1, Some(middle))] {
        let request = v1::ListTicketsRequest {
            workspace: WORKSPACE.to_owned(),
            basis: v1::Basis::OpenDuring.into(),
            start_time: Some(proto::timestamp(middle)),
            end_time: Some(proto::timestamp(Time(middle.0 + 600 * MINUTE))),
            state,
            as_of_time: as_of.map(proto::timestamp),
            include_nested: true,
            page_size: 500,
            ..v1::ListTicketsRequest::default()
        };
        let (mut found, pages) = ids(&queries, request.clone()).await;
        // Everything, chosen here: the oracle is too slow for so many.
        let everything = v1::ListTicketsRequest {
            workspace: WORKSPACE.to_owned(),
            as_of_time: as_of.map(proto::timestamp),
            include_nested: true,
            page_size: 1000,
            ..v1::ListTicketsRequest::default()
        };
        let period = Period { start: middle, end: Time(middle.0 + 600 * MINUTE) };
        let time = |time: &prost_types::Timestamp| Time(nanos(Some(time)));
        let all = all(&queries, everything).await;
        let expected = all.iter().filter(|ticket| {
            let open = time(ticket.open_time.as_ref().expect("a time"));
            let falls = period.counts(Basis::OpenDuring, open, ticket.close_time.as_ref().map(time));
            falls && (state == 0 || ticket.close_time.is_none())
        });
        let mut expected: Vec<String> = expected.map(|ticket| ticket.id.clone()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        assert!(found.len() > 10);
        assert!(pages >= 2, "each page looks at a bounded number of tickets");
    }
    // Without the old ones that are open still, the walk ends where the period begins.
    let request = v1::ListTicketsRequest {
        workspace: WORKSPACE.to_owned(),
        basis: v1::Basis::OpenDuring.into(),
        start_time: Some(proto::timestamp(middle)),
        include_nested: true,
        page_size: 500,
        ..v1::ListTicketsRequest::default()
    };
    let before = ids(&queries, request.clone()).await.1;
    let closed = world.history.close_all();
    world.apply(&closed, 10);
    let later = v1::ListTicketsRequest { start_time: Some(proto::timestamp(Time(world.history.now.0 + 1))), ..request };
    world.go_on(50, 50);
    let after = ids(&queries, later).await.1;
    assert!(after == 1 && before > 1, "{after} pages instead of {before}");
}

/// Every page, and how many there were.
async fn pages(queries: &Queries<ClearKeys>, mut request: v1::ListTicketsRequest) -> (Vec<v1::Ticket>, usize) {
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let page = queries.list_tickets(Request::new(request.clone())).await.expect("a page").into_inner();
        found.extend(page.tickets);
        pages += 1;
        if page.next_page_token.is_empty() {
            return (found, pages);
        }
        request.page_token = page.next_page_token;
    }
}

async fn all(queries: &Queries<ClearKeys>, request: v1::ListTicketsRequest) -> Vec<v1::Ticket> {
    pages(queries, request).await.0
}

async fn ids(queries: &Queries<ClearKeys>, request: v1::ListTicketsRequest) -> (Vec<String>, usize) {
    let (found, pages) = pages(queries, request).await;
    (found.into_iter().map(|ticket| ticket.id).collect(), pages)
}
