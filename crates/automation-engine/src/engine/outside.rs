//! What does not stand in EVENTS: events of other systems, agents who come and go, and shortcuts.

use std::sync::Arc;

use bus::{Address, AddressKind, Caused, HandlerError, Recorded, now, token};
use conversation::{Actor, ConversationId, Time};
use proto::v1;
use proto::v1::run::Outcome;

use super::compiled::Versioned;
use super::happening::{Happening, actor};
use super::{Engine, Scene, away};
use crate::rule::{Match, Trigger};

impl Engine {
    /// Works on an event of another system. Each rule says for itself which conversation it concerns.
    pub(crate) async fn on_external(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let Some((workspace, happening)) = external(recorded)? else { return Ok(()) };
        self.book.up_to(recorded.appended).await.map_err(away)?;
        let Some(set) = self.book.at(&workspace, recorded.appended) else { return Ok(()) };
        let Some(bucket) = set.of(&happening.trigger) else { return Ok(()) };
        for place in &bucket.places {
            let Some(versioned) = set.at(*place) else { continue };
            let of_rule = vec![happening.clone()];
            let mut scene = Scene::new(&workspace, set.clone(), of_rule, recorded.redelivered, recorded.trace.clone());
            match self.concerned(&mut scene, versioned).await? {
                Ok(()) => drop(self.consider(&mut scene, versioned).await?),
                Err(reason) => drop(self.conclude(&scene, versioned, Outcome::Skipped, reason).await?),
            }
        }
        Ok(())
    }

    /// Finds the conversation that a rule matches an event to, if it does; says why not where there is none.
    async fn concerned(
        &self,
        scene: &mut Scene,
        versioned: &Arc<Versioned>,
    ) -> Result<Result<(), String>, HandlerError> {
        let Trigger::External { concerns: Some(concerns), .. } = &versioned.rule.on else { return Ok(Ok(())) };
        let context = scene.context(self, 0);
        let workspace = scene.workspace.clone();
        let found = match concerns {
            Match::Conversation(id) => match id.fill(&context) {
                Err(fault) => return Ok(Err(fault.to_string())),
                Ok(id) => {
                    let known = self.bus.conversation(&workspace, &id).await.map_err(away)?;
                    ConversationId::parse(&id).filter(|_| known.is_some())
                }
            },
            Match::Contact { channel, contact } => {
                let filled = channel.fill(&context).and_then(|channel| Ok((channel, contact.fill(&context)?)));
                match filled {
                    Err(fault) => return Ok(Err(fault.to_string())),
                    Ok((channel, contact)) => {
                        scene.happenings[0].channel.clone_from(&channel);
                        self.conversation_of(&workspace, &channel, &contact).await?
                    }
                }
            }
        };
        // The contact itself is not told: a record holds nothing of a customer.
        let Some(found) = found else { return Ok(Err("no conversation fits what it is matched by".to_owned())) };
        scene.happenings[0].conversation = Some(found);
        Ok(Ok(()))
    }

    async fn conversation_of(
        &self,
        workspace: &str,
        channel: &str,
        contact: &str,
    ) -> Result<Option<ConversationId>, HandlerError> {
        for kind in [AddressKind::UserId, AddressKind::Number, AddressKind::Id] {
            let address = Address { kind, value: contact.to_owned() };
            let found = self.bus.find_address(workspace, channel, &address).await.map_err(away)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// An agent came or went. Told by every process, and whenever one starts: the id of the event is the same.
    pub(crate) async fn on_presence(
        &self,
        workspace: &str,
        agent: &str,
        since: Time,
        online: bool,
        again: bool,
    ) -> Result<(), HandlerError> {
        self.book.up_to(since.min(now())).await.map_err(away)?;
        let Some(set) = self.book.at(workspace, since) else { return Ok(()) };
        let what = if online { "online" } else { "offline" };
        let happening = Happening {
            trigger: format!("agent.{what}"),
            workspace: workspace.to_owned(),
            event_id: format!("agent-{}-{what}-{}", token(agent), since.0),
            time: since,
            agent: agent.to_owned(),
            ..system()
        };
        let happening = Happening { correlation_id: happening.event_id.clone(), ..happening };
        // Several processes are told of it: whoever is late finds the record.
        let mut scene = Scene::new(workspace, set, vec![happening], again, None);
        self.react(&mut scene).await
    }

    /// Runs a rule whose trigger is `manual`. `None` if there is none of that name.
    pub(crate) async fn run_manually(
        &self,
        workspace: &str,
        rule: &str,
        conversation: &ConversationId,
        by: &Actor,
        command_id: &str,
    ) -> Result<Option<v1::Run>, HandlerError> {
        let time = now();
        self.book.up_to(time).await.map_err(away)?;
        let Some(set) = self.book.current(workspace) else { return Ok(None) };
        let versioned = set.named(rule).filter(|versioned| matches!(versioned.rule.on, Trigger::Manual)).cloned();
        let Some(versioned) = versioned else { return Ok(None) };
        let event_id = format!("manual-{command_id}");
        let happening = Happening {
            trigger: "manual".to_owned(),
            workspace: workspace.to_owned(),
            conversation: Some(conversation.clone()),
            correlation_id: event_id.clone(),
            event_id,
            time,
            actor: actor(Some(&proto::actor_to(by))),
            ..Happening::default()
        };
        // A command id may be sent again.
        let mut scene = Scene::new(workspace, set, vec![happening], true, None);
        self.consider(&mut scene, &versioned).await.map(Some)
    }
}

/// Nobody in particular did it.
pub(crate) fn system() -> Happening {
    Happening { actor: actor(None), ..Happening::default() }
}

/// An event of another system, and its workspace. `None` for what is no JSON: it is not for rules.
pub(crate) fn external(recorded: &Recorded) -> Result<Option<(String, Happening)>, HandlerError> {
    // ext.<workspace>.<name>
    let mut parts = recorded.subject.splitn(3, '.').skip(1);
    let (workspace, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let data = serde_json::from_slice(&recorded.payload)
        .map_err(|error| HandlerError::GiveUp(format!("{} is no JSON: {error}", recorded.subject)))?;
    let id = match recorded.header("Nats-Msg-Id").filter(|id| !id.is_empty() && id.len() <= 256) {
        Some(id) => id.to_owned(),
        None => format!("ext-{}", recorded.revision),
    };
    let correlation = recorded.header(Caused::CORRELATION).unwrap_or(&id).to_owned();
    let depth = recorded.header(Caused::DEPTH).and_then(|depth| depth.parse().ok()).unwrap_or(0);
    let happening = Happening {
        trigger: format!("external.{name}"),
        workspace: workspace.to_owned(),
        event_id: id,
        outside_place: recorded.revision,
        correlation_id: correlation,
        depth,
        time: recorded.appended,
        name: name.to_owned(),
        data: Some(data),
        ..system()
    };
    Ok(Some((workspace.to_owned(), happening)))
}
