//! Agents, teams and presence: keyed state in the bucket `directory`.
//!
//! Each agent, team and presence has a key of its own. What ties them together is the *incarnation* of an agent, drawn
//! anew whenever an agent is made: a team names its agents with theirs, presence does too, and whoever reads leaves
//! out what belongs to no living incarnation. So deleting an agent is one write that takes it out of every team at
//! once, also out of teams that are being written at that moment, and an agent who is made again is in none.

mod roster;
mod staff;
mod view;

pub use roster::{Roster, Unknown};
pub use staff::Staff;
pub use view::{Changes, Directory, DirectoryChange};

use crate::kv::{token, untoken};

/// What a key of the bucket names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Agent,
    Team,
    Presence,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Agent => "agent",
            Kind::Team => "team",
            Kind::Presence => "presence",
        }
    }

    fn key(self, workspace: &str, id: &str) -> String {
        format!("{}{}", self.prefix(workspace), token(id))
    }

    /// What all keys of the kind begin with.
    fn prefix(self, workspace: &str) -> String {
        format!("{workspace}.{}.", self.name())
    }
}

/// The workspace, kind and id that a key names; `None` for keys of later versions.
fn parse(key: &str) -> Option<(&str, Kind, String)> {
    let mut parts = key.splitn(3, '.');
    let (workspace, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = [Kind::Agent, Kind::Team, Kind::Presence].into_iter().find(|known| known.name() == kind)?;
    Some((workspace, kind, untoken(id)?))
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};

    #[test]
    fn keys_come_back() {
        for (kind, id) in [(Kind::Agent, "ana"), (Kind::Team, "a.b c"), (Kind::Presence, "é.agent.x")] {
            assert_eq!(parse(&kind.key("acme", id)), Some(("acme", kind, id.to_owned())));
        }
        for key in ["acme", "acme.agent", "acme.shift.x", "acme.agent.a.b", ""] {
            assert_eq!(parse(key), None, "{key}");
        }
    }
}
