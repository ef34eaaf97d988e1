//! One message after the other of a conversation: the intent is written down, then the call is made, then what became of
//! it is told and written down. Whatever is killed when, a message whose intent stands without an outcome is not sent
//! again before it is known, or taken for lost.

use std::sync::Arc;
use std::time::Duration;

use bus::{Error, ErrorKind, Handler, HandlerError, Keyring, Recorded, Span, SpanKind, Standing, now};
use conversation::ActorKind;
use futures::FutureExt;
use futures::future::BoxFuture;
use meter::meter;
use prost::Message;
use proto::v1;
use proto::v1::send::State;
use tokio::time::Instant;

use super::blame::Blame;
use super::cancel::overtaken;
use super::compose::{Composed, Said, Unsendable, compose};
use super::report::Report;
use super::{Delivery, away};
use crate::channel::{Accepted, Advice, Failure};
use crate::line::{Line, Pass};

/// How often it is looked whether a lost call left a sign.
const LOOK: Duration = Duration::from_millis(500);
/// How long what became of a call is held on to while the bus is away. Ours: longer than any election.
const HOLD_ON: Duration = Duration::from_secs(600);
/// Pauses meanwhile.
const PAUSE: Duration = Duration::from_millis(200);
/// Most pauses of a recipient who got too much: 4^6 s is more than an hour.
const PAIR_TRIES: u32 = 6;

/// Sends what stands in the queue of one line.
pub(super) struct Sender {
    pub(super) delivery: Delivery,
    pub(super) line: Arc<Line>,
}

/// What became of the message so far.
type Known = Standing<v1::Send>;

impl Handler for Sender {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let queued = v1::QueuedMessage::decode(recorded.payload.clone());
        let queued = queued.map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        // What is handed out for the first time was never worked on: if it was all the same, writing says so.
        let mut known = match recorded.redelivered {
            true => self.known(&queued).await.map_err(away)?,
            false => Standing { place: 0, value: None },
        };
        let mut blame = Blame::default();
        loop {
            let state = known.value.as_ref().map_or(State::Unspecified, v1::Send::state);
            known = match state {
                State::Accepted | State::Failed | State::Cancelled => return Ok(()),
                State::Intended => self.reconcile(&queued, known).await,
                State::NotSent | State::Unspecified => self.attempt(&queued, known, &mut blame).await,
            }
            .map_err(away)?;
        }
    }
}

impl Sender {
    async fn known(&self, queued: &v1::QueuedMessage) -> Result<Known, Error> {
        self.delivery.0.bus.sent(&queued.workspace, &queued.conversation_id, &queued.message_id).await
    }

    /// Makes one call, if it is still wanted.
    async fn attempt(&self, queued: &v1::QueuedMessage, known: Known, blame: &mut Blame) -> Result<Known, Error> {
        let pass = self.turn(&queued.conversation_id).await;
        let bus = &self.delivery.0.bus;
        let mut composed = match compose(bus, queued).await {
            Ok(composed) => composed,
            Err(Unsendable::Bus(error)) => return Err(error),
            Err(Unsendable::Erased) => return self.settle(queued, known, State::Cancelled, 0).await,
            Err(Unsendable::Because(said, why)) => {
                let (said, keyring) = *said;
                Report::refused("it can't be sent", why).tell(bus, &said, &keyring).await?;
                return self.settle(queued, known, State::Failed, 0).await;
            }
        };
        let said = &composed.said;
        if said.by == Some(ActorKind::Bot) {
            let newest = bus.state(&said.workspace, &said.conversation).await?;
            if overtaken(&said.after, &newest) {
                Report::cancelled().tell(bus, said, &composed.keyring).await?;
                return self.settle(queued, known, State::Cancelled, 0).await;
            }
        }
        let before = known.value.clone().unwrap_or_default();
        let intent =
            v1::Send { state: State::Intended.into(), attempts: before.attempts + 1, ..record(queued, before) };
        let Some(place) = self.write(queued, &intent, known.place).await? else { return self.known(queued).await };
        let known = Standing { place, value: Some(intent) };
        let started = Instant::now();
        let mut span = Span::start("POST", SpanKind::Client, Some(&composed.said.trace));
        span.set("http.request.method", "POST");
        span.set("threadmark.channel.kind", self.kind().to_owned());
        composed.said.trace = span.trace().clone();
        let sent = self.line.api.send(&composed.outgoing).await;
        self.measure(started.elapsed(), &sent);
        if sent.is_err() {
            span.failed("call");
        }
        drop(span);
        match sent {
            Ok(accepted) => self.accepted(queued, &composed, &accepted, known).await,
            Err(failure) => self.failed(queued, &composed, failure, known, &pass, blame).await,
        }
    }

    fn measure(&self, time: Duration, sent: &Result<Accepted, Failure>) {
        let kind = self.kind();
        let outcome = match sent {
            Ok(_) => "accepted".to_owned(),
            Err(failure) => format!("{:?}", failure.advice).to_ascii_lowercase(),
        };
        meter().sends.one([kind, &outcome]);
        meter().send_seconds.took([kind], time);
    }

    /// The kind of the channel, as in "whatsapp".
    fn kind(&self) -> &str {
        self.line.channel.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
    }

    /// Waits until the line is open and it is this recipient's turn.
    async fn turn(&self, conversation: &str) -> Pass<'_> {
        loop {
            let pass = self.line.gate.pass().await;
            self.line.pace.turn(conversation).await;
            if pass.is_probe() || !self.line.gate.is_held() {
                return pass;
            }
        }
    }

    async fn accepted(
        &self,
        queued: &v1::QueuedMessage,
        composed: &Composed,
        accepted: &Accepted,
        known: Known,
    ) -> Result<Known, Error> {
        self.line.took();
        self.works().await;
        let id = accepted.channel_message_id.clone();
        let report = Report::accepted(&id);
        self.hold_on(|| report.tell(&self.delivery.0.bus, &composed.said, &composed.keyring).boxed()).await?;
        let sealed = v1::SealedStatus { channel_message_id: id, report: None };
        let send = v1::Send {
            state: State::Accepted.into(),
            sealed: composed.keyring.seal(&sealed).into(),
            ..record(queued, known.value.unwrap_or_default())
        };
        self.hold_on(|| self.replace(queued, &send, known.place).boxed()).await
    }

    async fn failed(
        &self,
        queued: &v1::QueuedMessage,
        composed: &Composed,
        failure: Failure,
        known: Known,
        pass: &Pass<'_>,
        blame: &mut Blame,
    ) -> Result<Known, Error> {
        let attempts = known.value.as_ref().map_or(1, |send| send.attempts);
        tracing::debug!(message = queued.message_id, attempts, %failure, "a call failed");
        let options = &self.delivery.0.options;
        // Without a code nobody says whether it is this message or all of the number, but what becomes of others does.
        let unsaid = failure.advice == Advice::Retry && failure.code == 0;
        let outage = failure.advice == Advice::Away || (unsaid && !blame.failed(self.line.taken()));
        let times = if unsaid { blame.times() } else { attempts };
        match failure.advice {
            // Its intent stands, and is looked after next.
            Advice::Unknown => return Ok(known),
            Advice::Reword | Advice::Unreachable => return self.give_up(queued, composed, &failure, known).await,
            Advice::Retry if !outage && times >= options.delivery.tries => {
                let failure = if unsaid { blame.of(failure) } else { failure };
                return self.give_up(queued, composed, &failure, known).await;
            }
            _ => {}
        }
        let code = failure.code;
        let known = self.hold_on(|| self.settle(queued, known.clone(), State::NotSent, code).boxed()).await?;
        match failure.advice {
            Advice::StopChannel => self.stop(&failure).await,
            // Nothing of this number gets through: the others need not find out one by one.
            Advice::SlowNumber | Advice::Away | Advice::Retry if outage || failure.advice == Advice::SlowNumber => {
                self.line.gate.slow_down(failure.retry_after, |nth| options.pause(nth));
            }
            Advice::SlowPair => {
                let pause = Duration::from_secs(4_u64.pow(attempts.min(PAIR_TRIES)));
                tokio::time::sleep(failure.retry_after.unwrap_or(pause)).await;
            }
            _ => {
                // A channel that says what is wrong with one message is there.
                if pass.is_probe() {
                    self.works().await;
                }
                tokio::time::sleep(failure.retry_after.unwrap_or(jittered(options.pause(times)))).await;
            }
        }
        Ok(known)
    }

    /// It will not go out: everybody is told why.
    async fn give_up(
        &self,
        queued: &v1::QueuedMessage,
        composed: &Composed,
        failure: &Failure,
        known: Known,
    ) -> Result<Known, Error> {
        self.works().await;
        let report = Report::failed(failure);
        self.hold_on(|| report.tell(&self.delivery.0.bus, &composed.said, &composed.keyring).boxed()).await?;
        self.hold_on(|| self.settle(queued, known.clone(), State::Failed, failure.code).boxed()).await
    }

    /// An intent without an outcome: waits for a status that tells that the call went through; without one, the setting
    /// says what to do.
    async fn reconcile(&self, queued: &v1::QueuedMessage, mut known: Known) -> Result<Known, Error> {
        let options = &self.delivery.0.options;
        let written = known.value.as_ref().and_then(|send| send.time.as_ref()).and_then(proto::time);
        let age = now().0.saturating_sub(written.map_or(0, |time| time.0));
        let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
        let deadline = Instant::now() + options.reconcile().saturating_sub(age);
        while Instant::now() < deadline {
            tokio::time::sleep(LOOK.min(options.reconcile())).await;
            known = self.known(queued).await?;
            if known.value.as_ref().is_none_or(|send| send.state() != State::Intended) {
                return Ok(known);
            }
        }
        let Some((said, keyring)) = self.said(queued).await? else {
            return self.settle(queued, known, State::Cancelled, 0).await;
        };
        let bus = &self.delivery.0.bus;
        if options.resends() && !known.value.as_ref().is_some_and(|send| send.resent) {
            Report::resent().tell(bus, &said, &keyring).await?;
            let before = known.value.clone().unwrap_or_default();
            let send = v1::Send { state: State::NotSent.into(), resent: true, ..record(queued, before) };
            return self.replace(queued, &send, known.place).await;
        }
        let details = "the answer to the call was lost, and no status came: look in the channel's own inbox before you \
            send it again";
        Report::refused("it may have arrived", details).tell(bus, &said, &keyring).await?;
        self.settle(queued, known, State::Failed, 0).await
    }

    /// Where a message comes from, without its words.
    async fn said(&self, queued: &v1::QueuedMessage) -> Result<Option<(Said, Keyring)>, Error> {
        match compose(&self.delivery.0.bus, queued).await {
            Ok(composed) => Ok(Some((composed.said, composed.keyring))),
            Err(Unsendable::Because(said, _)) => Ok(Some(*said)),
            Err(Unsendable::Erased) => Ok(None),
            Err(Unsendable::Bus(error)) => Err(error),
        }
    }

    async fn stop(&self, failure: &Failure) {
        if self.line.gate.stop() {
            tracing::error!(channel = self.line.channel, workspace = self.line.workspace, %failure, "channel stopped");
            self.delivery.tell_line(&self.line, Some(failure)).await;
        }
    }

    async fn works(&self) {
        if self.line.gate.works() {
            tracing::info!(channel = self.line.channel, workspace = self.line.workspace, "channel works again");
            self.delivery.tell_line(&self.line, None).await;
        }
    }

    /// Writes down a state; what else is known stays.
    async fn settle(&self, queued: &v1::QueuedMessage, known: Known, state: State, code: i32) -> Result<Known, Error> {
        let before = known.value.unwrap_or_default();
        let send = v1::Send { state: state.into(), code, ..record(queued, before) };
        self.replace(queued, &send, known.place).await
    }

    /// Writes it down, or says what somebody else wrote meanwhile.
    async fn replace(&self, queued: &v1::QueuedMessage, send: &v1::Send, place: u64) -> Result<Known, Error> {
        match self.write(queued, send, place).await? {
            Some(place) => Ok(Standing { place, value: Some(send.clone()) }),
            None => self.known(queued).await,
        }
    }

    /// `None` when it was written since `place`.
    async fn write(&self, queued: &v1::QueuedMessage, send: &v1::Send, place: u64) -> Result<Option<u64>, Error> {
        match self.delivery.0.bus.record_send(&queued.workspace, send, place).await {
            Ok(place) => Ok(Some(place)),
            Err(Error::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What became of a call must not be forgotten because the bus is away for a while: it would be made again.
    async fn hold_on<'a, T>(&self, act: impl Fn() -> BoxFuture<'a, Result<T, Error>> + Send) -> Result<T, Error> {
        let deadline = Instant::now() + HOLD_ON;
        loop {
            match act().await {
                Err(error) if error.kind() == ErrorKind::Retry && Instant::now() < deadline => {
                    tracing::warn!(%error, "holding on to what became of a call");
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }
}

/// The record of a message, as of now.
fn record(queued: &v1::QueuedMessage, before: v1::Send) -> v1::Send {
    v1::Send {
        message_id: queued.message_id.clone(),
        conversation_id: queued.conversation_id.clone(),
        time: Some(proto::timestamp(now())),
        ..before
    }
}

fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.75 + fastrand::f64() / 2.0)
}
