//! Giving away what waits, as soon as somebody is free; and ending what was reserved for nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bus::{BucketName, DecideError, DirectoryChange, Error, Loaded, Proposal, Staff, TraceParent, Update, now};
use conversation::{Action, Actor, ActorKind, Assignee, Command, CommandKey, ConversationId, Revision, Settings};
use prost::Message;
use proto::v1;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::desk::{AssignError, Desk};
use super::lease::{BEAT, Lease};
use super::queue::Queued;
use super::rotation::Rotation;
use super::{Assigner, Inner, audit};

/// Looked at this often even if nothing was heard.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A conversation whose decision is still to come, or that was overtaken, is looked at again after this.
const SOON: Duration = Duration::from_millis(100);
/// Conversations of one team given away in one pass, and chosen for at once.
const PASS: usize = 256;
const AT_ONCE: usize = 64;

impl Assigner {
    /// Gives away what waits for a team as soon as somebody is free, oldest first, until `stop` is true. May run in
    /// every process: one of them, elected, does the work, another takes over within some 4 s when it is gone.
    pub async fn drain(&self, mut stop: watch::Receiver<bool>) {
        let mut lease = Lease::new(&self.0.bus);
        let (elected, held) = watch::channel(false);
        let drainer = Drainer { inner: self.0.clone(), held: held.clone(), waiting: BTreeSet::new() };
        let electing = async {
            loop {
                elected.send_replace(lease.beat().await);
                tokio::time::sleep(BEAT).await;
            }
        };
        tokio::select! {
            () = electing => {}
            () = drainer.run() => {}
            () = audit::run(self.0.clone(), held) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        lease.release().await;
    }
}

struct Drainer {
    inner: Arc<Inner>,
    held: watch::Receiver<bool>,
    /// The workspaces in which something waits.
    waiting: BTreeSet<String>,
}

/// What is to become of a conversation in a queue.
enum Standing {
    /// It waits.
    Waits,
    /// The decision that makes it wait is still to come.
    NotYet,
    /// Somebody has it, or nobody wants it any more.
    Gone,
}

impl Drainer {
    async fn run(mut self) {
        self.inner.directory.ready().await;
        let mut rotations = self.inner.bus.bucket(BucketName::Rotation).watch("");
        let mut staff = self.inner.directory.changes();
        let (mut due, mut again) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let wait = if again.is_empty() { LOOK_AGAIN } else { SOON };
            tokio::select! {
                updates = rotations.next() => updates.into_iter().for_each(|update| self.take(update, &mut due)),
                change = staff.next() => self.staff_changed(change, &mut due),
                _ = self.held.changed() => due.extend(self.waiting.iter().cloned()),
                () = tokio::time::sleep(wait) => {
                    due.append(&mut again);
                    if wait == LOOK_AGAIN {
                        due.extend(self.waiting.iter().cloned());
                    }
                }
            }
            if !*self.held.borrow() {
                continue;
            }
            for workspace in std::mem::take(&mut due) {
                match self.drain(&workspace).await {
                    Ok(false) => {}
                    Ok(true) => drop(again.insert(workspace)),
                    Err(error) => {
                        tracing::warn!(workspace, %error, "what waits can't be given away now");
                        again.insert(workspace);
                    }
                }
            }
        }
    }

    fn take(&mut self, update: Update, due: &mut BTreeSet<String>) {
        let entries = match update {
            Update::Snapshot(entries) => {
                self.waiting.clear();
                entries
            }
            Update::Changed(entry) => vec![entry],
        };
        for entry in entries.into_iter().filter(|entry| !entry.key.starts_with('_')) {
            let stored = entry.value.and_then(|value| v1::Rotation::decode(value).ok()).unwrap_or_default();
            if stored.teams.iter().any(|team| !team.queue.is_empty()) {
                self.waiting.insert(entry.key.clone());
                due.insert(entry.key);
            } else {
                self.waiting.remove(&entry.key);
            }
        }
    }

    fn staff_changed(&self, change: DirectoryChange, due: &mut BTreeSet<String>) {
        match change {
            DirectoryChange::Online { workspace, .. } | DirectoryChange::Staff { workspace } => {
                due.extend(Some(workspace).filter(|workspace| self.waiting.contains(workspace)));
            }
            DirectoryChange::Offline { .. } => {}
            DirectoryChange::Anything => due.extend(self.waiting.iter().cloned()),
        }
    }

    /// Gives away what can be. Whether to look again soon.
    async fn drain(&self, workspace: &str) -> Result<bool, AssignError> {
        let desk = self.inner.desks.of(workspace);
        let ready = desk.change(|rotation, staff, now| rotation.ready(staff, now, PASS)).await?;
        let (mut again, mut deciding) = (false, JoinSet::new());
        for of_team in ready.chunk_by(|(team, _), (next, _)| team == next) {
            for chunk in of_team.chunks(AT_ONCE) {
                let (offers, later, nobody) = self.offer(&desk, workspace, chunk).await?;
                again |= later;
                for offer in offers {
                    deciding.spawn(give(self.inner.clone(), desk.clone(), offer));
                }
                if nobody {
                    break;
                }
            }
        }
        while let Some(done) = deciding.join_next().await {
            again |= match done {
                Ok(done) => done?,
                Err(error) => {
                    tracing::error!(%error, "giving away what waits panicked");
                    true
                }
            };
        }
        Ok(again)
    }

    /// Chooses agents for conversations that wait, in order. Also whether some have to be looked at again, and whether
    /// nobody is free any more.
    async fn offer(
        &self,
        desk: &Arc<Desk>,
        workspace: &str,
        waiting: &[(String, Queued)],
    ) -> Result<(Vec<Offer>, bool, bool), AssignError> {
        let (mut gone, mut waits, mut later) = (Vec::new(), Vec::new(), false);
        for ((team, queued), loaded) in waiting.iter().zip(self.load(workspace, waiting).await?) {
            let looked = loaded.map(|loaded| (standing(team, queued, &loaded, self.inner.options.undecided), loaded));
            match looked {
                Some((Standing::Waits, loaded)) => waits.push((team.clone(), queued.clone(), loaded)),
                Some((Standing::NotYet, _)) => later = true,
                Some((Standing::Gone, _)) | None => gone.push((team.clone(), queued.clone())),
            }
        }
        let name = |(team, queued, loaded): &(String, Queued, Loaded)| {
            (team.clone(), queued.conversation.clone(), loaded.revision())
        };
        let asked: Vec<(String, String, Revision)> = waits.iter().map(name).collect();
        let choose = move |rotation: &mut Rotation, staff: &Staff, now| {
            gone.iter().for_each(|(team, queued)| rotation.dequeue_same(team, queued));
            let offer = |(team, conversation, revision): &(String, String, Revision)| {
                rotation.offer(team, conversation, *revision, staff, now)
            };
            asked.iter().map(offer).collect::<Vec<Option<String>>>()
        };
        let chosen = desk.change(choose).await?;
        let nobody = !chosen.is_empty() && chosen.iter().all(Option::is_none);
        let offers = waits.into_iter().zip(chosen).filter_map(|((team, queued, loaded), agent)| {
            Some(Offer { workspace: workspace.to_owned(), team, agent: agent?, queued, loaded })
        });
        Ok((offers.collect(), later, nobody))
    }

    /// The conversations as their last decisions left them, in order; `None` for what is none.
    async fn load(&self, workspace: &str, waiting: &[(String, Queued)]) -> Result<Vec<Option<Loaded>>, AssignError> {
        let mut loading = JoinSet::new();
        for (nth, (_, queued)) in waiting.iter().enumerate() {
            let Some(conversation) = ConversationId::parse(&queued.conversation) else { continue };
            let (bus, workspace) = (self.inner.bus.clone(), workspace.to_owned());
            loading.spawn(async move { (nth, bus.load(&workspace, &conversation).await) });
        }
        let mut all: Vec<Option<Loaded>> = waiting.iter().map(|_| None).collect();
        while let Some(loaded) = loading.join_next().await {
            let (nth, loaded) = loaded.map_err(|error| AssignError::Broken(error.to_string()))?;
            all[nth] = Some(loaded.map_err(|error| AssignError::from(&error))?);
        }
        Ok(all)
    }
}

/// A conversation that waits, and who is to have it.
struct Offer {
    workspace: String,
    team: String,
    agent: String,
    queued: Queued,
    loaded: Loaded,
}

impl Offer {
    /// The rule assigns it, as if somebody had been free at once; on exactly the state that was looked at.
    fn proposal(&self) -> Proposal {
        let Offer { workspace, team, agent, queued, loaded } = self;
        let trigger = queued.drain_trigger(loaded.revision());
        let digest = bus::digest(&[b"drained", team.as_bytes(), agent.as_bytes()]);
        let assignee = Assignee::Member { agent: agent.clone(), team: team.clone() };
        Proposal {
            workspace: workspace.clone(),
            conversation: loaded.state().conversation.clone(),
            channel: String::new(),
            command: Command {
                actor: Actor::new(ActorKind::Automation, queued.rule.clone()),
                actions: vec![Action::Assign(assignee)],
                key: CommandKey { command: trigger, digest, causation: 0 },
                expected_revision: Some(loaded.revision()),
            },
            settings: Settings::default(),
            causation_id: queued.causation_id.clone(),
            correlation_id: queued.correlation_id.clone(),
            depth: queued.depth,
            trace: TraceParent::start(),
        }
    }
}

/// Decides what was offered. Whether it is to be looked at again.
async fn give(inner: Arc<Inner>, desk: Arc<Desk>, offer: Offer) -> Result<bool, AssignError> {
    let decided = inner.bus.decide_on(&offer.loaded, &offer.proposal()).await;
    let trigger = offer.queued.drain_trigger(offer.loaded.revision());
    let Offer { team, agent, queued, workspace, .. } = offer;
    let conversation = queued.conversation;
    let revision = match decided {
        Ok(outcome) => outcome.revision,
        // It may be decided all the same: the next look tells.
        Err(DecideError::Bus(error)) if !matches!(error, Error::Conflict) => {
            tracing::warn!(workspace, conversation, %error, "what waits was not given away");
            return Ok(true);
        }
        Err(error) => {
            tracing::debug!(workspace, conversation, %error, "somebody came first");
            let withdraw = move |rotation: &mut Rotation, _: &Staff, _| {
                rotation.withdraw(&team, &conversation, &agent, trigger);
            };
            desk.change(withdraw).await?;
            return Ok(true);
        }
    };
    let taken = move |rotation: &mut Rotation, _: &Staff, _| {
        rotation.taken(&team, &conversation, &agent, trigger, revision);
    };
    desk.change(taken).await?;
    Ok(false)
}

fn standing(team: &str, queued: &Queued, loaded: &Loaded, undecided: Duration) -> Standing {
    let (revision, assignee): (Revision, _) = (loaded.revision(), &loaded.state().assignee);
    match assignee {
        Some(Assignee::Team(holder)) if holder == team => Standing::Waits,
        _ if revision > queued.base => Standing::Gone,
        _ if now().since(queued.since) > undecided => Standing::Gone,
        _ => Standing::NotYet,
    }
}
