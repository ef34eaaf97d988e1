//! Bounds on what clients say of agents and teams.

use std::collections::BTreeSet;
use std::time::Duration;

use proto::v1;
use proto::v1::presence::State;
use service::status::Mistakes;

use crate::grpc::check::{id, short};

/// Most agents of a team: the contract's.
const MAX_TEAM_AGENTS: usize = 1_000;
/// Shortest and longest time that a presence may hold: the contract's.
const TTL: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 60 * 60);
/// Page size where none is asked for, and the largest.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 1_000;

pub(super) fn agent(mistakes: &mut Mistakes, agent: Option<&v1::Agent>) {
    let Some(agent) = agent else { return mistakes.add("agent", "is missing") };
    id(mistakes, "agent.id", &agent.id);
    short(mistakes, "agent.display_name", &agent.display_name);
}

pub(super) fn team(mistakes: &mut Mistakes, team: Option<&v1::Team>) {
    let Some(team) = team else { return mistakes.add("team", "is missing") };
    id(mistakes, "team.id", &team.id);
    short(mistakes, "team.display_name", &team.display_name);
    let count = team.agent_ids.len();
    if count > MAX_TEAM_AGENTS {
        return mistakes.add("team.agent_ids", format!("has {count} agents: at most {MAX_TEAM_AGENTS} are taken"));
    }
    let mut seen = BTreeSet::new();
    for (nth, agent) in team.agent_ids.iter().enumerate() {
        let field = format!("team.agent_ids[{nth}]");
        id(mistakes, &field, agent);
        mistakes.unless(seen.insert(agent), &field, "is in the team already");
    }
    let default = &team.default_assignee;
    let fine = default.is_empty() || team.agent_ids.contains(default);
    mistakes.unless(fine, "team.default_assignee", "is none of the team's agents");
}

/// The etag that is to be replaced, if one is named.
pub(super) fn etag(mistakes: &mut Mistakes, etag: &str) -> Option<u64> {
    if etag.is_empty() {
        return None;
    }
    let read = etag.parse().ok();
    mistakes.unless(read.is_some(), "etag", "is none that this service gave out");
    read
}

pub(super) fn state(mistakes: &mut Mistakes, number: i32) -> State {
    let state = State::try_from(number).unwrap_or(State::Unspecified);
    mistakes.unless(state != State::Unspecified, "state", "is missing or unknown");
    state
}

pub(super) fn ttl(mistakes: &mut Mistakes, ttl: Option<&prost_types::Duration>) -> Option<Duration> {
    let ttl = ttl?;
    let read = Duration::try_from(*ttl).ok().filter(|ttl| TTL.contains(ttl));
    mistakes.unless(read.is_some(), "ttl", "has to be 1 s to 7 days");
    read
}

pub(super) fn page_size(mistakes: &mut Mistakes, size: i32) -> usize {
    mistakes.unless(size >= 0, "page_size", "must not be negative");
    match usize::try_from(size) {
        Ok(0) | Err(_) => PAGE,
        Ok(size) => size.min(LARGEST_PAGE),
    }
}
