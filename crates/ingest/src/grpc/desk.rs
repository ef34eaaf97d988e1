//! What every command needs: the conversation that it names, and someone to decide it.

use std::collections::BTreeMap;

use bus::{Bus, Keyring, Outcome, Proposal, TraceParent, Verdict};
use conversation::{
    Action, Actor, Command, CommandKey, ConversationId, Decision, OpenTicket, Refusal, Revision, Settings,
};
use proto::v1;
use quick_cache::sync::Cache;
use service::status;
use tonic::Status;

use super::ask::{Ask, Head};
use super::refusal;

/// Conversations whose channel is remembered: about 200 bytes each.
const CHANNELS: usize = 50_000;

/// Decides commands.
pub(crate) struct Desk {
    pub(crate) bus: Bus,
    workspaces: BTreeMap<String, Settings>,
    channels: Cache<(String, String), String>,
}

/// A conversation that exists.
pub(crate) struct Known {
    pub(crate) workspace: String,
    pub(crate) conversation: ConversationId,
    pub(crate) keyring: Keyring,
    pub(crate) channel: String,
    settings: Settings,
}

/// What was decided, or that nothing was to do.
pub(crate) struct Done {
    pub(crate) revision: i64,
    verdict: Verdict,
}

impl Desk {
    pub(crate) fn new(bus: Bus, workspaces: BTreeMap<String, Settings>) -> Desk {
        Desk { bus, workspaces, channels: Cache::new(CHANNELS) }
    }

    /// What the workspace has chosen.
    ///
    /// # Errors
    /// NOT_FOUND.
    pub(crate) fn workspace(&self, workspace: &str) -> Result<Settings, Status> {
        self.workspaces.get(workspace).copied().ok_or_else(|| status::not_found("workspace", workspace))
    }

    /// The conversation that a checked command names.
    ///
    /// # Errors
    /// NOT_FOUND, UNAVAILABLE.
    pub(crate) async fn known(&self, head: &Head<'_>) -> Result<Known, Status> {
        let settings = self.workspace(head.workspace)?;
        let found = self.bus.conversation(head.workspace, head.conversation_id).await;
        let found = found.map_err(|error| status::bus(&error))?;
        match (ConversationId::parse(head.conversation_id), found) {
            (Some(conversation), Some(keyring)) => {
                let channel = self.channel(head.workspace, &conversation).await?;
                Ok(Known { workspace: head.workspace.to_owned(), conversation, keyring, channel, settings })
            }
            _ => Err(status::not_found("conversation", head.conversation_id)),
        }
    }

    /// The channel of a conversation: it never changes.
    async fn channel(&self, workspace: &str, conversation: &ConversationId) -> Result<String, Status> {
        let key = (workspace.to_owned(), conversation.as_str().to_owned());
        if let Some(channel) = self.channels.get(&key) {
            return Ok(channel);
        }
        let channel = self.bus.channel(workspace, conversation).await.map_err(|error| status::bus(&error))?;
        if let Some(channel) = &channel {
            self.channels.insert(key, channel.clone());
        }
        Ok(channel.unwrap_or_default())
    }

    /// Decides a checked command.
    ///
    /// # Errors
    /// What the rules or the bus say.
    pub(crate) async fn decide<A: Ask>(
        &self,
        known: &Known,
        ask: &A,
        actions: Vec<Action>,
        trace: TraceParent,
    ) -> Result<Done, Status> {
        let proposal = proposal(known, ask, actions, trace)?;
        Ok(done(self.bus.decide(&proposal).await.map_err(refusal::of)?))
    }

    /// Decides a checked command that says what the channel takes only while its window is open.
    ///
    /// # Errors
    /// What the rules or the bus say; FAILED_PRECONDITION `WINDOW_CLOSED`.
    pub(crate) async fn decide_in_window<A: Ask>(
        &self,
        known: &Known,
        ask: &A,
        actions: Vec<Action>,
        trace: TraceParent,
    ) -> Result<Done, Status> {
        let away = |error: bus::Error| status::bus(&error);
        let (workspace, channel) = (&known.workspace, &known.channel);
        let window = self.bus.reply_window(workspace, &known.conversation, channel).await.map_err(away)?;
        if window.is_open(bus::now()) {
            return self.decide(known, ask, actions, trace).await;
        }
        // What was decided before is answered as before, and whatever else the rules say no to is told first.
        let proposal = proposal(known, ask, actions, trace)?;
        let loaded = self.bus.load(workspace, &known.conversation).await.map_err(away)?;
        let verdict = conversation::decide(loaded.state(), &proposal.command, &proposal.settings, bus::now());
        match verdict {
            Ok(conversation::Verdict::Append(_)) => Err(refusal::window_closed(window)),
            _ => Ok(done(self.bus.decide_on(&loaded, &proposal).await.map_err(refusal::of)?)),
        }
    }

    /// Refuses when a later decision exists than the command expects.
    ///
    /// # Errors
    /// ABORTED, UNAVAILABLE.
    pub(crate) async fn expect(
        &self,
        workspace: &str,
        conversation: &ConversationId,
        expected: Option<i64>,
    ) -> Result<(), Status> {
        let Some(expected) = expected.map(from_wire) else { return Ok(()) };
        let last = self.bus.last_decision(workspace, conversation).await.map_err(|error| status::bus(&error))?;
        match last {
            Some((revision, _)) if revision > expected => Err(refusal::of_refusal(&Refusal::MovedOn { revision })),
            _ => Ok(()),
        }
    }
}

impl Done {
    /// The decision; `None` when nothing was to do.
    pub(crate) fn decision(&self) -> Option<&Decision> {
        match &self.verdict {
            Verdict::Decided { decision, .. } => Some(decision),
            Verdict::Nothing { .. } => None,
        }
    }

    /// The id of what was said.
    pub(crate) fn said(&self) -> String {
        self.decision().and_then(|decision| decision.said().next()).map(|id| id.as_str().to_owned()).unwrap_or_default()
    }

    /// The open primary that kept a ticket from being opened.
    pub(crate) fn found_primary(&self) -> Option<&OpenTicket> {
        match &self.verdict {
            Verdict::Nothing { primary } => primary.as_ref(),
            Verdict::Decided { .. } => None,
        }
    }

    /// The ticket that was opened, as command results show it.
    pub(crate) fn opened(&self, known: &Known) -> Option<v1::Ticket> {
        let decision = self.decision()?;
        let ticket = decision.opened().next()?;
        Some(known.open_ticket(ticket, decision.after.assignee.as_ref()))
    }

    /// The tickets that were closed, in order, as command results show them.
    pub(crate) fn closed(&self, known: &Known) -> Vec<v1::Ticket> {
        let Some(decision) = self.decision() else { return Vec::new() };
        let (workspace, channel, conversation) = known.names();
        let revision = from_wire(self.revision);
        let ticket = |closed| {
            proto::closed_ticket(workspace, channel, conversation, closed, &decision.actor, decision.time, revision)
        };
        decision.closed.iter().map(ticket).collect()
    }
}

impl Known {
    /// An open ticket, as command results show it.
    pub(crate) fn open_ticket(&self, ticket: &OpenTicket, assignee: Option<&conversation::Assignee>) -> v1::Ticket {
        let (workspace, channel, conversation) = self.names();
        proto::open_ticket(workspace, channel, conversation, ticket, assignee)
    }

    fn names(&self) -> (&str, &str, &str) {
        (&self.workspace, &self.channel, self.conversation.as_str())
    }
}

/// What a command asks to be decided.
fn proposal<A: Ask>(known: &Known, ask: &A, actions: Vec<Action>, trace: TraceParent) -> Result<Proposal, Status> {
    let head = ask.head();
    let id = command_id(head.command_id);
    let command = Command {
        actor: actor(&head)?,
        actions,
        key: CommandKey {
            command: bus::digest(&[b"command", id.as_bytes()]),
            digest: bus::digest(&[A::METHOD.as_bytes(), &ask.payload()]),
            causation: 0,
        },
        expected_revision: head.expected_revision.map(from_wire),
    };
    Ok(Proposal {
        workspace: known.workspace.clone(),
        conversation: known.conversation.clone(),
        channel: known.channel.clone(),
        command,
        settings: known.settings,
        causation_id: id,
        correlation_id: String::new(),
        depth: 0,
        trace,
    })
}

fn done(outcome: Outcome) -> Done {
    Done { revision: to_wire(outcome.revision), verdict: outcome.verdict }
}

fn actor(head: &Head<'_>) -> Result<Actor, Status> {
    let actor = head.actor.and_then(proto::actor_from);
    actor.ok_or_else(|| status::invalid("actor.kind", "is missing or unknown"))
}

/// The command's id, or one that nobody else has.
pub(crate) fn command_id(given: &str) -> String {
    if given.is_empty() { nuid::next().to_string() } else { given.to_owned() }
}

pub(crate) fn to_wire(revision: Revision) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn from_wire(revision: i64) -> Revision {
    Revision::try_from(revision).unwrap_or(0)
}
