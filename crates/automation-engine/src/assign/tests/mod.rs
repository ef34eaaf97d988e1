//! The rotation without a bus.

mod promises;
mod turns;

use bus::Staff;
use conversation::{Assignee, ConversationId, Time};
use proto::v1;
use proto::v1::presence::State;

use super::rotation::Rotation;
use super::{Ask, Chosen, Fallback, Spec, Step, Strategy};

/// The one team of most tests.
const TEAM: &str = "billing";

/// A team of agents, each with a capacity and whether they are there.
fn staff(agents: &[(&str, u32, bool)]) -> Staff {
    let mut staff = Staff::default();
    for (id, capacity, online) in agents {
        let agent = v1::Agent { id: (*id).to_owned(), capacity: *capacity, ..v1::Agent::default() };
        staff.put_agent(1, v1::StoredAgent { agent: Some(agent), incarnation: 1 });
        let state = if *online { State::Online } else { State::Away };
        let presence = Some(v1::Presence { state: state.into(), ..v1::Presence::default() });
        staff.put_presence(*id, v1::StoredPresence { presence, incarnation: 1 });
    }
    put_team(&mut staff, TEAM, &agents.iter().map(|(id, ..)| *id).collect::<Vec<_>>());
    staff
}

fn put_team(staff: &mut Staff, team: &str, agents: &[&str]) {
    let agent_ids: Vec<String> = agents.iter().map(|id| (*id).to_owned()).collect();
    let incarnations = vec![1; agent_ids.len()];
    let default_assignee = agent_ids.last().cloned().unwrap_or_default();
    let team = v1::Team { id: team.to_owned(), agent_ids, default_assignee, ..v1::Team::default() };
    staff.put_team(1, v1::StoredTeam { team: Some(team), incarnations });
}

fn round_robin() -> Strategy {
    Strategy::RoundRobin { team: TEAM.to_owned() }
}

fn spec(strategy: Strategy, only_online: bool, fallback: Fallback) -> Spec {
    Spec { steps: vec![Step { strategy, only_online }], fallback, capacity: None }
}

fn queue() -> Fallback {
    Fallback::TeamQueue { team: TEAM.to_owned() }
}

fn ask(conversation: &str, trigger: &str, base: u64, spec: Spec) -> Ask {
    Ask {
        workspace: "acme".to_owned(),
        conversation: ConversationId::parse(conversation).unwrap(),
        trigger: trigger.to_owned(),
        base,
        spec,
        rule: "to-billing".to_owned(),
        causation_id: "event".to_owned(),
        correlation_id: "event".to_owned(),
        depth: 1,
    }
}

fn pick(rotation: &mut Rotation, staff: &Staff, ask: &Ask) -> Chosen {
    rotation.pick(ask, super::trigger(&ask.trigger), staff, Time::from_seconds(1)).0
}

fn agent_of(chosen: &Chosen) -> Option<&str> {
    match chosen {
        Chosen::Agent(assignee) => assignee.agent(),
        _ => None,
    }
}

fn member(agent: &str) -> Chosen {
    Chosen::Agent(Assignee::Member { agent: agent.to_owned(), team: TEAM.to_owned() })
}
