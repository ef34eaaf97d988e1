//! CountTickets and GetTicketStats against going through every ticket.

use std::collections::BTreeMap;

use conversation::{Basis, Period, Time};
use jiff::{Timestamp, tz::TimeZone};
use proto::v1;
use proto::v1::ticket_service_server::TicketService as _;
use tonic::Request;
use v1::GroupBy;

use super::history::{History, Random, WORKSPACE};
use super::tickets::{as_of, basis, instant, world};
use super::world::{World, nanos};

/// Zones whose clocks change in the history or whose hours begin off the hour.
const ZONES: [&str; 6] =
    ["", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"];
const DIMENSIONS: [GroupBy; 5] =
    [GroupBy::Opener, GroupBy::Closer, GroupBy::Assignee, GroupBy::Channel, GroupBy::Topic];

fn request(world: &World, random: &mut Random) -> v1::CountTicketsRequest {
    let mut times = [instant(world, random), instant(world, random)];
    times.sort();
    let mut group_by = Vec::new();
    if random.chance(50) {
        group_by.push(i32::from(*random.pick(&[GroupBy::Day, GroupBy::Hour])));
    }
    if random.chance(50) {
        group_by.push(i32::from(*random.pick(&DIMENSIONS)));
    }
    let bounded = !group_by.is_empty();
    v1::CountTicketsRequest {
        workspace: WORKSPACE.to_owned(),
        start_time: (bounded || random.chance(70)).then(|| proto::timestamp(times[0])),
        end_time: (bounded || random.chance(70)).then(|| proto::timestamp(times[random.below(8).min(1)])),
        basis: basis(random).0.into(),
        group_by,
        time_zone: random.pick(&ZONES).to_string(),
        as_of_time: random.chance(30).then(|| proto::timestamp(as_of(world, random))),
        min_revision: 0,
    }
}

fn basis_of(basis: v1::Basis) -> Basis {
    match basis {
        v1::Basis::Unspecified | v1::Basis::Opened => Basis::Opened,
        v1::Basis::Closed => Basis::Closed,
        v1::Basis::OpenDuring => Basis::OpenDuring,
    }
}

fn period(start: &Option<prost_types::Timestamp>, end: &Option<prost_types::Timestamp>) -> Period {
    let time = |time: &Option<prost_types::Timestamp>, else_: Time| {
        time.as_ref().map_or(else_, |time| Time(nanos(Some(time))))
    };
    Period { start: time(start, Time::MIN), end: time(end, Time::MAX) }
}

fn falls(window: &oracle::Window, basis: Basis, period: Period) -> bool {
    period.counts(basis, Time(window.open_time), window.close_time.map(Time))
}

/// Primary and nested windows.
fn tally<'a>(windows: impl Iterator<Item = &'a oracle::Window>) -> (i64, i64) {
    windows.fold((0, 0), |(primary, nested), window| match window.primary {
        None => (primary + 1, nested),
        Some(_) => (primary, nested + 1),
    })
}

fn dimension(group_by: &[i32]) -> Option<GroupBy> {
    let groups = group_by.iter().map(|number| GroupBy::try_from(*number).expect("known"));
    groups.into_iter().find(|group| !matches!(group, GroupBy::Day | GroupBy::Hour))
}

fn unit(group_by: &[i32]) -> Option<GroupBy> {
    let groups = group_by.iter().map(|number| GroupBy::try_from(*number).expect("known"));
    groups.into_iter().find(|group| matches!(group, GroupBy::Day | GroupBy::Hour))
}

/// What a window has of a dimension, in words.
fn value(world: &World, window: &oracle::Window, dimension: Option<GroupBy>) -> String {
    let actor = |actor: &oracle::Actor| format!("{:?} {}", actor.kind, actor.id);
    match dimension {
        None => String::new(),
        Some(GroupBy::Opener) => actor(&window.opener),
        Some(GroupBy::Closer) => window.closer.as_ref().map(actor).unwrap_or_default(),
        Some(GroupBy::Assignee) => {
            let assignee = window.assignee.as_ref();
            assignee.map(|assignee| format!("{} of {}", assignee.agent, assignee.team)).unwrap_or_default()
        }
        Some(GroupBy::Channel) => world.channel(&window.conversation).to_owned(),
        Some(GroupBy::Topic) => window.topic.clone(),
        other => panic!("{other:?} is no dimension"),
    }
}

/// The same words of a group.
fn shown(actor: &Option<v1::Actor>, assignee: &Option<v1::Assignee>, channel: &str, topic: &str) -> String {
    let actor = actor.as_ref().map(super::world::actor).map(|actor| format!("{:?} {}", actor.kind, actor.id));
    let assignee = assignee.as_ref().map(|assignee| format!("{} of {}", assignee.agent_id, assignee.team_id));
    [actor.unwrap_or_default(), assignee.unwrap_or_default(), channel.to_owned(), topic.to_owned()].concat()
}

#[tokio::test]
async fn counts_are_those_of_going_through_every_ticket() {
    for seed in 0..4 {
        let world = world(seed, 4, 700);
        let queries = world.queries();
        let mut random = Random(seed ^ 0x5eed);
        for _ in 0..120 {
            let request = request(&world, &mut random);
            let response = queries.count_tickets(Request::new(request.clone())).await.expect("counts").into_inner();
            check(&world, &request, &response);
        }
    }
}

fn check(world: &World, request: &v1::CountTicketsRequest, response: &v1::CountTicketsResponse) {
    let as_of = request.as_of_time.as_ref().map(|time| proto::time(time).expect("valid"));
    let view = world.oracle_as_of(as_of);
    let (basis, whole) = (basis_of(request.basis()), period(&request.start_time, &request.end_time));
    let all = tally(view.windows().filter(|window| falls(window, basis, whole)));
    assert_eq!((response.primary_count, response.nested_count), all, "{request:?}");
    let (unit, dimension) = (unit(&request.group_by), dimension(&request.group_by));
    if unit.is_none() && dimension.is_none() {
        assert_eq!(response.groups, []);
        return;
    }
    let mut expected: BTreeMap<(Option<i64>, String), (i64, i64)> = BTreeMap::new();
    let buckets: Vec<Period> = response.groups.iter().map(|group| bucket(group, whole)).collect();
    let mut parts = buckets.clone();
    parts.sort_by_key(|part| part.start);
    parts.dedup();
    for part in parts {
        for window in view.windows().filter(|window| falls(window, basis, part)) {
            let key = (unit.map(|_| part.start.0), value(world, window, dimension));
            let count = tally([window].into_iter());
            let sum = expected.entry(key).or_default();
            *sum = (sum.0 + count.0, sum.1 + count.1);
        }
    }
    let mut found = BTreeMap::new();
    for (group, bucket) in response.groups.iter().zip(buckets) {
        let value = shown(&group.actor, &group.assignee, &group.channel, &group.topic);
        let counts = (group.primary_count, group.nested_count);
        assert!(dimension.is_none() || counts != (0, 0), "a group without tickets");
        if counts != (0, 0) {
            let before = found.insert((unit.map(|_| bucket.start.0), value), counts);
            assert_eq!(before, None, "a group twice: {request:?}");
        }
    }
    assert_eq!(found, expected, "{request:?}");
    if let Some(unit) = unit {
        check_calendar(request, response, unit, dimension, whole, &view, basis);
    }
}

/// The part of the period that a group covers.
fn bucket(group: &v1::count_tickets_response::Group, whole: Period) -> Period {
    let part = period(&group.start_time, &group.end_time);
    Period { start: part.start.max(whole.start), end: part.end.min(whole.end) }
}

/// The labels of a time by the clock on the wall.
fn label(zone: &TimeZone, unit: GroupBy, at: i64) -> String {
    let at = Timestamp::from_nanosecond(i128::from(at)).expect("a time").to_zoned(zone.clone());
    let hour = at.strftime("%Y-%m-%dT%H").to_string() + &at.strftime("%:z").to_string();
    if unit == GroupBy::Day { at.date().to_string() } else { hour }
}

/// Days and hours are those that the clock on the wall shows: found here from each ticket's own time.
fn check_calendar(
    request: &v1::CountTicketsRequest,
    response: &v1::CountTicketsResponse,
    unit: GroupBy,
    dimension: Option<GroupBy>,
    whole: Period,
    view: &oracle::View,
    basis: Basis,
) {
    let name = if request.time_zone.is_empty() { "UTC" } else { &request.time_zone };
    let zone = TimeZone::get(name).expect("a zone");
    for group in &response.groups {
        let start = nanos(group.start_time.as_ref());
        let key = label(&zone, unit, start);
        let shown = group.key.split('/').next().expect("a key");
        let shown = if unit == GroupBy::Day { shown.to_owned() } else { format!("{}{}", &shown[..13], &shown[19..]) };
        assert_eq!(shown, key, "{request:?}");
    }
    if dimension.is_none() {
        let ends = response.groups.windows(2).all(|pair| pair[0].end_time == pair[1].start_time);
        assert!(ends, "every day or hour is there, without gaps");
        let covered = response.groups.first().zip(response.groups.last()).map(|(first, last)| {
            nanos(first.start_time.as_ref()) <= whole.start.0 && whole.end.0 <= nanos(last.end_time.as_ref())
        });
        assert!(covered.unwrap_or(true));
        assert_eq!(covered.is_none(), whole.start == whole.end);
    }
    if basis == Basis::OpenDuring {
        return;
    }
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for window in view.windows().filter(|window| falls(window, basis, whole)) {
        let at = if basis == Basis::Closed { window.close_time.expect("closed") } else { window.open_time };
        *expected.entry(label(&zone, unit, at)).or_default() += 1;
    }
    let mut found: BTreeMap<String, i64> = BTreeMap::new();
    for group in &response.groups {
        let key = label(&zone, unit, nanos(group.start_time.as_ref()));
        *found.entry(key).or_default() += group.primary_count + group.nested_count;
    }
    found.retain(|_, count| *count > 0);
    assert_eq!(found, expected, "{request:?}");
}

#[tokio::test]
async fn statistics_are_at_most_one_percent_off() {
    for seed in 20..23 {
        let world = world(seed, 4, 700);
        let queries = world.queries();
        let mut random = Random(seed ^ 0x57a7);
        for _ in 0..80 {
            let mut times = [instant(&world, &mut random), instant(&world, &mut random)];
            times.sort();
            let dimension = random.chance(60).then(|| *random.pick(&DIMENSIONS));
            let request = v1::GetTicketStatsRequest {
                workspace: WORKSPACE.to_owned(),
                start_time: random.chance(60).then(|| proto::timestamp(times[0])),
                end_time: random.chance(60).then(|| proto::timestamp(times[1])),
                basis: (1 + random.below(2)) as i32,
                group_by: dimension.into_iter().map(i32::from).collect(),
                as_of_time: random.chance(30).then(|| proto::timestamp(as_of(&world, &mut random))),
                include_nested: random.chance(50),
                ..v1::GetTicketStatsRequest::default()
            };
            let response = queries.get_ticket_stats(Request::new(request.clone())).await.expect("stats").into_inner();
            check_stats(&world, &request, &response, dimension);
        }
    }
}

fn check_stats(
    world: &World,
    request: &v1::GetTicketStatsRequest,
    response: &v1::GetTicketStatsResponse,
    dimension: Option<GroupBy>,
) {
    let as_of = request.as_of_time.as_ref().map(|time| proto::time(time).expect("valid"));
    let view = world.oracle_as_of(as_of);
    let (basis, whole) = (basis_of(request.basis()), period(&request.start_time, &request.end_time));
    let chosen: Vec<&oracle::Window> = view
        .windows()
        .filter(|window| falls(window, basis, whole) && (request.include_nested || window.primary.is_none()))
        .collect();
    same_stats(response.total.as_ref().expect("a total"), &chosen, as_of, request);
    let mut groups: BTreeMap<String, Vec<&oracle::Window>> = BTreeMap::new();
    for window in chosen.iter().filter(|_| dimension.is_some()) {
        groups.entry(value(world, window, dimension)).or_default().push(window);
    }
    for group in &response.groups {
        let value = shown(&group.actor, &group.assignee, &group.channel, &group.topic);
        let windows = groups.remove(&value).unwrap_or_else(|| panic!("no tickets of {value:?}: {request:?}"));
        same_stats(group.stats.as_ref().expect("stats"), &windows, as_of, request);
    }
    assert!(groups.is_empty(), "{groups:?} {request:?}");
}

fn same_stats(
    stats: &v1::TicketStats,
    windows: &[&oracle::Window],
    as_of: Option<Time>,
    request: &v1::GetTicketStatsRequest,
) {
    assert_eq!(stats.count, windows.len() as i64, "{request:?}");
    let answers = windows.iter().filter_map(|window| {
        let known = |took: &i64| as_of.is_none_or(|at| window.open_time + took <= at.0);
        window.metrics.first_response.filter(known)
    });
    let resolutions = windows.iter().filter_map(|window| window.metrics.resolution);
    same_durations(stats.first_response.as_ref().expect("stats"), answers.collect(), request);
    same_durations(stats.resolution.as_ref().expect("stats"), resolutions.collect(), request);
}

fn same_durations(stats: &v1::DurationStats, mut all: Vec<i64>, request: &v1::GetTicketStatsRequest) {
    all.sort_unstable();
    assert_eq!(stats.count, all.len() as i64, "{request:?}");
    let took =
        |took: &Option<prost_types::Duration>| took.map(|took| took.seconds * 1_000_000_000 + i64::from(took.nanos));
    for (found, share) in [(&stats.median, 500), (&stats.p90, 900), (&stats.p99, 990)] {
        let rank = (all.len() * share).div_ceil(1000).max(1);
        match (took(found), all.get(rank - 1)) {
            (None, None) => {}
            (Some(found), Some(exact)) => {
                let off = (found - exact).abs() as f64;
                assert!(off <= *exact as f64 / 100.0, "{found} is more than 1 % off {exact}: {request:?}");
            }
            other => panic!("{other:?} {request:?}"),
        }
    }
    let mean = (!all.is_empty()).then(|| all.iter().map(|took| i128::from(*took)).sum::<i128>() / all.len() as i128);
    assert_eq!(took(&stats.mean).map(i128::from), mean, "{request:?}");
}

#[tokio::test]
async fn hours_of_a_zone_with_seconds_are_counted_to_the_nanosecond() {
    // Monrovia was 44 minutes and 30 seconds behind until the midnight of 7 January 1972.
    let mut world = World::new(History::new(3, Time(63_500_000_000_000_000), 3));
    world.go_on(600, 20);
    let queries = world.queries();
    for unit in [GroupBy::Day, GroupBy::Hour] {
        for basis in [v1::Basis::Opened, v1::Basis::Closed, v1::Basis::OpenDuring] {
            let request = v1::CountTicketsRequest {
                workspace: WORKSPACE.to_owned(),
                start_time: Some(proto::timestamp(Time(63_500_000_000_000_001))),
                end_time: Some(proto::timestamp(world.history.now)),
                basis: basis.into(),
                group_by: vec![unit.into()],
                time_zone: "Africa/Monrovia".to_owned(),
                ..v1::CountTicketsRequest::default()
            };
            let response = queries.count_tickets(Request::new(request.clone())).await.expect("counts").into_inner();
            assert!(response.primary_count > 10);
            check(&world, &request, &response);
        }
    }
}

#[tokio::test]
async fn a_workspace_counts_its_own_tickets_alone() {
    let world = world(9, 3, 300);
    let request = v1::CountTicketsRequest { workspace: "other".to_owned(), ..v1::CountTicketsRequest::default() };
    let counts = world.queries().count_tickets(Request::new(request)).await.expect("counts").into_inner();
    assert_eq!(counts, v1::CountTicketsResponse::default());
}

#[tokio::test]
async fn a_ticket_of_no_length_is_in_the_periods_that_hold_its_instant() {
    let mut world = World::new(History::new(1, super::tickets::START, 1));
    let (agent, opening) = (conversation::Actor::new(conversation::ActorKind::Agent, "ana"), world.history.now);
    let open =
        conversation::Action::OpenTicket { topic: String::new(), assignee: None, if_open: conversation::IfOpen::Nest };
    world.history.decide(0, agent, vec![open, conversation::Action::CloseTicket(conversation::Which::Last)]);
    let events = world.history.events.clone();
    world.apply(&events, 1);
    let at = opening.0;
    for (start, end) in [(at, at), (at, at + 1), (at - 1, at), (at - 1, at + 1), (at + 1, at + 1), (at - 1, at - 1)] {
        for as_of in [None, Some(at - 1), Some(at), Some(at + 1)] {
            for basis in [v1::Basis::Opened, v1::Basis::Closed, v1::Basis::OpenDuring] {
                let request = v1::CountTicketsRequest {
                    workspace: WORKSPACE.to_owned(),
                    start_time: Some(proto::timestamp(Time(start))),
                    end_time: Some(proto::timestamp(Time(end))),
                    basis: basis.into(),
                    as_of_time: as_of.map(|at| proto::timestamp(Time(at))),
                    ..v1::CountTicketsRequest::default()
                };
                let counts = world.queries().count_tickets(Request::new(request.clone())).await.expect("counts");
                check(&world, &request, &counts.into_inner());
            }
        }
    }
}
