//! One turn, from the message that ends it to the decision, its record, or silence.

use std::time::Duration;

use bus::{DecideError, ErrorKind, HandlerError, Loaded, Proposal, Recording, Span, digest, now};
use conversation::{Action, Assignee, Command, CommandKey, ReplyWindow};
use proto::v1;
use proto::v1::bot_turn::Deed as Did;

use super::decision::{Desk, Told, assignee, told};
use super::deed::Deed;
use super::gather::{Stand, Turn};
use super::heard::Heard;
use super::mark::Mark;
use super::options::Workspace;
use super::record::{command_of, decided, finished, found_again, run_of, turn_of};
use super::{Inner, away};
use crate::brain::{Question, Thought};

/// Pause before a conversation that moved on is looked at again.
const PAUSE: Duration = Duration::from_millis(10);
/// Looks at a conversation that keeps moving on, before it is left for later.
const LOOKS: usize = 100;
/// A message that comes while the bot thinks is waited for, unless the customer has waited so long already.
const WAITED: Duration = Duration::from_secs(20);
/// How long the directory may take to be read for the first time.
const READY: Duration = Duration::from_secs(8);

/// What a brain said about a question; `None` if it could not think.
type Considered = (Question, Option<Thought>);

/// What is to be done next about a message.
enum Next {
    /// Nothing: its effect, if it has one, is on the stream.
    Done,
    /// The conversation has moved on, or the pause is over: look again.
    Again,
}

impl Inner {
    /// Answers the turn that a message ends, if it is the bot's to answer. Once this has returned, the decision or the
    /// record of it is on the stream, or there is none to be.
    pub(super) async fn take(&self, heard: &Heard, workspace: &Workspace) -> Result<(), HandlerError> {
        let run = run_of(heard);
        if self.bus.recorded_run(&heard.workspace, &run).await.map_err(away)?.is_some() {
            return Ok(());
        }
        let span = Span::process("bot", Some(&heard.trace));
        let heard = &Heard { trace: span.trace().clone(), ..heard.clone() };
        let mut considered = None;
        for _ in 0..LOOKS {
            if let Next::Done = self.try_take(heard, workspace, &run, &mut considered).await? {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(HandlerError::Retry("the conversation keeps moving on".to_owned()))
    }

    async fn try_take(
        &self,
        heard: &Heard,
        workspace: &Workspace,
        run: &v1::Run,
        considered: &mut Option<Considered>,
    ) -> Result<Next, HandlerError> {
        let loaded = self.bus.load(&heard.workspace, &heard.conversation).await.map_err(away)?;
        if let Some(recent) = decided(loaded.state(), run) {
            return self.record(heard, found_again(run.clone(), recent)).await;
        }
        let Some(stand) = Stand::of(&loaded) else {
            // Silence while humans have it needs no record: what was said then is never answered later.
            return match considered {
                Some(_) => self.silent(heard, run, Mark::default(), "humans took over while it was thinking").await,
                None => Ok(Next::Done),
            };
        };
        let pause = (heard.time.plus(self.options.pause)).since(now());
        if !pause.is_zero() {
            tokio::time::sleep(pause.min(self.options.pause)).await;
            return Ok(Next::Again);
        }
        let Some(turn) = self.gather(heard, &loaded, stand).await? else {
            return self.silent(heard, run, Mark::default(), "it was said while humans had the conversation").await;
        };
        if let Some(later) = self.continued(heard, &turn).await? {
            return self.joined(heard, run, &later).await;
        }
        if turn.is_empty() {
            return self.silent(heard, run, turn.before, "nothing was said").await;
        }
        let thought = if turn.unreadable { None } else { self.think(&turn, considered).await };
        if turn.began.is_some_and(|began| now().since(began) < WAITED)
            && let Some(later) = self.continued(heard, &turn).await?
        {
            return self.joined(heard, run, &later).await;
        }
        self.act(heard, workspace, run, (&loaded, stand), &turn, thought).await
    }

    /// Lets the brain think, unless it has thought about exactly this before.
    async fn think(&self, turn: &Turn, considered: &mut Option<Considered>) -> Option<Thought> {
        if let Some((_, thought)) = considered.as_ref().filter(|(question, _)| *question == turn.question) {
            return thought.clone();
        }
        let thinking = tokio::time::timeout(self.options.think, self.brain.think(turn.question.clone()));
        let thought = match thinking.await {
            Ok(Ok(thought)) => Some(thought),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the bot could not think");
                None
            }
            Err(_) => {
                tracing::warn!("the bot thought for too long");
                None
            }
        };
        *considered = Some((turn.question.clone(), thought.clone()));
        thought
    }

    /// Decides on exactly what was read, and records it.
    async fn act(
        &self,
        heard: &Heard,
        workspace: &Workspace,
        run: &v1::Run,
        (loaded, stand): (&Loaded, Stand),
        turn: &Turn,
        thought: Option<Thought>,
    ) -> Result<Next, HandlerError> {
        let (score, intent) =
            thought.as_ref().map_or((None, None), |thought| (Some(thought.score), thought.intent.clone()));
        let (deed, mark) = turn.deed(thought, stand, workspace, self.options.unhelpful);
        let assignee = match &deed {
            Deed::HandOff { .. } => self.assignee(heard, workspace).await?,
            _ => None,
        };
        let keyring = self.bus.conversation(&heard.workspace, heard.conversation.as_str()).await.map_err(away)?;
        let Some(keyring) = keyring else {
            return self.silent(heard, run, turn.before, "the conversation was erased").await;
        };
        let desk = Desk { workspace, keyring: &keyring, assignee: assignee.clone(), question: &turn.question, score };
        let mut actions = desk.actions(&deed);
        if !ReplyWindow::of(&heard.channel, Some(heard.time)).is_open(now()) {
            actions.retain(|action| !matches!(action, Action::SendMessage { .. }));
            if actions.is_empty() {
                return self.silent(heard, run, turn.before, "the window for free words has closed since").await;
            }
        }
        let told = told(&deed, assignee.as_ref());
        let memory =
            v1::BotTurn { intent: intent.unwrap_or_default(), score: score.unwrap_or_default(), ..turn_of(mark) };
        if actions.is_empty() {
            return self.record(heard, finished(run.clone(), told, memory, 0)).await;
        }
        let proposal = Proposal {
            workspace: heard.workspace.clone(),
            conversation: heard.conversation.clone(),
            channel: heard.channel.clone(),
            command: Command {
                actor: workspace.actor(),
                actions,
                key: CommandKey {
                    command: command_of(run),
                    digest: mark.digest(&run.id),
                    causation: digest(&[heard.id.as_bytes()]),
                },
                expected_revision: Some(loaded.revision()),
            },
            settings: workspace.settings,
            causation_id: heard.id.clone(),
            correlation_id: heard.correlation_id.clone(),
            depth: heard.depth.saturating_add(1),
            trace: heard.trace.clone(),
        };
        match self.bus.decide_on(loaded, &proposal).await {
            Ok(outcome) => self.record(heard, finished(run.clone(), told, memory, outcome.revision)).await,
            // Somebody else was first, or it is not known who was: look again.
            Err(DecideError::Bus(error)) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Retry) => {
                tracing::debug!(run = run.id, %error, "looking at the conversation again");
                Ok(Next::Again)
            }
            Err(DecideError::Bus(error)) => Err(away(error)),
            Err(DecideError::Refused(refusal)) => {
                tracing::debug!(run = run.id, %refusal, "looking at the conversation again");
                Ok(Next::Again)
            }
        }
    }

    async fn assignee(&self, heard: &Heard, workspace: &Workspace) -> Result<Option<Assignee>, HandlerError> {
        let ready = tokio::time::timeout(READY, self.directory.ready()).await;
        ready.map_err(|_| HandlerError::Retry("the directory has not been read yet".to_owned()))?;
        Ok(self.directory.with(&heard.workspace, |staff| assignee(workspace, staff)))
    }

    async fn silent(
        &self,
        heard: &Heard,
        run: &v1::Run,
        before: Mark,
        why: &'static str,
    ) -> Result<Next, HandlerError> {
        let told = told(&Deed::Silence(why), None);
        let turn = turn_of(Mark { deed: Did::Silent, ..before });
        self.record(heard, finished(run.clone(), told, turn, 0)).await
    }

    async fn joined(&self, heard: &Heard, run: &v1::Run, later: &str) -> Result<Next, HandlerError> {
        let told = Told { actions: Vec::new(), reason: format!("answered together with {later}") };
        let turn = turn_of(Mark { deed: Did::Joined, ..Mark::default() });
        self.record(heard, finished(run.clone(), told, turn, 0)).await
    }

    /// Records a turn, once.
    async fn record(&self, heard: &Heard, run: v1::Run) -> Result<Next, HandlerError> {
        match self.bus.record_run(&heard.workspace, &run).await.map_err(away)? {
            Recording::New(_) | Recording::Found(..) => Ok(Next::Done),
        }
    }
}
