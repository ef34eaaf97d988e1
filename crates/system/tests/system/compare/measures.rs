//! How long things took, by group: exact counts and means, percentiles at most 1 % off.

use std::collections::BTreeMap;

use fastrand::Rng;
use oracle::{Nanos, Window};
use proto::v1;
use v1::GroupBy;

use super::counts::{DIMENSIONS, Value, value_on_wire};
use super::{Read, basis};
use crate::adapter::{self, length};

impl Read<'_> {
    pub(super) async fn stats(&self, random: &mut Rng) {
        for _ in 0..8 {
            let (start, end) = self.period(random);
            let (basis, of) = loop {
                let chosen = basis(random);
                if chosen.0 != v1::Basis::OpenDuring {
                    break chosen;
                }
            };
            let dimension = random.choice(DIMENSIONS).filter(|_| random.bool());
            let nested = random.bool();
            let request = v1::GetTicketStatsRequest {
                workspace: self.name(),
                start_time: Some(adapter::to_time(start)),
                end_time: Some(adapter::to_time(end)),
                basis: basis.into(),
                group_by: dimension.iter().map(|by| i32::from(*by)).collect(),
                include_nested: nested,
                min_revision: self.min_revision(),
                ..v1::GetTicketStatsRequest::default()
            };
            let given = self.clients().tickets.clone().get_ticket_stats(request.clone()).await.unwrap().into_inner();
            let takes = |window: &&Window| (nested || window.primary.is_none()) && window.falls_into(of, start, end);
            let windows: Vec<&Window> = self.view.windows().filter(takes).collect();
            check(given.total.as_ref().unwrap(), &windows, &request);
            let mut groups: BTreeMap<Value, Vec<&Window>> = BTreeMap::new();
            for window in windows.iter().filter(|_| dimension.is_some()) {
                groups.entry(self.value(dimension, window)).or_default().push(window);
            }
            assert_eq!(given.groups.len(), groups.len(), "{request:?}: {:?}", given.groups);
            for group in &given.groups {
                let value = value_of(dimension, group);
                let windows = groups.get(&value).unwrap_or_else(|| panic!("{value:?} has no tickets: {request:?}"));
                check(group.stats.as_ref().unwrap(), windows, &request);
            }
        }
    }
}

fn value_of(dimension: Option<GroupBy>, group: &v1::get_ticket_stats_response::Group) -> Value {
    value_on_wire(dimension, group.actor.as_ref(), group.assignee.as_ref(), &group.channel, &group.topic)
}

fn check(given: &v1::TicketStats, windows: &[&Window], request: &v1::GetTicketStatsRequest) {
    assert_eq!(usize::try_from(given.count).unwrap(), windows.len(), "{request:?}");
    let lengths = |of: fn(&Window) -> Option<Nanos>| windows.iter().filter_map(|window| of(window)).collect();
    check_lengths(given.first_response.as_ref(), lengths(|window| window.metrics.first_response), request);
    check_lengths(given.resolution.as_ref(), lengths(|window| window.metrics.resolution), request);
}

fn check_lengths(given: Option<&v1::DurationStats>, mut wanted: Vec<Nanos>, request: &v1::GetTicketStatsRequest) {
    wanted.sort_unstable();
    let given = given.cloned().unwrap_or_default();
    assert_eq!(usize::try_from(given.count).unwrap(), wanted.len(), "{request:?}");
    if wanted.is_empty() {
        return;
    }
    let mean = wanted.iter().map(|nanos| i128::from(*nanos)).sum::<i128>() / wanted.len() as i128;
    let given_mean = i128::from(length(given.mean.as_ref().unwrap()));
    assert!((given_mean - mean).abs() <= 1, "mean {given_mean} is not {mean}: {request:?}");
    for (share, given) in [(0.5, &given.median), (0.9, &given.p90), (0.99, &given.p99)] {
        let given = length(given.as_ref().unwrap()) as f64;
        // Between the two values around the rank, however one counts ranks.
        let rank = share * wanted.len() as f64;
        let at = |rank: f64| wanted[(rank.max(0.0) as usize).min(wanted.len() - 1)] as f64;
        let (low, high) = (at((rank - 1.0).floor()), at(rank.ceil()));
        let fits = low * 0.99 - 1.0 <= given && given <= high * 1.01 + 1.0;
        assert!(fits, "{share}: {given} is not within {low} and {high}: {request:?}");
    }
}
