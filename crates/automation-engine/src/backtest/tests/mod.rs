//! Given what happened, when a draft is tried, then this is reported.

mod difference;
mod log;
mod reactions;
mod timing;
mod turns;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bus::Staff;
use conversation::{Settings, Time};
use proto::v1;
use proto::v1::backtest_report::RuleReport;

use super::draft::{Draft, World};
use super::report::Found;
use super::sim::Sim;
use crate::condition::WorkspaceFields;
use crate::rule::{Known, parse};
use log::{Log, Plain};

/// The period of most tests, in seconds: ten days.
const START: i64 = 1_000_000;
const END: i64 = START + 10 * 86_400;

fn draft(yaml: &str, staff: Staff) -> Arc<Draft> {
    let rules = parse(yaml, &Known::default()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let at = |seconds| Time::from_seconds(seconds);
    // Open from 9 to 17, UTC.
    let fields = |time: Time| WorkspaceFields {
        name: "acme".to_owned(),
        time_zone: "UTC".to_owned(),
        open: (9..17).contains(&(time.0 / 3_600_000_000_000 % 24)),
        holiday: false,
    };
    let world = World { settings: Settings::default(), staff, fields: Box::new(fields) };
    Arc::new(Draft::new("acme", rules, (at(START), at(END)), world))
}

/// Tries rules on a log, in one part.
fn run(yaml: &str, log: &Log, staff: Staff) -> v1::BacktestReport {
    run_in(1, yaml, log, staff)
}

/// Tries rules on a log, in so many parts.
fn run_in(parts: usize, yaml: &str, log: &Log, staff: Staff) -> v1::BacktestReport {
    let draft = draft(yaml, staff);
    let mut found = Found::default();
    for part in 0..parts {
        let mut sim = Sim::new(draft.clone(), Plain, part == 0, Arc::new(AtomicBool::new(false)));
        for item in log.items() {
            if item.event.conversation.bytes().map(usize::from).sum::<usize>() % parts == part {
                sim.take(item);
            }
        }
        found.merge(sim.finish());
    }
    found.report(&draft)
}

fn of<'a>(report: &'a v1::BacktestReport, rule: &str) -> &'a RuleReport {
    report.rules.iter().find(|found| found.rule == rule).unwrap()
}

/// Opened, closed, messages of automations.
fn counts(counts: &Option<v1::BacktestCounts>) -> (i64, i64, i64) {
    let counts = counts.as_ref().unwrap();
    (counts.tickets_opened, counts.tickets_closed, counts.messages_sent)
}

/// "ann@billing 2", who got most first.
fn assigned(all: &[v1::AssignedCount]) -> Vec<String> {
    let mut all: Vec<String> = all
        .iter()
        .map(|assigned| {
            let v1::Assignee { agent_id, team_id } = assigned.assignee.clone().unwrap();
            format!("{agent_id}@{team_id} {}", assigned.count)
        })
        .collect();
    all.sort();
    all
}

/// A team of agents without limits who are all there.
fn team(team: &str, agents: &[(&str, u32)], online: &[&str]) -> Staff {
    let mut staff = Staff::default();
    for (id, capacity) in agents {
        let agent = v1::Agent { id: (*id).to_owned(), capacity: *capacity, ..v1::Agent::default() };
        staff.put_agent(1, v1::StoredAgent { agent: Some(agent), incarnation: 7 });
        let state = if online.contains(id) { v1::presence::State::Online } else { v1::presence::State::Offline };
        let presence = v1::Presence { state: state.into(), ..v1::Presence::default() };
        staff.put_presence(*id, v1::StoredPresence { presence: Some(presence), incarnation: 7 });
    }
    let team = v1::Team {
        id: team.to_owned(),
        agent_ids: agents.iter().map(|(id, _)| (*id).to_owned()).collect(),
        ..v1::Team::default()
    };
    let incarnations = vec![7; agents.len()];
    staff.put_team(1, v1::StoredTeam { team: Some(team), incarnations });
    staff
}
