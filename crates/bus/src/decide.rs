//! Deciding: load the state that the last decision carries, decide, append with the expected sequence, and on
//! conflict start over. Only the append makes a decision real.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::RawMessageErrorKind;
use conversation::{Command, ConversationId, Decision, OpenTicket, Refusal, Revision, Settings, Time};
use meter::meter;
use prost::Message;
use proto::v1;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::connect::PATIENCE;
use crate::error::publish_error;
use crate::fact::EVENT_HEADER;
use crate::load::state_of;
use crate::{Bus, Error, ErrorKind, Loaded, Recorded, Span, TraceParent, stream, subject};

/// Longest pause before deciding again, in milliseconds: 2 to 20 ms keep writers on replicated streams apart.
const PAUSE_MS: std::ops::Range<u64> = 2..20;

/// What someone wants decided.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// In which workspace.
    pub workspace: String,
    /// In which conversation.
    pub conversation: ConversationId,
    /// The address of the business there; taken from the last decision when empty.
    pub channel: String,
    /// What to do.
    pub command: Command,
    /// What the workspace has chosen.
    pub settings: Settings,
    /// The id of the event or command that led to this.
    pub causation_id: String,
    /// The id of the event at the start of the chain.
    pub correlation_id: String,
    /// Links from the start of the chain.
    pub depth: u32,
    /// The trace it belongs to.
    pub trace: TraceParent,
}

/// What became of a proposal.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The decision's place in the log; the last decision's when nothing was to do, 0 if there was none.
    pub revision: Revision,
    /// What was decided.
    pub verdict: Verdict,
}

/// What was decided.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// This, now or when the command came for the first time.
    Decided {
        /// As the log holds it.
        event: Box<v1::Event>,
        /// As the domain knows it, with its revision filled in.
        decision: Box<Decision>,
        /// Whether the command had been decided before.
        repeated: bool,
    },
    /// Nothing was to do.
    Nothing {
        /// The open primary, when opening was asked for and found it.
        primary: Option<OpenTicket>,
    },
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The rules of the window say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bus did not do it.
    #[error(transparent)]
    Bus(#[from] Error),
}

/// First 8 bytes of the SHA-256 of all parts, each led by its length. 0 is kept for "none".
pub fn digest(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(first).max(1)
}

impl Bus {
    /// Decides a command, or answers with what it was decided to be before. Returns once it is on the stream.
    ///
    /// # Errors
    /// [`DecideError::Refused`] by the rules; [`DecideError::Bus`] when the bus is away for 8 s, in which case the
    /// decision may have been made: the same command id tells.
    pub async fn decide(&self, proposal: &Proposal) -> Result<Outcome, DecideError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_decide(proposal).await {
                Err(DecideError::Bus(error)) if may_pass(&error) && Instant::now() < deadline => {
                    tracing::debug!(conversation = %proposal.conversation, %error, "deciding again");
                    tokio::time::sleep(pause()).await;
                }
                done => return done,
            }
        }
    }

    async fn try_decide(&self, proposal: &Proposal) -> Result<Outcome, DecideError> {
        let loaded = self.load(&proposal.workspace, &proposal.conversation).await?;
        self.decide_on(&loaded, proposal).await
    }

    /// Decides a command on the state that was loaded, once: what is appended follows exactly that state. So whoever
    /// looked at the state before proposing acts on what they saw.
    ///
    /// # Errors
    /// [`DecideError::Refused`] by the rules. [`DecideError::Bus`] with [`Error::Conflict`] when the conversation has
    /// moved on: load again. With [`Error::Away`] the decision may have been made: load again, the same command id
    /// tells.
    pub async fn decide_on(&self, loaded: &Loaded, proposal: &Proposal) -> Result<Outcome, DecideError> {
        let done = self.decide_once(loaded, proposal).await;
        count(proposal, &done);
        done
    }

    async fn decide_once(&self, loaded: &Loaded, proposal: &Proposal) -> Result<Outcome, DecideError> {
        if loaded.workspace != proposal.workspace || loaded.state.conversation != proposal.conversation {
            return Err(Error::unreadable("the proposal", "it is for another conversation than the one loaded").into());
        }
        let state = &loaded.state;
        match conversation::decide(state, &proposal.command, &proposal.settings, now())? {
            conversation::Verdict::Nothing { revision, primary } => {
                Ok(Outcome { revision, verdict: Verdict::Nothing { primary } })
            }
            conversation::Verdict::Repeat(revision) => {
                let event = match &loaded.last {
                    Some(event) if state.revision == revision => event.clone(),
                    _ => self.decision_at(revision).await?,
                };
                decided(proposal, revision, event, true)
            }
            conversation::Verdict::Append(decision) => {
                let channel = loaded.last.as_ref().map(|event| event.channel.clone()).unwrap_or_default();
                let event = decision_event(proposal, &decision, channel);
                let revision = self.append_decision(proposal, &event, state.revision).await?;
                let decision = Box::new(Decision { after: decision.after.clone().recorded_at(revision), ..*decision });
                let verdict = Verdict::Decided { event: Box::new(event), decision, repeated: false };
                Ok(Outcome { revision, verdict })
            }
        }
    }

    async fn append_decision(&self, proposal: &Proposal, event: &v1::Event, expected: Revision) -> Result<u64, Error> {
        let mut span = Span::append(stream::EVENTS, &proposal.trace);
        let message = PublishMessage::build()
            .payload(event.encode_to_vec().into())
            .header(EVENT_HEADER, "Decided")
            .header(TraceParent::HEADER, span.trace().as_str())
            .expected_last_subject_sequence(expected);
        let subject = subject::decision(&proposal.workspace, &proposal.conversation);
        let started = Instant::now();
        let sent = self.0.jetstream.send_publish(subject, message).await;
        let mut failed = |error| {
            let error = publish_error("appending a decision", error);
            span.failed(if error.kind() == ErrorKind::Conflict { "conflict" } else { "append" });
            error
        };
        let ack = sent.map_err(&mut failed)?;
        let ack = ack.await.map_err(failed)?;
        meter().events_appended.one(["Decided"]);
        meter().append_seconds.took([], started.elapsed());
        Ok(ack.sequence)
    }

    /// The event at a revision, from the leader of the stream; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Away`]; [`Error::Unreadable`] when what is there is no event.
    pub async fn event_at(&self, revision: Revision) -> Result<Option<v1::Event>, Error> {
        self.recorded_at(revision).await?.map(|recorded| recorded.event()).transpose()
    }

    /// The event at a revision with what stands beside it, from the leader of the stream; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn recorded_at(&self, revision: Revision) -> Result<Option<Recorded>, Error> {
        match self.events().await?.get_raw_message(revision).await {
            Ok(message) => Ok(Some(Recorded::stored(message))),
            Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(Error::away("loading an event", error)),
        }
    }

    async fn decision_at(&self, revision: Revision) -> Result<v1::Event, Error> {
        let found = self.event_at(revision).await?;
        found.ok_or_else(|| Error::unreadable(format!("the decision at revision {revision}"), "it is not there"))
    }
}

/// What became of a command, by the kind of its actor.
fn count(proposal: &Proposal, done: &Result<Outcome, DecideError>) {
    let outcome = match done {
        Ok(Outcome { verdict: Verdict::Decided { repeated: true, .. }, .. }) => "repeated",
        Ok(Outcome { verdict: Verdict::Decided { .. }, .. }) => "decided",
        Ok(Outcome { verdict: Verdict::Nothing { .. }, .. }) => "nothing",
        Err(DecideError::Refused(refusal)) => {
            // The name of the variant, without what it holds.
            let reason = format!("{refusal:?}");
            meter().refusals.one([reason.split([' ', '{']).next().unwrap_or_default()]);
            "refused"
        }
        Err(DecideError::Bus(error)) if error.kind() == ErrorKind::Conflict => "conflict",
        Err(DecideError::Bus(_)) => "away",
    };
    let actor = format!("{:?}", proposal.command.actor.kind).to_ascii_lowercase();
    meter().decisions.one([&actor, outcome]);
}

/// A conflict or an absence may be gone at the next try; an ambiguous append shows itself there as a repeat.
fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Retry)
}

/// Keeps those who write to the same place apart: 2 to 20 ms.
pub(crate) fn pause() -> Duration {
    let [byte] = crate::seal::random::<1>();
    Duration::from_millis(PAUSE_MS.start + u64::from(byte) % (PAUSE_MS.end - PAUSE_MS.start))
}

/// The clock that everything is recorded by.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn decided(proposal: &Proposal, revision: Revision, event: v1::Event, repeated: bool) -> Result<Outcome, DecideError> {
    let after = state_of(&proposal.conversation, revision, &event);
    let decision = match &event.event {
        Some(v1::event::Event::Decided(decided)) => proto::decision_from(&event, decided, after),
        _ => None,
    };
    let decision = decision
        .ok_or_else(|| Error::unreadable(format!("the decision at revision {revision}"), "it decides nothing"))?;
    let verdict = Verdict::Decided { event: Box::new(event), decision: Box::new(decision), repeated };
    Ok(Outcome { revision, verdict })
}

fn decision_event(proposal: &Proposal, decision: &Decision, last_channel: String) -> v1::Event {
    let time = Some(proto::timestamp(decision.time));
    v1::Event {
        id: nuid::next().to_string(),
        workspace: proposal.workspace.clone(),
        conversation: proposal.conversation.as_str().to_owned(),
        actor: Some(proto::actor_to(&decision.actor)),
        occur_time: time,
        record_time: time,
        causation_id: proposal.causation_id.clone(),
        correlation_id: proposal.correlation_id.clone(),
        depth: proposal.depth,
        channel: if proposal.channel.is_empty() { last_channel } else { proposal.channel.clone() },
        event: Some(v1::event::Event::Decided(proto::decision_to(decision))),
    }
}
