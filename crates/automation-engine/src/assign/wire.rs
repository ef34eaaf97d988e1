//! The rotation as the bucket keeps it.

use std::collections::BTreeMap;

use conversation::{Actor, ActorKind, Revision, Time};
use proto::v1;

use super::queue::Queued;
use super::rotation::{Held, Pick, Reserved, Rotation, Turns};

const LEAST_OPEN: &str = "least_open";
const ROUND_ROBIN: &str = "round_robin";

pub(super) fn to_wire(rotation: &Rotation) -> v1::Rotation {
    let team = |(team, turns): (&String, &Turns)| v1::TeamRotation {
        team_id: team.clone(),
        order: turns.order.clone(),
        queue: turns.queue.iter().map(queued_to).collect(),
        owed: turns.owed.iter().cloned().collect(),
    };
    let load = |(agent, held): (&String, &BTreeMap<String, Held>)| v1::AgentLoad {
        agent_id: agent.clone(),
        held: held.iter().map(|(conversation, held)| held_to(conversation, held)).collect(),
    };
    v1::Rotation {
        teams: rotation.teams.iter().map(team).collect(),
        load: rotation.load.iter().map(load).collect(),
        picks: rotation.picks.iter().map(pick_to).collect(),
    }
}

pub(super) fn from_wire(stored: v1::Rotation) -> Rotation {
    let team = |team: v1::TeamRotation| {
        let queue = team.queue.into_iter().map(queued_from).collect();
        (team.team_id, Turns { order: team.order, owed: team.owed.into(), queue })
    };
    let load = |load: v1::AgentLoad| {
        let held: BTreeMap<String, Held> = load.held.into_iter().map(held_from).collect();
        (load.agent_id, held)
    };
    Rotation {
        teams: stored.teams.into_iter().map(team).collect(),
        load: stored.load.into_iter().map(load).filter(|(_, held)| !held.is_empty()).collect(),
        picks: stored.picks.into_iter().map(pick_from).collect(),
        changed: false,
    }
}

fn queued_to(queued: &Queued) -> v1::QueuedConversation {
    let rule = Actor::new(ActorKind::Automation, queued.rule.clone());
    v1::QueuedConversation {
        conversation: queued.conversation.clone(),
        strategy: if queued.least_open { LEAST_OPEN } else { ROUND_ROBIN }.to_owned(),
        only_online: queued.only_online,
        capacity: queued.capacity,
        since: Some(proto::timestamp(queued.since)),
        run_id: queued.run.clone(),
        actor: Some(proto::actor_to(&rule)),
        base_revision: number(queued.base),
        causation_id: queued.causation_id.clone(),
        correlation_id: queued.correlation_id.clone(),
        depth: queued.depth,
    }
}

fn queued_from(queued: v1::QueuedConversation) -> Queued {
    Queued {
        conversation: queued.conversation,
        least_open: queued.strategy == LEAST_OPEN,
        only_online: queued.only_online,
        capacity: queued.capacity,
        since: time(queued.since.as_ref()),
        run: queued.run_id,
        rule: queued.actor.map(|actor| actor.id).unwrap_or_default(),
        base: revision(queued.base_revision),
        causation_id: queued.causation_id,
        correlation_id: queued.correlation_id,
        depth: queued.depth,
    }
}

fn held_to(conversation: &str, held: &Held) -> v1::HeldConversation {
    v1::HeldConversation {
        conversation: conversation.to_owned(),
        revision: held.certain.map_or(0, number),
        trigger: held.reserved.map_or(0, |reserved| reserved.trigger),
        pick_time: held.reserved.map(|reserved| proto::timestamp(reserved.time)),
        base_revision: held.reserved.map_or(0, |reserved| number(reserved.base)),
    }
}

fn held_from(held: v1::HeldConversation) -> (String, Held) {
    let base = revision(held.base_revision);
    let reserved = Reserved { trigger: held.trigger, base, time: time(held.pick_time.as_ref()) };
    let reserved = Some(reserved).filter(|reserved| reserved.trigger != 0);
    let certain = Some(revision(held.revision)).filter(|revision| *revision > 0);
    (held.conversation, Held { certain, reserved })
}

fn pick_to(pick: &Pick) -> v1::Pick {
    v1::Pick {
        trigger: pick.trigger,
        agent_id: pick.agent.clone().unwrap_or_default(),
        team_id: pick.team.clone().unwrap_or_default(),
        conversation: pick.conversation.clone(),
        settled: pick.settled,
    }
}

fn pick_from(pick: v1::Pick) -> Pick {
    let some = |id: String| Some(id).filter(|id| !id.is_empty());
    Pick {
        trigger: pick.trigger,
        agent: some(pick.agent_id),
        team: some(pick.team_id),
        conversation: pick.conversation,
        settled: pick.settled,
    }
}

fn time(timestamp: Option<&prost_types::Timestamp>) -> Time {
    timestamp.and_then(proto::time).unwrap_or_default()
}

fn number(revision: Revision) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn revision(number: i64) -> Revision {
    Revision::try_from(number).unwrap_or(0)
}
