//! Calls to other systems that outlive the process. The request stands sealed in the record of the run, and a timer
//! reminds of it until it was answered or given up. Each try is told in the record.
//!
//! The first try begins as soon as the run is recorded; the timer that is armed before takes over if the process dies.
//! Tries run beside everything else: a target that hangs holds up nothing but itself, and no more than [`AT_ONCE`] of
//! its calls are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{Bus, Error, now};
use bytes::Bytes;
use conversation::{ConversationId, Revision, Time};
use prost::Message;
use proto::v1;
use proto::v1::run_action::Outcome;
use service::outbound::{NoTls, OutboundClient, OutboundError, OutboundRequest, hmac_sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::options::Options;

/// Header: "sha256=" and the HMAC of the body under the workspace's secret, in hex.
const SIGNATURE: &str = "x-threadmark-signature";
/// Header: the same at each try, so that the target can know a repeat.
const DELIVERY: &str = "x-threadmark-delivery";
/// Calls to one host, and to all, that are under way at once.
const AT_ONCE: usize = 16;
const AT_ONCE_ALL: usize = 256;
/// A try is taken over after this: longer than one may take.
const LEASE: Duration = Duration::from_secs(45);
/// Pause before a call is looked at again whose host is busy.
const BUSY: Duration = Duration::from_secs(2);
/// Longest pause between tries; the first is the option's, and each is four times the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Hosts that are remembered as having calls under way.
const HOSTS: usize = 10_000;

/// Calls other systems. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hooks(Arc<Inner>);

struct Inner {
    bus: Bus,
    options: Options,
    client: OutboundClient,
    all: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// One action of a run that calls.
#[derive(Clone, Debug)]
struct Call {
    workspace: String,
    run: v1::Run,
    /// Where the run stands in RUNS.
    place: Revision,
    step: usize,
}

impl Hooks {
    /// # Errors
    /// When no TLS can be had.
    pub(crate) fn new(bus: Bus, options: Options) -> Result<Hooks, NoTls> {
        let client = OutboundClient::new(options.allow_private_targets, "automation.allow_private_targets")?;
        let all = Arc::new(Semaphore::new(AT_ONCE_ALL));
        Ok(Hooks(Arc::new(Inner { bus, options, client, all, hosts: Mutex::default() })))
    }

    /// Arms the timer that reminds of a call, before its run is recorded.
    pub(crate) async fn arm_first(&self, workspace: &str, run: &v1::Run, step: usize) -> Result<(), Error> {
        self.0.bus.arm(&reminder(workspace, run, step, now().plus(LEASE))).await
    }

    /// Begins to try the calls of a run that has just been recorded.
    pub(crate) fn start(&self, workspace: &str, run: &v1::Run, place: Revision) {
        for (step, action) in run.actions.iter().enumerate() {
            if is_waiting(action) {
                let call = Call { workspace: workspace.to_owned(), run: run.clone(), place, step };
                let hooks = self.clone();
                tokio::spawn(async move { hooks.attempt(call).await });
            }
        }
    }

    /// A reminder is due: tries again if the call is not settled. Returns when the next reminder is armed, not when
    /// the call was answered.
    pub(crate) async fn remind(
        &self,
        workspace: &str,
        run: v1::Run,
        place: Revision,
        step: usize,
    ) -> Result<(), Error> {
        if !run.actions.get(step).is_some_and(is_waiting) {
            return Ok(());
        }
        self.0.bus.arm(&reminder(workspace, &run, step, now().plus(LEASE))).await?;
        let call = Call { workspace: workspace.to_owned(), run, place, step };
        let hooks = self.clone();
        tokio::spawn(async move { hooks.attempt(call).await });
        Ok(())
    }

    async fn attempt(&self, call: Call) {
        if let Err(error) = self.try_attempt(call.clone()).await {
            // The reminder is armed.
            tracing::warn!(run = call.run.id, %error, "a call is tried again later");
        }
    }

    async fn try_attempt(&self, call: Call) -> Result<(), Error> {
        let Some(request) = self.unseal(&call).await? else {
            return self.tell(call, Outcome::Failed, "the conversation was erased".to_owned(), false).await;
        };
        let host = match self.0.client.check(&request.url) {
            Ok(url) => url.host_str().unwrap_or_default().to_owned(),
            Err(refused) => return self.tell(call, Outcome::Failed, refused.to_string(), true).await,
        };
        let Some(_permits) = self.permits(&host) else {
            return self.0.bus.arm(&reminder(&call.workspace, &call.run, call.step, now().plus(BUSY))).await;
        };
        let secret = self.0.options.webhook_secret(&call.workspace);
        if secret.is_empty() {
            let why = "the workspace has no webhook_secret in the configuration, and nothing goes out unsigned";
            return self.tell(call, Outcome::Failed, why.to_owned(), false).await;
        }
        let of_try = OutboundRequest {
            method: "POST".to_owned(),
            url: request.url.clone(),
            headers: headers(&request, &format!("{}/{}", call.run.id, call.step), secret),
            body: request.body.clone(),
            timeout: Duration::from_millis(u64::from(request.timeout_ms)),
        };
        let tried = self.0.client.send(&of_try).await;
        let tries = call.run.actions.get(call.step).map_or(0, |action| action.attempts) + 1;
        match tried {
            Ok(status) => self.tell(call, Outcome::Done, format!("answered {}", status.as_u16()), true).await,
            Err(OutboundError::Never(why)) => self.tell(call, Outcome::Failed, why, true).await,
            Err(OutboundError::Again(why)) if tries >= request.attempts => {
                self.tell(call, Outcome::Failed, format!("gave up after {tries} tries: {why}"), true).await
            }
            Err(OutboundError::Again(why)) => {
                let next = now().plus(self.pause(tries));
                self.0.bus.arm(&reminder(&call.workspace, &call.run, call.step, next)).await?;
                self.tell(call, Outcome::Waiting, why, true).await
            }
        }
    }

    fn pause(&self, tries: u32) -> Duration {
        let pause = self.0.options.hook_pause.saturating_mul(4_u32.saturating_pow(tries.saturating_sub(1)));
        pause.min(LONGEST_PAUSE)
    }

    /// The right to have one more call under way; `None` while the host, or everything, is busy.
    fn permits(&self, host: &str) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let of_host = {
            let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            if hosts.len() >= HOSTS {
                hosts.retain(|_, calls| calls.available_permits() < AT_ONCE);
            }
            hosts.entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))).clone()
        };
        Some((of_host.try_acquire_owned().ok()?, self.0.all.clone().try_acquire_owned().ok()?))
    }

    async fn unseal(&self, call: &Call) -> Result<Option<v1::SealedWebhook>, Error> {
        let sealed = call.run.actions.get(call.step).map(|action| action.sealed.clone()).unwrap_or_default();
        let (workspace, bus) = (&call.workspace, &self.0.bus);
        let clear = match ConversationId::parse(&call.run.conversation_id) {
            Some(conversation) => match bus.conversation(workspace, conversation.as_str()).await? {
                Some(keyring) => return Ok(keyring.open(&sealed).ok()),
                None => return Ok(None),
            },
            None => bus.workspace(workspace).await?.open(&sealed),
        };
        Ok(clear.ok().and_then(|clear| v1::SealedWebhook::decode(clear.as_slice()).ok()))
    }

    /// Writes down what became of a try. Other actions of the run may have been written down meanwhile.
    async fn tell(&self, call: Call, outcome: Outcome, detail: String, tried: bool) -> Result<(), Error> {
        let Call { workspace, mut run, mut place, step } = call;
        for _ in 0..20 {
            let Some(action) = run.actions.get_mut(step).filter(|action| is_waiting(action)) else { return Ok(()) };
            action.attempts += u32::from(tried);
            action.outcome = outcome.into();
            action.detail.clone_from(&detail);
            if outcome != Outcome::Waiting {
                action.sealed = Bytes::new();
            }
            if outcome == Outcome::Failed && run.outcome() == v1::run::Outcome::Done {
                run.outcome = v1::run::Outcome::Failed.into();
                run.reason = format!("call_webhook: {detail}");
            }
            match self.0.bus.replace_run(&workspace, &run, place).await {
                Err(Error::Conflict) => match self.0.bus.recorded_run(&workspace, &run).await? {
                    Some((at, found)) => (place, run) = (at, found),
                    None => return Ok(()),
                },
                done => {
                    done?;
                    if outcome != Outcome::Waiting {
                        let settled = bus::TimerSlot::of(&reminder(&workspace, &run, step, Time(0)));
                        self.0.bus.disarm(&settled).await?;
                    }
                    return Ok(());
                }
            }
        }
        Err(Error::Conflict)
    }
}

/// Those of the rule, and ours on top.
fn headers(request: &v1::SealedWebhook, delivery: &str, secret: &str) -> Vec<(String, String)> {
    let given = request.headers.iter().map(|header| (header.name.clone(), header.value.clone()));
    let ours = [(SIGNATURE.to_owned(), sign(secret, &request.body)), (DELIVERY.to_owned(), delivery.to_owned())];
    given.chain(ours).collect()
}

/// What a target compares: "sha256=" and 64 hex digits.
fn sign(secret: &str, body: &[u8]) -> String {
    let hex: String = hmac_sha256(secret.as_bytes(), body).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// Whether an action calls, and was neither answered nor given up.
fn is_waiting(action: &v1::RunAction) -> bool {
    action.outcome() == Outcome::Waiting && !action.sealed.is_empty()
}

fn reminder(workspace: &str, run: &v1::Run, step: usize, due: Time) -> v1::Timer {
    v1::Timer {
        workspace: workspace.to_owned(),
        conversation: run.conversation_id.clone(),
        rule: run.rule.clone(),
        rule_version: run.rule_version,
        arming_event_id: run.event_id.clone(),
        arming_revision: run.event_revision,
        due_time: Some(proto::timestamp(due)),
        next_action: u32::try_from(step).ok(),
        run_id: run.id.clone(),
        correlation_id: run.correlation_id.clone(),
        depth: run.depth,
        ..v1::Timer::default()
    }
}
