//! What is wrong with a request is named by its field; nothing that a client sends goes further.

use std::time::Duration;

use proto::v1;
use proto::v1::ticket_service_server::TicketService as _;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use super::history::WORKSPACE;
use super::tickets::world;
use super::world::{ClearKeys, World};
use crate::query::Queries;

fn time(seconds: i64, nanos: i32) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos })
}

fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    assert!(details.error_info().is_some(), "a reason for programs");
    let request = details.bad_request().expect("violations");
    request.field_violations.iter().map(|violation| violation.field.clone()).collect()
}

/// Asks with a request that is changed from a good one, and returns the fields that are named.
macro_rules! wrong {
    ($queries:expr, $method:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        #[allow(clippy::needless_update)] // some requests have no other fields
        let request = v1::$request { workspace: WORKSPACE.to_owned(), $($field: $value,)* ..v1::$request::default() };
        fields(&$queries.$method(Request::new(request)).await.map(|_| ()).expect_err("refused"))
    }};
}

fn asked() -> (World, Queries<ClearKeys>) {
    let world = world(150, 1, 60);
    let queries = world.queries();
    (world, queries)
}

#[tokio::test]
async fn lists_and_timelines_name_the_field_that_is_wrong() {
    let (world, q) = asked();
    let id = || world.history.chats[0].id.as_str().to_owned();
    let long = "x".repeat(300);
    assert_eq!(wrong!(q, get_ticket, GetTicketRequest {}), ["ticket_id"]);
    assert_eq!(wrong!(q, get_ticket, GetTicketRequest { ticket_id: "a\u{7}".into() }), ["ticket_id"]);
    assert_eq!(wrong!(q, get_ticket, GetTicketRequest { ticket_id: "a".into(), min_revision: -1 }), ["min_revision"]);
    assert_eq!(wrong!(q, get_conversation, GetConversationRequest {}), ["conversation_id"]);
    assert_eq!(
        wrong!(q, get_conversation, GetConversationRequest { conversation_id: long.clone() }),
        ["conversation_id"]
    );
    let all = wrong!(
        q,
        list_tickets,
        ListTicketsRequest {
            page_size: -1,
            min_revision: -1,
            page_token: "abc".into(),
            conversation_id: long.clone(),
            state: 9,
            opener_kind: -3,
            opener: Some(v1::Actor { kind: 9, id: long.clone(), ..Default::default() }),
            channel: "\n".into(),
            basis: 77,
            assignee: Some(v1::Assignee { agent_id: "\n".into(), team_id: long.clone() }),
            start_time: time(5, 0),
            end_time: time(4, 0),
            as_of_time: time(0, -1),
        }
    );
    let expected = [
        "page_size",
        "min_revision",
        "page_token",
        "conversation_id",
        "assignee.agent_id",
        "assignee.team_id",
        "state",
        "opener_kind",
        "opener.kind",
        "opener.id",
        "channel",
        "end_time",
        "basis",
        "as_of_time",
    ];
    assert_eq!(all, expected, "all mistakes at once");
    assert_eq!(wrong!(q, list_tickets, ListTicketsRequest { start_time: time(i64::MAX, 0) }), ["start_time"]);
    assert_eq!(wrong!(q, list_tickets, ListTicketsRequest { end_time: time(0, 1_000_000_000) }), ["end_time"]);
    assert_eq!(wrong!(q, list_timeline, ListTimelineRequest {}), ["conversation_id"]);
    let all = wrong!(
        q,
        list_timeline,
        ListTimelineRequest {
            conversation_id: id(),
            page_size: -5,
            page_token: "00".into(),
            direction: 4,
            from_time: time(-99_999_999_999_999, 0),
        }
    );
    assert_eq!(all, ["page_size", "page_token", "direction", "from_time"]);
    assert_eq!(wrong!(q, list_conversations, ListConversationsRequest { view: 2 }), ["agent_id"]);
    assert_eq!(wrong!(q, list_conversations, ListConversationsRequest { view: 5 }), ["team_id"]);
    assert_eq!(wrong!(q, list_conversations, ListConversationsRequest { view: 6 }), ["view"]);
    let words = "a ".repeat(17);
    assert_eq!(wrong!(q, list_conversations, ListConversationsRequest { query: words }), ["query"]);
    assert_eq!(wrong!(q, list_conversations, ListConversationsRequest { query: long.clone() }), ["query"]);
}

#[tokio::test]
async fn counts_statistics_and_watches_name_the_field_that_is_wrong() {
    let (world, q) = asked();
    let (day, hour, topic, opener) = (1, 2, 7, 3);
    let zone = "Europe/Atlantis".to_owned();
    assert_eq!(wrong!(q, count_tickets, CountTicketsRequest { time_zone: zone.clone() }), ["time_zone"]);
    for group_by in [vec![day, hour], vec![topic, opener], vec![day, day], vec![0], vec![99], vec![topic, 8]] {
        let group_by = wrong!(
            q,
            count_tickets,
            CountTicketsRequest { group_by: group_by.clone(), start_time: time(0, 0), end_time: time(10, 0) }
        );
        assert!(!group_by.is_empty() && group_by.iter().all(|field| field == "group_by"), "{group_by:?}");
    }
    assert_eq!(
        wrong!(q, count_tickets, CountTicketsRequest { group_by: vec![day], end_time: time(10, 0) }),
        ["start_time"]
    );
    assert_eq!(wrong!(q, count_tickets, CountTicketsRequest { group_by: vec![hour] }), ["start_time", "end_time"]);
    let long = wrong!(
        q,
        count_tickets,
        CountTicketsRequest { group_by: vec![hour], start_time: time(0, 0), end_time: time(10_001 * 3600, 0) }
    );
    assert_eq!(long, ["group_by"]);
    let back = wrong!(q, count_tickets, CountTicketsRequest { start_time: time(10, 1), end_time: time(10, 0) });
    assert_eq!(back, ["end_time"]);
    let stats = wrong!(q, get_ticket_stats, GetTicketStatsRequest { basis: 3, group_by: vec![day], time_zone: zone });
    assert_eq!(stats, ["basis", "group_by", "time_zone"]);
    let id = world.history.chats[0].id.as_str().to_owned();
    let watch = wrong!(q, watch_timeline, WatchTimelineRequest { conversation_id: id, after_revision: -1 });
    assert_eq!(watch, ["after_revision"]);
    let watch = wrong!(q, watch_tickets, WatchTicketsRequest { after_revision: -1, state: 5, min_revision: -9 });
    assert_eq!(watch, ["state", "after_revision", "min_revision"]);
}

#[tokio::test]
async fn a_token_of_other_filters_is_refused() {
    let world = world(160, 1, 300);
    let q = world.queries();
    let id = world.history.chats[0].id.as_str().to_owned();
    let first = v1::ListTimelineRequest {
        workspace: WORKSPACE.to_owned(),
        conversation_id: id,
        page_size: 2,
        ..v1::ListTimelineRequest::default()
    };
    let token = q.list_timeline(Request::new(first.clone())).await.expect("a page").into_inner().next_page_token;
    let again = v1::ListTimelineRequest { page_token: token.clone(), page_size: 900, ..first.clone() };
    q.list_timeline(Request::new(again)).await.expect("another page size is fine");
    for request in [
        v1::ListTimelineRequest { direction: 2, ..first.clone() },
        v1::ListTimelineRequest { from_time: time(1, 0), ..first.clone() },
        v1::ListTimelineRequest { workspace: "other".to_owned(), ..first.clone() },
        v1::ListTimelineRequest { conversation_id: "another".to_owned(), ..first.clone() },
    ] {
        let request = v1::ListTimelineRequest { page_token: token.clone(), ..request };
        let refused = q.list_timeline(Request::new(request)).await.expect_err("refused");
        assert_eq!(fields(&refused), ["page_token"]);
    }
    let tickets = v1::ListTicketsRequest {
        workspace: WORKSPACE.to_owned(),
        page_token: token,
        ..v1::ListTicketsRequest::default()
    };
    assert_eq!(fields(&q.list_tickets(Request::new(tickets)).await.expect_err("refused")), ["page_token"]);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let (world, q) = asked();
    let code = |result: Result<(), Status>| result.expect_err("refused").code();
    let get = |workspace: &str, id: &str| {
        Request::new(v1::GetConversationRequest {
            workspace: workspace.to_owned(),
            conversation_id: id.to_owned(),
            min_revision: 0,
        })
    };
    let id = world.history.chats[0].id.as_str();
    q.get_conversation(get(WORKSPACE, id)).await.expect("known");
    assert_eq!(code(q.get_conversation(get(WORKSPACE, "no-such")).await.map(drop)), Code::NotFound);
    assert_eq!(code(q.get_conversation(get("other", id)).await.map(drop)), Code::NotFound);
    assert_eq!(code(q.get_conversation(get("nowhere", id)).await.map(drop)), Code::NotFound);
    assert_eq!(code(q.get_conversation(get("No Where", id)).await.map(drop)), Code::InvalidArgument);
    assert_eq!(code(q.get_conversation(get("", id)).await.map(drop)), Code::InvalidArgument);
    let timeline = |workspace: &str, id: &str| {
        Request::new(v1::ListTimelineRequest {
            workspace: workspace.to_owned(),
            conversation_id: id.to_owned(),
            ..v1::ListTimelineRequest::default()
        })
    };
    assert_eq!(code(q.list_timeline(timeline(WORKSPACE, "no-such")).await.map(drop)), Code::NotFound);
    assert_eq!(code(q.list_timeline(timeline("other", id)).await.map(drop)), Code::NotFound);
    let watch = |workspace: &str, id: &str| {
        Request::new(v1::WatchTimelineRequest {
            workspace: workspace.to_owned(),
            conversation_id: id.to_owned(),
            ..v1::WatchTimelineRequest::default()
        })
    };
    assert_eq!(code(q.watch_timeline(watch(WORKSPACE, "no-such")).await.map(drop)), Code::NotFound);
    assert_eq!(code(q.watch_timeline(watch("other", id)).await.map(drop)), Code::NotFound);
    let list = Request::new(v1::ListConversationsRequest {
        workspace: "other".to_owned(),
        ..v1::ListConversationsRequest::default()
    });
    assert_eq!(q.list_conversations(list).await.expect("a list").into_inner().conversations, []);
}

#[tokio::test(start_paused = true)]
async fn a_query_waits_ten_seconds_for_its_revision_and_no_longer() {
    let (mut world, q) = asked();
    let applied = world.history.events.len() as i64;
    let count = |min_revision| {
        let request = v1::CountTicketsRequest {
            workspace: WORKSPACE.to_owned(),
            min_revision,
            ..v1::CountTicketsRequest::default()
        };
        q.count_tickets(Request::new(request))
    };
    count(applied).await.expect("there already");
    let began = tokio::time::Instant::now();
    let late = count(applied + 1).await.expect_err("too late");
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert_eq!(began.elapsed().as_secs(), 10);
    let waiting = count(applied + 1);
    let arrives = async {
        tokio::time::sleep(Duration::from_secs(9)).await;
        world.go_on(1, 1);
    };
    let (answer, ()) = tokio::join!(waiting, arrives);
    answer.expect("it came in time");
}
