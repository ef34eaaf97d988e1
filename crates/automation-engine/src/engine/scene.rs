//! One event being worked on, and what was loaded for it so far. Nothing is loaded that nobody asks for.

use std::collections::HashSet;
use std::sync::Arc;

pub(crate) use bus::away;
use bus::{HandlerError, Keyring, Loaded, TraceParent, now};
use conversation::{ConversationId, MAX_RECENT, Recent, Revision, State, Time};
use prost::Message as _;
use proto::v1;

use super::Engine;
use super::compiled::{CompiledSet, Versioned};
use super::context::{Facts, context, history, ticket_id, ticket_of_view};
use super::happening::Happening;
use crate::condition::{Context, Needs};

/// An event recorded longer ago than this may have been worked on before.
const FRESH: std::time::Duration = std::time::Duration::from_secs(60);

/// One event being worked on.
pub(crate) struct Scene {
    pub(crate) workspace: String,
    pub(crate) set: Arc<CompiledSet>,
    /// What it means: at least one, all of the same conversation.
    pub(crate) happenings: Vec<Happening>,
    /// Whether someone may have worked on it before.
    pub(crate) seen_before: bool,
    pub(crate) trace: TraceParent,
    /// The conversation, once it was loaded.
    pub(crate) loaded: Option<Loaded>,
    /// Of each happening.
    facts: Vec<(Needs, Facts)>,
    /// Rules that ran about it.
    pub(crate) fired: HashSet<String>,
    keyring: Option<Keyring>,
}

impl Scene {
    pub(crate) fn new(
        workspace: &str,
        set: Arc<CompiledSet>,
        happenings: Vec<Happening>,
        redelivered: bool,
        trace: Option<TraceParent>,
    ) -> Scene {
        let recorded = happenings.first().map_or(Time::MIN, |happening| happening.time);
        Scene {
            workspace: workspace.to_owned(),
            set,
            seen_before: redelivered || now().since(recorded) > FRESH,
            facts: happenings.iter().map(|_| Default::default()).collect(),
            happenings,
            trace: trace.unwrap_or_else(TraceParent::start),
            loaded: None,
            fired: HashSet::new(),
            keyring: None,
        }
    }

    /// The conversation that it concerns.
    pub(crate) fn conversation(&self) -> Option<&ConversationId> {
        self.happenings.first()?.conversation.as_ref()
    }

    pub(crate) fn state(&self) -> Option<&State> {
        self.loaded.as_ref().map(Loaded::state)
    }

    /// The last decision that is known of; 0 if none is.
    pub(crate) fn revision(&self) -> Revision {
        self.loaded.as_ref().map_or(0, Loaded::revision)
    }

    /// The command of a run, if it is among the last that were decided.
    pub(crate) fn decided(&self, command: u64) -> Option<Recent> {
        self.state()?.recent.iter().rev().find(|recent| recent.key.command == command).copied()
    }

    /// Whether a run of this rule may be recorded although nothing that was loaded shows it.
    pub(crate) fn has_to_look(&self, versioned: &Versioned) -> bool {
        let forgets = self.state().is_none_or(|state| state.recent.len() >= MAX_RECENT);
        self.seen_before || versioned.acts_outside || forgets
    }

    /// What conditions and texts see of a happening, as far as it was loaded.
    pub(crate) fn context(&self, engine: &Engine, nth: usize) -> Context {
        let now = now();
        let fields = engine.options.workspace_fields(&self.workspace, now);
        let happening = &self.happenings[nth];
        let channel = self.loaded.as_ref().and_then(Loaded::last).map(|event| event.channel.as_str());
        let mut context = context(happening, self.state(), &self.facts[nth].1, fields, now);
        if let (Some(conversation), Some(channel)) = (&mut context.conversation, channel)
            && conversation.channel.is_empty()
        {
            channel.clone_into(&mut conversation.channel);
        }
        context
    }

    /// Leaves a happening out.
    pub(crate) fn remove(&mut self, nth: usize) {
        self.happenings.remove(nth);
        self.facts.remove(nth);
    }

    /// Forgets what was loaded, so that it is read anew.
    pub(crate) fn forget(&mut self) {
        self.loaded = None;
        self.facts.iter_mut().for_each(|facts| *facts = Default::default());
    }
}

fn view_away(status: tonic::Status) -> HandlerError {
    HandlerError::Retry(format!("TicketService: {}", status.message()))
}

impl Engine {
    /// Loads the conversation, unless it was.
    pub(crate) async fn need_state(&self, scene: &mut Scene) -> Result<(), HandlerError> {
        if scene.loaded.is_none()
            && let Some(conversation) = scene.conversation()
        {
            scene.loaded = Some(self.bus.load(&scene.workspace, conversation).await.map_err(away)?);
        }
        Ok(())
    }

    /// Loads what is needed of a happening and was not loaded yet.
    pub(crate) async fn need(&self, scene: &mut Scene, nth: usize, needs: Needs) -> Result<(), HandlerError> {
        if scene.conversation().is_none() {
            return Ok(());
        }
        if needs.state || needs.asks_view() {
            self.need_state(scene).await?;
        }
        let had = scene.facts[nth].0;
        if needs.words && !had.words {
            self.load_words(scene, nth).await?;
        }
        if needs.asks_view() {
            self.load_view(scene, nth, needs, had).await?;
        }
        scene.facts[nth].0 = had.and(needs);
        Ok(())
    }

    /// The keys of the conversation; `None` once it was erased.
    pub(crate) async fn keyring(&self, scene: &mut Scene) -> Result<Option<Keyring>, HandlerError> {
        if scene.keyring.is_none()
            && let Some(conversation) = scene.conversation()
        {
            scene.keyring = self.bus.conversation(&scene.workspace, conversation.as_str()).await.map_err(away)?;
        }
        Ok(scene.keyring.clone())
    }

    /// Whether a message for which `test` is true was recorded after a revision.
    pub(crate) async fn said_since(
        &self,
        workspace: &str,
        conversation: &str,
        since: Revision,
        min: Revision,
        test: impl Fn(&v1::Message) -> bool,
    ) -> Result<bool, HandlerError> {
        self.view.said_since(workspace, conversation, since, min, test).await.map_err(view_away)
    }

    /// A ticket as the view knows it.
    pub(crate) async fn ticket(
        &self,
        workspace: &str,
        ticket: &str,
        min: Revision,
    ) -> Result<Option<v1::Ticket>, HandlerError> {
        self.view.ticket(workspace, ticket, min).await.map_err(view_away)
    }

    /// Seals a call, so that it can wait to be answered.
    pub(crate) async fn seal_webhook(
        &self,
        scene: &mut Scene,
        webhook: &v1::SealedWebhook,
    ) -> Result<Vec<u8>, HandlerError> {
        if scene.conversation().is_some() {
            let Some(keyring) = self.keyring(scene).await? else {
                return Err(HandlerError::GiveUp("the conversation was erased".to_owned()));
            };
            return Ok(keyring.seal(webhook));
        }
        let keys = self.bus.workspace(&scene.workspace).await.map_err(away)?;
        Ok(keys.seal(&webhook.encode_to_vec()))
    }

    async fn load_words(&self, scene: &mut Scene, nth: usize) -> Result<(), HandlerError> {
        // Words of someone who was forgotten are words that are not there.
        let Some(keyring) = self.keyring(scene).await? else { return Ok(()) };
        let Some(conversation) = scene.conversation().cloned() else { return Ok(()) };
        let said = scene.happenings[nth].message.clone().filter(|said| !said.sealed.is_empty());
        let sealed = said.as_ref().and_then(|said| keyring.open::<v1::SealedMessage>(&said.sealed).ok());
        let mut contact = sealed.as_ref().and_then(|sealed| sealed.contact.clone());
        scene.facts[nth].1.words = sealed.and_then(|sealed| sealed.message);
        if contact.is_none() {
            let last = self.bus.last_message(&scene.workspace, &conversation).await.map_err(away)?;
            contact = last.and_then(|(_, event)| match event.event {
                Some(v1::event::Event::MessageReceived(received)) => {
                    keyring.open::<v1::SealedMessage>(&received.sealed).ok()?.contact
                }
                _ => None,
            });
        }
        scene.facts[nth].1.contact = contact;
        Ok(())
    }

    async fn load_view(&self, scene: &mut Scene, nth: usize, needs: Needs, had: Needs) -> Result<(), HandlerError> {
        let Some(conversation) = scene.conversation().map(|id| id.as_str().to_owned()) else { return Ok(()) };
        let (workspace, revision) = (scene.workspace.clone(), scene.happenings[nth].revision);
        let min = revision.max(scene.revision());
        if needs.history && !had.history {
            let (known, newest) = tokio::try_join!(
                self.view.conversation(&workspace, &conversation, min),
                self.view.newest(&workspace, &conversation, min)
            )
            .map_err(view_away)?;
            scene.facts[nth].1.history = Some(history(&known.unwrap_or_default(), &newest, revision));
        }
        if needs.last_ticket && !had.last_ticket {
            let last = self.view.last_ticket(&workspace, &conversation, min).await.map_err(view_away)?;
            scene.facts[nth].1.last_ticket = last.as_ref().map(ticket_of_view);
        }
        if needs.ticket_metrics
            && !had.ticket_metrics
            && let Some(id) = ticket_id(&scene.happenings[nth], scene.state())
        {
            let ticket = self.view.ticket(&workspace, &id, min).await.map_err(view_away)?;
            scene.facts[nth].1.metrics = ticket.as_ref().and_then(|ticket| ticket_of_view(ticket).metrics);
        }
        Ok(())
    }
}
