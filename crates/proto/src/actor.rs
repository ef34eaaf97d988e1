use conversation::{Actor, ActorKind, Assignee};

use crate::v1;

/// An actor on the wire.
pub fn actor_to(actor: &Actor) -> v1::Actor {
    let kind = match actor.kind {
        ActorKind::Customer => v1::actor::Kind::Customer,
        ActorKind::Bot => v1::actor::Kind::Bot,
        ActorKind::Automation => v1::actor::Kind::Automation,
        ActorKind::Agent => v1::actor::Kind::Agent,
        ActorKind::System => v1::actor::Kind::System,
    };
    v1::Actor { kind: kind.into(), id: actor.id.clone(), display_name: actor.display_name.clone() }
}

/// An actor from the wire; `None` when its kind is missing or unknown.
pub fn actor_from(actor: &v1::Actor) -> Option<Actor> {
    let kind = match actor.kind() {
        v1::actor::Kind::Unspecified => return None,
        v1::actor::Kind::Customer => ActorKind::Customer,
        v1::actor::Kind::Bot => ActorKind::Bot,
        v1::actor::Kind::Automation => ActorKind::Automation,
        v1::actor::Kind::Agent => ActorKind::Agent,
        v1::actor::Kind::System => ActorKind::System,
    };
    Some(Actor { kind, id: actor.id.clone(), display_name: actor.display_name.clone() })
}

/// An assignee on the wire.
pub fn assignee_to(assignee: &Assignee) -> v1::Assignee {
    v1::Assignee {
        agent_id: assignee.agent().unwrap_or_default().to_owned(),
        team_id: assignee.team().unwrap_or_default().to_owned(),
    }
}

/// An assignee from the wire; `None` when it names nobody.
pub fn assignee_from(assignee: &v1::Assignee) -> Option<Assignee> {
    Assignee::from_ids(&assignee.agent_id, &assignee.team_id)
}
