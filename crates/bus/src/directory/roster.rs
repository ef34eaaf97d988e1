//! Reading and writing the directory, as the leader of its bucket has it.

use std::time::Duration;

use conversation::Time;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use proto::v1;
use proto::v1::presence::State;

use super::staff::{Staff, state_at};
use super::{Kind, parse};
use crate::kv::{Bucket, BucketName, Change, Entry};
use crate::{Bus, Error};

/// Reads under way at once.
const AT_ONCE: usize = 32;

/// Reads and writes the directory. Cheap to clone.
#[derive(Clone)]
pub struct Roster(Bucket);

/// Agents that a team names and the directory does not have: their places in `agent_ids`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(pub Vec<usize>);

impl Bus {
    /// The directory, to be read and written.
    pub fn roster(&self) -> Roster {
        Roster(self.bucket(BucketName::Directory))
    }
}

impl Roster {
    /// Makes an agent, or replaces what is known of it; with `expected`, only what has that etag. Presence stays.
    /// Returns the new etag.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it has another etag; [`Error::Away`].
    pub async fn upsert_agent(&self, workspace: &str, agent: v1::Agent, expected: Option<u64>) -> Result<u64, Error> {
        let key = Kind::Agent.key(workspace, &agent.id);
        let agent = v1::Agent { presence: None, ..agent };
        let fresh = u64::from_be_bytes(crate::seal::random()).max(1);
        let put = |found: Option<&v1::StoredAgent>| v1::StoredAgent {
            agent: Some(agent.clone()),
            incarnation: found.map_or(fresh, |found| found.incarnation),
        };
        self.upsert(&key, expected, put).await
    }

    /// Makes a team, or replaces it; with `expected`, only what has that etag. Returns the new etag.
    ///
    /// # Errors
    /// [`Unknown`] inside when agents are not in the directory; as [`Roster::upsert_agent`].
    pub async fn upsert_team(
        &self,
        workspace: &str,
        team: v1::Team,
        expected: Option<u64>,
    ) -> Result<Result<u64, Unknown>, Error> {
        // One by one, from the leader: what a client has just made has to be found.
        let find = async |id: &String| self.0.get::<v1::StoredAgent>(&Kind::Agent.key(workspace, id)).await;
        let found: Vec<_> = stream::iter(&team.agent_ids).map(find).buffered(AT_ONCE).try_collect().await?;
        let found: Vec<Option<u64>> = found.into_iter().map(|slot| Some(slot.value?.incarnation)).collect();
        let unknown: Vec<usize> = (0..found.len()).filter(|nth| found[*nth].is_none()).collect();
        if !unknown.is_empty() {
            return Ok(Err(Unknown(unknown)));
        }
        // Whoever is deleted from here on is out of the team as soon as it is written: the incarnation is gone.
        let incarnations: Vec<u64> = found.into_iter().flatten().collect();
        let key = Kind::Team.key(workspace, &team.id);
        let put = |_: Option<&v1::StoredTeam>| v1::StoredTeam {
            team: Some(team.clone()),
            incarnations: incarnations.clone(),
        };
        self.upsert(&key, expected, put).await.map(Ok)
    }

    /// Sets an agent's presence, which lapses after `ttl`. Returns it with its etag; `None` if there is no such agent.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn set_presence(
        &self,
        workspace: &str,
        agent: &str,
        state: State,
        ttl: Option<Duration>,
        now: Time,
    ) -> Result<Option<(v1::Presence, u64)>, Error> {
        let found = self.0.get::<v1::StoredAgent>(&Kind::Agent.key(workspace, agent)).await?;
        let Some(incarnation) = found.value.map(|stored| stored.incarnation) else { return Ok(None) };
        let set = |found: Option<v1::StoredPresence>, _| {
            let before = found.filter(|stored| stored.incarnation == incarnation).and_then(|stored| stored.presence);
            let same = before.filter(|before| state_at(before, now) == state);
            let presence = v1::Presence {
                state: state.into(),
                expire_time: ttl.map(|ttl| proto::timestamp(now.plus(ttl))),
                update_time: Some(proto::timestamp(now)),
                since_time: same.and_then(|same| same.since_time).or_else(|| Some(proto::timestamp(now))),
            };
            (Change::Put(v1::StoredPresence { presence: Some(presence), incarnation }), presence)
        };
        let (etag, presence) = self.0.modify(&Kind::Presence.key(workspace, agent), set).await?;
        Ok(Some((presence, etag)))
    }

    /// Takes an agent out of the directory, and with one write out of every team. Whether there was one.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn delete_agent(&self, workspace: &str, agent: &str) -> Result<bool, Error> {
        let deleted = self.delete::<v1::StoredAgent>(&Kind::Agent.key(workspace, agent)).await?;
        let Some(deleted) = deleted else { return Ok(false) };
        // Nobody sees this presence any more; what is left of it is only litter.
        let clear = |found: Option<v1::StoredPresence>, _| match found {
            Some(stored) if stored.incarnation == deleted.incarnation => (Change::Delete, ()),
            _ => (Change::Keep, ()),
        };
        if let Err(error) = self.0.modify(&Kind::Presence.key(workspace, agent), clear).await {
            tracing::debug!(%error, "the presence of a deleted agent stays in the bucket");
        }
        Ok(true)
    }

    /// Takes a team out of the directory. Whether there was one.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn delete_team(&self, workspace: &str, team: &str) -> Result<bool, Error> {
        Ok(self.delete::<v1::StoredTeam>(&Kind::Team.key(workspace, team)).await?.is_some())
    }

    /// Everybody in a workspace.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn staff(&self, workspace: &str) -> Result<Staff, Error> {
        self.some(&format!("{workspace}.")).await
    }

    /// Whether one more agent of this id would make more than `most` of them.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn is_full_of_agents(&self, workspace: &str, id: &str, most: usize) -> Result<bool, Error> {
        self.is_full::<v1::StoredAgent>(Kind::Agent, workspace, id, most).await
    }

    /// Whether one more team of this id would make more than `most` of them.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn is_full_of_teams(&self, workspace: &str, id: &str, most: usize) -> Result<bool, Error> {
        self.is_full::<v1::StoredTeam>(Kind::Team, workspace, id, most).await
    }

    async fn is_full<M: Message + Default>(
        &self,
        kind: Kind,
        workspace: &str,
        id: &str,
        most: usize,
    ) -> Result<bool, Error> {
        // Keys of what was deleted are counted too: only when there are many is it worth looking which those are.
        let prefix = kind.prefix(workspace);
        if self.0.count(&prefix).await? < u64::try_from(most).unwrap_or(u64::MAX) {
            return Ok(false);
        }
        let known = self.0.get::<M>(&kind.key(workspace, id)).await?.value.is_some();
        Ok(!known && self.0.keys(&prefix).await?.len() >= most)
    }

    /// The presence of an agent at `now`; OFFLINE where there is no such agent.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn presence(&self, workspace: &str, agent: &str, now: Time) -> Result<v1::Presence, Error> {
        let mut staff = Staff::default();
        let stored = self.0.get::<v1::StoredAgent>(&Kind::Agent.key(workspace, agent)).await?;
        stored.value.into_iter().for_each(|found| staff.put_agent(stored.etag, found));
        let presence = self.0.get::<v1::StoredPresence>(&Kind::Presence.key(workspace, agent)).await?;
        presence.value.into_iter().for_each(|found| staff.put_presence(agent, found));
        Ok(staff.presence(agent, now))
    }

    /// What stands under keys that begin with `prefix`.
    async fn some(&self, prefix: &str) -> Result<Staff, Error> {
        let mut staff = Staff::default();
        for stored in self.0.list_encoded(prefix).await? {
            apply(&mut staff, &stored);
        }
        Ok(staff)
    }

    /// At most `limit` agents whose ids come after `after`, sorted by id, each with its presence at `now` and its
    /// etag; and whether more follow.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn agents(
        &self,
        workspace: &str,
        after: Option<&str>,
        limit: usize,
        now: Time,
    ) -> Result<(Vec<(v1::Agent, u64)>, bool), Error> {
        let staff = self.staff(workspace).await?;
        let (ids, more) = page(staff.agents(), after, limit);
        let shown = ids.into_iter().filter_map(|id| {
            let agent = v1::Agent { presence: Some(staff.presence(id, now)), ..staff.agent(id)?.clone() };
            Some((agent, staff.agent_etag(id)?))
        });
        Ok((shown.collect(), more))
    }

    /// At most `limit` teams whose ids come after `after`, sorted by id, each with its etag; and whether more follow.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn teams(
        &self,
        workspace: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<(v1::Team, u64)>, bool), Error> {
        let staff = self.staff(workspace).await?;
        let (ids, more) = page(staff.teams(), after, limit);
        let shown = ids.into_iter().filter_map(|id| Some((staff.team(id)?, staff.team_etag(id)?)));
        Ok((shown.collect(), more))
    }

    async fn upsert<M: Message + Default + Clone + PartialEq>(
        &self,
        key: &str,
        expected: Option<u64>,
        put: impl Fn(Option<&M>) -> M,
    ) -> Result<u64, Error> {
        let mut tried = false;
        let change = |found: Option<M>, etag| {
            let wanted = put(found.as_ref());
            let ours = tried && found.as_ref() == Some(&wanted);
            let fits = expected.is_none_or(|expected| found.is_some() && expected == etag);
            tried = true;
            match (ours, fits) {
                // Written by a try whose acknowledgement was lost.
                (true, _) => (Change::Keep, Ok(())),
                (false, true) => (Change::Put(wanted), Ok(())),
                (false, false) => (Change::Keep, Err(Error::Conflict)),
            }
        };
        let (etag, done) = self.0.modify(key, change).await?;
        done.map(|()| etag)
    }

    async fn delete<M: Message + Default + Clone>(&self, key: &str) -> Result<Option<M>, Error> {
        let mut seen = None;
        let change = |found: Option<M>, _| {
            // A try whose acknowledgement was lost may have deleted it: then it is gone, and it was there.
            seen = found.or_else(|| seen.take());
            (Change::Delete, ())
        };
        self.0.modify(key, change).await?;
        Ok(seen)
    }
}

/// Makes a change of the bucket in a workspace's staff. What can't be read is left out, and said.
pub(super) fn apply(staff: &mut Staff, entry: &Entry) {
    let Some((_, kind, id)) = parse(&entry.key) else { return };
    let Some(value) = &entry.value else { return staff.remove(kind, &id) };
    let done = match kind {
        Kind::Agent => v1::StoredAgent::decode(value.clone()).map(|stored| staff.put_agent(entry.etag, stored)),
        Kind::Team => v1::StoredTeam::decode(value.clone()).map(|stored| staff.put_team(entry.etag, stored)),
        Kind::Presence => v1::StoredPresence::decode(value.clone()).map(|stored| staff.put_presence(id, stored)),
    };
    if let Err(error) = done {
        tracing::error!(key = entry.key, %error, "an entry of the directory can't be read");
    }
}

fn page<'a>(ids: impl Iterator<Item = &'a str>, after: Option<&str>, limit: usize) -> (Vec<&'a str>, bool) {
    let mut ids = ids.filter(|id| after.is_none_or(|after| *id > after));
    let page = ids.by_ref().take(limit).collect();
    (page, ids.next().is_some())
}
