use std::collections::BTreeMap;

use conversation::Time;
use proto::v1;
use proto::v1::presence::State;

use super::Kind;

/// Who works in a workspace, and who of them is there. Plain data: time comes in as an argument.
#[derive(Clone, Debug, Default)]
pub struct Staff {
    agents: BTreeMap<String, (u64, v1::StoredAgent)>,
    teams: BTreeMap<String, (u64, v1::StoredTeam)>,
    presence: BTreeMap<String, v1::StoredPresence>,
}

impl Staff {
    /// An agent by its id, without presence.
    pub fn agent(&self, id: &str) -> Option<&v1::Agent> {
        self.agents.get(id)?.1.agent.as_ref()
    }

    /// Every agent's id, sorted.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.agents.keys().map(String::as_str)
    }

    /// Every team's id, sorted.
    pub fn teams(&self) -> impl Iterator<Item = &str> {
        self.teams.keys().map(String::as_str)
    }

    /// The agents of a team who are in the directory, in the order of rotation; `None` if there is no such team.
    pub fn members(&self, team: &str) -> Option<Vec<&str>> {
        let stored = &self.teams.get(team)?.1;
        let ids = stored.team.iter().flat_map(|team| &team.agent_ids);
        let living = ids.zip(&stored.incarnations).filter(|(id, incarnation)| self.lives(id, **incarnation));
        Some(living.map(|(id, _)| id.as_str()).collect())
    }

    /// A team by its id, with those of its agents who are in the directory.
    pub fn team(&self, id: &str) -> Option<v1::Team> {
        let agent_ids: Vec<String> = self.members(id)?.into_iter().map(str::to_owned).collect();
        let stored = self.teams.get(id)?.1.team.clone()?;
        let default_assignee = Some(stored.default_assignee).filter(|id| agent_ids.contains(id)).unwrap_or_default();
        Some(v1::Team { agent_ids, default_assignee, ..stored })
    }

    /// Whether an agent is there at `now`: ONLINE, and that not lapsed.
    pub fn is_online(&self, agent: &str, now: Time) -> bool {
        self.presence_of(agent).is_some_and(|presence| state_at(presence, now) == State::Online)
    }

    /// An agent's presence as it is at `now`: one that lapsed is OFFLINE since then, one that was never set is OFFLINE.
    pub fn presence(&self, agent: &str, now: Time) -> v1::Presence {
        let offline = v1::Presence { state: State::Offline.into(), ..v1::Presence::default() };
        match self.presence_of(agent) {
            None => offline,
            Some(presence) if is_lapsed(presence, now) => {
                v1::Presence { update_time: presence.update_time, since_time: presence.expire_time, ..offline }
            }
            Some(presence) => *presence,
        }
    }

    /// The staff with presence as it is at `now`, which stays so for ever.
    #[must_use]
    pub fn frozen(&self, now: Time) -> Staff {
        let mut frozen = self.clone();
        for (agent, stored) in &mut frozen.presence {
            if stored.presence.is_some() {
                stored.presence = Some(v1::Presence { expire_time: None, ..self.presence(agent, now) });
            }
        }
        frozen
    }

    /// When the presence of an agent who is there lapses, if it does.
    pub(super) fn lapses(&self, agent: &str, now: Time) -> Option<Time> {
        let presence = self.presence_of(agent).filter(|presence| state_at(presence, now) == State::Online)?;
        presence.expire_time.as_ref().and_then(proto::time)
    }

    /// The etags of agents and teams, by their ids.
    pub(super) fn agent_etag(&self, id: &str) -> Option<u64> {
        self.agents.get(id).map(|(etag, _)| *etag)
    }

    /// As [`Staff::agent_etag`].
    pub(super) fn team_etag(&self, id: &str) -> Option<u64> {
        self.teams.get(id).map(|(etag, _)| *etag)
    }

    pub(super) fn incarnation(&self, agent: &str) -> Option<u64> {
        self.agents.get(agent).map(|(_, stored)| stored.incarnation)
    }

    /// Adds an agent, or replaces it.
    pub fn put_agent(&mut self, etag: u64, stored: v1::StoredAgent) {
        if let Some(agent) = &stored.agent {
            self.agents.insert(agent.id.clone(), (etag, stored));
        }
    }

    /// Adds a team, or replaces it.
    pub fn put_team(&mut self, etag: u64, stored: v1::StoredTeam) {
        if let Some(team) = &stored.team {
            self.teams.insert(team.id.clone(), (etag, stored));
        }
    }

    /// Sets the presence of an agent, who need not be known yet.
    pub fn put_presence(&mut self, agent: impl Into<String>, stored: v1::StoredPresence) {
        self.presence.insert(agent.into(), stored);
    }

    pub(super) fn remove(&mut self, kind: Kind, id: &str) {
        match kind {
            Kind::Agent => drop(self.agents.remove(id)),
            Kind::Team => drop(self.teams.remove(id)),
            Kind::Presence => drop(self.presence.remove(id)),
        }
    }

    fn lives(&self, agent: &str, incarnation: u64) -> bool {
        self.incarnation(agent) == Some(incarnation)
    }

    fn presence_of(&self, agent: &str) -> Option<&v1::Presence> {
        let stored = self.presence.get(agent).filter(|stored| self.lives(agent, stored.incarnation))?;
        stored.presence.as_ref()
    }
}

/// What a presence comes to at `now`.
pub(super) fn state_at(presence: &v1::Presence, now: Time) -> State {
    match presence.state() {
        State::Unspecified => State::Offline,
        _ if is_lapsed(presence, now) => State::Offline,
        state => state,
    }
}

fn is_lapsed(presence: &v1::Presence, now: Time) -> bool {
    presence.expire_time.as_ref().and_then(proto::time).is_some_and(|expire| expire <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staff() -> Staff {
        let mut staff = Staff::default();
        for id in ["ana", "ben", "cem"] {
            let agent = v1::Agent { id: id.to_owned(), ..v1::Agent::default() };
            staff.put_agent(1, v1::StoredAgent { agent: Some(agent), incarnation: 7 });
        }
        let team = v1::Team {
            id: "billing".to_owned(),
            agent_ids: vec!["cem".to_owned(), "gone".to_owned(), "ben".to_owned(), "ana".to_owned()],
            default_assignee: "ben".to_owned(),
            ..v1::Team::default()
        };
        staff.put_team(1, v1::StoredTeam { team: Some(team), incarnations: vec![7, 7, 6, 7] });
        staff
    }

    fn online(expire: Option<i64>, incarnation: u64) -> v1::StoredPresence {
        let expire_time = expire.map(|seconds| proto::timestamp(Time::from_seconds(seconds)));
        let presence = v1::Presence { state: State::Online.into(), expire_time, ..v1::Presence::default() };
        v1::StoredPresence { presence: Some(presence), incarnation }
    }

    #[test]
    fn a_team_has_those_of_its_agents_who_are_there_and_are_the_same_ones() {
        let team = staff().team("billing").unwrap();
        assert_eq!(team.agent_ids, ["cem", "ana"], "one was never there, one was made anew");
        assert_eq!(team.default_assignee, "", "who is none of the team's is not its default");
        assert!(staff().team("sales").is_none());
    }

    #[test]
    fn presence_lapses_and_belongs_to_an_incarnation() {
        let mut staff = staff();
        let at = Time::from_seconds;
        assert!(!staff.is_online("ana", at(0)), "never set");
        staff.put_presence("ana", online(Some(10), 7));
        assert!(staff.is_online("ana", at(9)) && !staff.is_online("ana", at(10)));
        assert_eq!(staff.presence("ana", at(10)).state(), State::Offline);
        assert_eq!(staff.presence("ana", at(10)).since_time, Some(proto::timestamp(at(10))));
        let (there, gone) = (staff.frozen(at(9)), staff.frozen(at(10)));
        assert!(there.is_online("ana", Time::MAX) && !gone.is_online("ana", at(0)), "as it was then, for ever");
        staff.put_presence("ben", online(None, 6));
        assert!(!staff.is_online("ben", at(0)), "of one who was deleted");
        staff.put_presence("ben", online(None, 7));
        assert!(staff.is_online("ben", Time::MAX), "holds until set again");
    }
}
