//! Putting on the bus what a body comes to.

use std::collections::{BTreeMap, HashSet};

use bus::{Bus, DecideError, ErrorKind, Proposal, TraceParent, WorkspaceKeys};
use bytes::Bytes;
use conversation::{Settings, Time};
use futures::future::{join, join_all};
use futures::{StreamExt, TryStreamExt, stream};
use proto::v1;
use service::config::ChannelKind;
use sha2::{Digest, Sha256};

use super::places::Place;
use super::{Intake, IntakeError, Taken, pause_command};
use crate::item::Other;
use crate::limits::token;

/// Decisions made at once for one body.
const AT_ONCE: usize = 16;

/// Everything that a body comes to.
pub(crate) struct Load {
    /// The channel that told all of it: the source that REJECTED names.
    pub(crate) kind: ChannelKind,
    pub(crate) now: Time,
    events: Vec<v1::Event>,
    links: Vec<v1::Event>,
    externals: Vec<External>,
    rejected: Vec<v1::Rejected>,
    /// By workspace and conversation.
    pauses: BTreeMap<(String, String), Vec<Pause>>,
    ids: HashSet<String>,
    repeated: usize,
}

/// Something on a channel that is no chat.
pub(crate) struct External {
    workspace: String,
    name: String,
    id: String,
    json: Bytes,
}

/// The bot has to be silent in a conversation, because of an echo.
pub(crate) struct Pause {
    proposal: Proposal,
}

impl Load {
    /// Of so many items.
    pub(crate) fn new(kind: ChannelKind, now: Time, items: usize) -> Load {
        Load {
            kind,
            now,
            events: Vec::with_capacity(items),
            links: Vec::new(),
            externals: Vec::new(),
            rejected: Vec::new(),
            pauses: BTreeMap::new(),
            ids: HashSet::with_capacity(items),
            repeated: 0,
        }
    }

    /// The first of several with one id counts.
    fn is_new(&mut self, id: &str) -> bool {
        let new = self.ids.insert(id.to_owned());
        self.repeated += usize::from(!new);
        new
    }

    pub(crate) fn event(&mut self, event: v1::Event) {
        if self.is_new(&event.id) {
            self.events.push(event);
        }
    }

    pub(crate) fn link(&mut self, link: v1::Event) {
        if self.ids.insert(link.id.clone()) {
            self.links.push(link);
        }
    }

    pub(crate) fn external(&mut self, external: External) {
        if self.is_new(&external.id) {
            self.externals.push(external);
        }
    }

    pub(crate) fn reject(&mut self, keys: &WorkspaceKeys, workspace: &str, raw: &str, reason: &str) {
        let rejected = rejected(self.kind, keys, workspace, raw.as_bytes(), reason, self.now);
        if self.is_new(&rejected.id) {
            tracing::info!(workspace, reason, id = rejected.id, "item rejected");
            self.rejected.push(rejected);
        }
    }

    /// One for each echo. One for each conversation would not do: where an old echo stands first and was told before,
    /// its pause is a repeat, which changes nothing, and the new one's would be missing.
    pub(crate) fn pause(&mut self, pause: Pause) {
        let Proposal { workspace, conversation, causation_id, .. } = &pause.proposal;
        if self.ids.insert(format!("pause/{causation_id}")) {
            let place = (workspace.clone(), conversation.as_str().to_owned());
            self.pauses.entry(place).or_default().push(pause);
        }
    }
}

impl External {
    pub(crate) fn new(
        kind: ChannelKind,
        keys: &WorkspaceKeys,
        workspace: &str,
        phone_number_id: &str,
        other: &Other,
    ) -> External {
        let source = kind.name();
        External {
            workspace: workspace.to_owned(),
            name: format!("{source}.{}", token(&other.field)),
            id: keys.fact_id(&["external", source, phone_number_id, &other.field, &other.time, &other.json]),
            json: other.json.clone().into(),
        }
    }
}

impl Pause {
    pub(crate) fn new(echo: &v1::Event, place: &Place, settings: Settings, trace: &TraceParent) -> Pause {
        Pause {
            proposal: Proposal {
                workspace: echo.workspace.clone(),
                conversation: place.conversation.clone(),
                channel: echo.channel.clone(),
                command: pause_command(echo),
                settings,
                causation_id: echo.id.clone(),
                correlation_id: echo.correlation_id.clone(),
                depth: echo.depth + 1,
                trace: trace.clone(),
            },
        }
    }
}

/// Bytes that could not become an event, sealed under the keys of the workspace that they belong to, or of the
/// deployment where that is not known.
pub(crate) fn rejected(
    kind: ChannelKind,
    keys: &WorkspaceKeys,
    workspace: &str,
    raw: &[u8],
    reason: &str,
    now: Time,
) -> v1::Rejected {
    let source = kind.name();
    let hash: String = Sha256::digest(raw).iter().map(|byte| format!("{byte:02x}")).collect();
    v1::Rejected {
        id: keys.fact_id(&["rejected", source, workspace, reason, &hash]),
        workspace: workspace.to_owned(),
        source: source.to_owned(),
        reason: reason.to_owned(),
        record_time: Some(proto::timestamp(now)),
        sealed: keys.seal(raw).into(),
    }
}

impl Intake {
    /// Stores everything, many on their way at once, and returns when all of it is acknowledged.
    pub(crate) async fn store(&self, load: Load, trace: &TraceParent) -> Result<Taken, IntakeError> {
        let taken = Taken {
            events: load.events.len(),
            external: load.externals.len(),
            rejected: load.rejected.len(),
            repeated: load.repeated,
        };
        let links: Vec<String> = load.links.iter().map(|link| link.id.clone()).collect();
        // A link goes first: whoever reads the message next to it knows the whole story.
        let events: Vec<v1::Event> =
            if load.links.is_empty() { load.events } else { load.links.into_iter().chain(load.events).collect() };
        let refused = self.store_events(&events, trace);
        let externals = self.store_externals(&load.externals, trace);
        let (refused, externals) = join(refused, externals).await;
        externals?;
        let mut rejected = load.rejected;
        rejected.extend(self.refused(load.kind, &events, refused?, load.now).await?);
        let filed = self.bus.publish_rejected(rejected, trace).await;
        filed.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.tell(links.into_iter());
        pause_all(&self.desk, load.pauses.into_values()).await?;
        Ok(taken)
    }

    /// Appends events. Answers with those that the bus will never take, and why.
    async fn store_events(
        &self,
        events: &[v1::Event],
        trace: &TraceParent,
    ) -> Result<Vec<(usize, String)>, bus::Error> {
        let mut refused = Vec::new();
        for (at, result) in self.bus.publish_facts(events, trace).await.into_iter().enumerate() {
            match result {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Refused => refused.push((at, error.to_string())),
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    async fn store_externals(&self, externals: &[External], trace: &TraceParent) -> Result<(), bus::Error> {
        let stored = externals.iter().map(|external| {
            self.bus.publish_external(&external.workspace, &external.name, &external.id, external.json.clone(), trace)
        });
        join_all(stored).await.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
    }

    /// Events that the bus will never take, as rejected items: the event itself, sealed as it is.
    async fn refused(
        &self,
        kind: ChannelKind,
        events: &[v1::Event],
        refused: Vec<(usize, String)>,
        now: Time,
    ) -> Result<Vec<v1::Rejected>, bus::Error> {
        let mut all = Vec::with_capacity(refused.len());
        for (at, reason) in refused {
            let Some(event) = events.get(at) else { continue };
            tracing::error!(id = event.id, reason, "the bus refused an event");
            let keys = self.bus.workspace(&event.workspace).await?;
            let raw = prost::Message::encode_to_vec(event);
            all.push(rejected(kind, &keys, &event.workspace, &raw, &reason, now));
        }
        Ok(all)
    }
}

/// Pauses the bot wherever the business wrote from its own phone (W12). Conversations go side by side, the echoes of
/// each in turn.
async fn pause_all(bus: &Bus, pauses: impl Iterator<Item = Vec<Pause>>) -> Result<(), IntakeError> {
    let pause = async |pauses: Vec<Pause>| {
        for Pause { proposal } in pauses {
            match bus.decide(&proposal).await {
                Ok(_) => {}
                Err(DecideError::Refused(refusal)) => {
                    let conversation = &proposal.conversation;
                    tracing::warn!(%conversation, %refusal, "the bot was not paused after an echo");
                }
                Err(DecideError::Bus(error)) => return Err(IntakeError::Bus(error)),
            }
        }
        Ok(())
    };
    stream::iter(pauses).map(pause).buffer_unordered(AT_ONCE).try_collect().await
}
