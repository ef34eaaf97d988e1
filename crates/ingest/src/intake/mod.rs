//! From a signed body to the bus: every item becomes an event, or is filed with the reason why not.

mod event;
mod places;
mod route;
mod store;

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use bus::{Bus, TraceParent, WorkspaceKeys};
use conversation::Time;
use proto::v1;
use service::config::ChannelKind;

pub use event::PHONE_ACTOR;
pub use route::Path;

pub(crate) use event::Frame;
pub(crate) use places::Place;
use places::Seeker;
use route::{Routes, Signer, Stray};
use store::{External, Load, Pause};

use crate::item::{BodyError, Chat, Effect, Item, Person, Source, Status, Update};
use crate::{Options, messenger, whatsapp};

/// Links between conversations that are remembered as told; each costs about 100 bytes.
const TOLD: usize = 10_000;

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// None of the secrets that the path allows signed it. Nothing is stored.
    #[error("the signature fits none of the secrets of this path")]
    NotSigned,
    /// It is signed, but no webhook. It is filed in REJECTED.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The bus did not take all of it. Sending it again is safe.
    #[error(transparent)]
    Bus(#[from] bus::Error),
}

/// How many items of a body became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// On EVENTS, each under an id of its own.
    pub events: usize,
    /// On EXTERNAL.
    pub external: usize,
    /// On REJECTED.
    pub rejected: usize,
    /// Told twice by this body.
    pub repeated: usize,
}

/// Takes webhooks.
pub struct Intake {
    bus: Bus,
    /// Decides where an echo pauses the bot.
    desk: Bus,
    routes: Routes,
    options: Options,
    told: Mutex<HashSet<String>>,
}

/// An item whose workspace is known, if it has one.
struct Routed<'a> {
    item: Item<'a>,
    workspace: Result<&'a str, Stray>,
    /// Under whose keys it is filed if it is rejected; empty for the deployment's.
    home: &'a str,
    /// The channel's name in events and in the API; empty if it has no number.
    channel: String,
}

impl Intake {
    /// Takes webhooks for the channels of `options`.
    pub fn new(bus: Bus, options: Options) -> Intake {
        let routes = Routes::new(options.channels.clone());
        Intake { desk: bus.clone(), bus, routes, options, told: Mutex::default() }
    }

    /// The same, for a `bus` that may not decide: decisions go over `desk`.
    pub fn deciding_over(self, desk: Bus) -> Intake {
        Intake { desk, ..self }
    }

    /// Whether a channel on the path has this token for verifying the webhook's address.
    pub fn verifies(&self, kind: ChannelKind, path: Path<'_>, token: &str) -> bool {
        self.routes.verifies(kind, path, token)
    }

    /// Whether the bus answers right now.
    pub fn is_connected(&self) -> bool {
        self.bus.is_connected()
    }

    /// Takes a body apart and returns when every item is on the stream or filed.
    ///
    /// # Errors
    /// [`IntakeError`]; but for the last, nothing of the body became an event.
    pub async fn take(
        &self,
        kind: ChannelKind,
        path: Path<'_>,
        signature: &str,
        body: &[u8],
        trace: &TraceParent,
    ) -> Result<Taken, IntakeError> {
        let signer = self.routes.signer(kind, path, body, signature).ok_or(IntakeError::NotSigned)?;
        let items = match parse(kind, body) {
            Ok(items) => items,
            Err(error) => {
                let workspace = signer.workspace(None).unwrap_or_default();
                self.file(kind, workspace, body, &error.to_string(), trace).await?;
                return Err(error.into());
            }
        };
        let items = route_all(kind, items, &signer);
        let load = self.load(kind, items, trace).await?;
        self.store(load, trace).await
    }

    /// Files a body that could not be taken apart.
    async fn file(
        &self,
        kind: ChannelKind,
        workspace: &str,
        body: &[u8],
        reason: &str,
        trace: &TraceParent,
    ) -> Result<(), bus::Error> {
        let keys = self.bus.workspace(workspace).await?;
        let rejected = store::rejected(kind, &keys, workspace, body, reason, bus::now());
        self.bus.publish_rejected(vec![rejected], trace).await.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
    }

    /// Everything that a body comes to, ready to be stored.
    async fn load(&self, kind: ChannelKind, items: Vec<Routed<'_>>, trace: &TraceParent) -> Result<Load, bus::Error> {
        let keys = self.keys(&items).await?;
        let seekers: Vec<Option<Seeker>> = items.iter().map(seeker).collect();
        let places = places::find(&self.bus, &seekers).await?;
        let mut load = Load::new(kind, bus::now(), items.len());
        for (routed, place) in items.iter().zip(&places) {
            let Some(keys) = keys.get(routed.home) else { continue };
            if let Err(reason) = self.add(routed, place.as_ref(), keys, trace, &mut load) {
                load.reject(keys, routed.home, routed.item.raw, &reason);
            }
        }
        Ok(load)
    }

    /// The keys of every workspace in question, and of the deployment for what belongs to none.
    async fn keys(&self, items: &[Routed<'_>]) -> Result<BTreeMap<String, WorkspaceKeys>, bus::Error> {
        let mut keys = BTreeMap::new();
        for routed in items {
            if !keys.contains_key(routed.home) {
                keys.insert(routed.home.to_owned(), self.bus.workspace(routed.home).await?);
            }
        }
        Ok(keys)
    }

    /// Adds to the load what an item comes to.
    ///
    /// # Errors
    /// The reason for which it is rejected.
    fn add(
        &self,
        routed: &Routed<'_>,
        place: Option<&Place>,
        keys: &WorkspaceKeys,
        trace: &TraceParent,
        load: &mut Load,
    ) -> Result<(), String> {
        let update = routed.item.update.as_ref().map_err(ToString::to_string)?;
        let workspace = routed.workspace.map_err(|stray| stray.to_string())?;
        let number = routed.item.phone_number_id.as_deref().unwrap_or_default();
        let frame = Frame { workspace, channel: &routed.channel, keys, now: load.now };
        match (update, place) {
            (Update::Chat(chat), Some(place)) => self.chat(&frame, chat, place, trace, load),
            (Update::Status(status), Some(place)) => load.event(frame.status(status, place)),
            (Update::Other(other), _) => load.external(External::new(load.kind, keys, workspace, number, other)),
            (_, None) => return Err("its contact could not be found".to_owned()),
        }
        Ok(())
    }

    fn chat(&self, frame: &Frame<'_>, chat: &Chat, place: &Place, trace: &TraceParent, load: &mut Load) {
        let event = frame.chat(chat, place);
        if chat.source == Source::Echo && chat.effect == Effect::Message {
            let settings = self.options.workspaces.get(frame.workspace).copied().unwrap_or_default();
            load.pause(Pause::new(&event, place, settings, trace));
        }
        // A change of the contact says itself which conversation it goes on from.
        if !matches!(chat.effect, Effect::Contact { .. })
            && let Some(link) = frame.link(&chat.person.contact(), place, Time::from_seconds(chat.seconds))
            && !self.was_told(&link.id)
        {
            load.link(link);
        }
        load.event(event);
    }

    fn was_told(&self, id: &str) -> bool {
        self.told.lock().is_ok_and(|told| told.contains(id))
    }

    fn tell(&self, links: impl Iterator<Item = String>) {
        let Ok(mut told) = self.told.lock() else { return };
        for link in links {
            if told.len() >= TOLD {
                told.clear();
            }
            told.insert(link);
        }
    }
}

/// The items of a body: the one place that knows which channel is read by whom.
fn parse(kind: ChannelKind, body: &[u8]) -> Result<Vec<Item<'_>>, BodyError> {
    match kind {
        ChannelKind::Whatsapp => whatsapp::parse(body),
        ChannelKind::Messenger => messenger::parse(body),
    }
}

/// Whose each item is. Those that stand together name one number, which is looked up once.
fn route_all<'a>(kind: ChannelKind, items: Vec<Item<'a>>, signer: &Signer<'a>) -> Vec<Routed<'a>> {
    let mut routed: Vec<Routed<'a>> = Vec::with_capacity(items.len());
    for item in items {
        let (workspace, home) = match routed.last() {
            Some(before) if before.item.phone_number_id == item.phone_number_id => (before.workspace, before.home),
            _ => route(item.phone_number_id.as_deref(), signer),
        };
        let channel = item.phone_number_id.as_deref().map(|id| [kind.name(), ":", id].concat()).unwrap_or_default();
        routed.push(Routed { item, workspace, home, channel });
    }
    routed
}

/// Whose the items of a number are, and under whose keys they are filed if they are rejected.
fn route<'a>(number: Option<&str>, signer: &Signer<'a>) -> (Result<&'a str, Stray>, &'a str) {
    let workspace = signer.workspace(number);
    let home = match workspace {
        Ok(workspace) => workspace,
        // Nobody else's: whoever signed may see what their channels lack.
        Err(Stray::UnknownNumber) => signer.workspace(None).unwrap_or_default(),
        Err(Stray::OtherSecret | Stray::Ambiguous) => "",
    };
    (workspace, home)
}

/// Whose conversation an item needs; `None` if it needs none.
fn seeker<'a>(routed: &'a Routed<'_>) -> Option<Seeker<'a>> {
    let nobody = Person::default();
    let (person, becomes) = match routed.item.update.as_ref().ok()? {
        Update::Chat(chat) => match chat.as_ref() {
            Chat { effect: Effect::Contact { now, .. }, person, .. } => (person, now),
            Chat { person, .. } => (person, &nobody),
        },
        Update::Status(status) => {
            let Status { person, .. } = status.as_ref();
            (person, &nobody)
        }
        Update::Other(_) => return None,
    };
    Some(Seeker {
        workspace: routed.workspace.ok()?,
        channel: Some(routed.channel.as_str()).filter(|channel| !channel.is_empty())?,
        addresses: places::addresses(person),
        becomes: places::addresses(becomes),
    })
}

/// The system's wish that the bot be silent after an echo (W12), known by the echo when it comes again.
pub(crate) fn pause_command(event: &v1::Event) -> conversation::Command {
    use conversation::{Action, Actor, ActorKind, Command, CommandKey};
    let id = event.id.as_bytes();
    Command {
        actor: Actor::new(ActorKind::System, ""),
        actions: vec![Action::PauseBot],
        key: CommandKey {
            command: bus::digest(&[b"echo", id]),
            digest: bus::digest(&[b"PauseBot"]),
            causation: bus::digest(&[id]),
        },
        expected_revision: None,
    }
}
