use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use service::Config;
use service::config::{Channel, ChannelKind, Delivery, WhenUnknown};

use crate::channel;
use crate::channel::messenger::{self, Messenger};
use crate::channel::whatsapp::{self, WhatsApp};
use crate::media::InboundOptions;
use crate::renew::same;

/// First and longest pause between two tries whether a stopped channel works again. Ours: soon enough for a token that
/// somebody just renewed, seldom enough for a channel that stays locked for days.
const PROBE: Duration = Duration::from_secs(5);
const LONGEST_PROBE: Duration = Duration::from_secs(300);
/// Longest pause before a call that failed is made again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What delivery has to know. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Options {
    channels: Arc<RwLock<Vec<Channel>>>,
    /// The configuration, where tokens are renewed.
    pub(crate) file: Option<PathBuf>,
    /// How it goes about it.
    pub delivery: Delivery,
    /// Where files are kept; `None` for the object store of the bus.
    pub media_directory: Option<PathBuf>,
    /// How files of customers are fetched.
    pub media: InboundOptions,
    /// First and longest pause between two tries whether a stopped channel works again.
    pub probe: (Duration, Duration),
}

impl Options {
    /// What the configuration says. Channels without an access token are not sent on.
    pub fn from_config(config: &Config) -> Options {
        let channels = config.channels.iter().filter(|channel| !channel.access_token.is_empty()).cloned().collect();
        Options {
            channels: Arc::new(RwLock::new(channels)),
            file: config.file.clone(),
            delivery: config.delivery.clone(),
            media_directory: config.media.directory(),
            media: InboundOptions::from_config(config),
            probe: (PROBE, LONGEST_PROBE),
        }
    }

    /// Whether anything is sent anywhere.
    pub fn anywhere(&self) -> bool {
        !self.channels().is_empty()
    }

    /// Whether messages of a workspace go out on a channel.
    pub fn sends(&self, workspace: &str, address: &str) -> bool {
        self.configured(workspace, address).is_some()
    }

    /// Whether messages of a workspace go out on any channel.
    pub fn sends_in(&self, workspace: &str) -> bool {
        self.channels().iter().any(|channel| channel.workspace == workspace)
    }

    /// The API of a channel.
    ///
    /// # Errors
    /// Which setting is wrong, and why.
    pub fn api(&self, workspace: &str, address: &str) -> Result<Arc<dyn channel::Channel>, String> {
        let (channel, number) = self.configured(workspace, address).ok_or("it is not configured")?;
        match channel.kind {
            ChannelKind::Whatsapp => Ok(Arc::new(WhatsApp::new(&whatsapp::Options {
                api_base: channel.api_base.clone(),
                phone_number_id: number.to_owned(),
                access_token: channel.access_token.clone(),
                connect_timeout: Duration::from_millis(self.delivery.connect_timeout_ms),
                answer_timeout: Duration::from_millis(self.delivery.answer_timeout_ms),
            })?)),
            ChannelKind::Messenger => Ok(Arc::new(Messenger::new(&messenger::Options {
                api_base: channel.api_base.clone(),
                page_id: number.to_owned(),
                access_token: channel.access_token.clone(),
                connect_timeout: Duration::from_millis(self.delivery.connect_timeout_ms),
                answer_timeout: Duration::from_millis(self.delivery.answer_timeout_ms),
            })?)),
        }
    }

    /// The channels that are named outright; "*" is found out when somebody writes.
    pub(crate) fn named(&self) -> Vec<(String, String)> {
        let channels = self.channels();
        let named = channels.iter().filter(|channel| channel.phone_number_id != "*");
        let address = |channel: &Channel| format!("{}:{}", channel.kind.name(), channel.phone_number_id);
        named.map(|channel| (channel.workspace.clone(), address(channel))).collect()
    }

    /// Takes the token of a channel that is known. Whether it is.
    pub(crate) fn renew(&self, renewed: &Channel) -> bool {
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        let known = channels.iter_mut().find(|channel| same(channel, renewed));
        known.map(|channel| channel.access_token = renewed.access_token.clone()).is_some()
    }

    /// Whether an address of a workspace is sent on by the settings of this channel.
    pub(crate) fn is_of(&self, workspace: &str, address: &str, channel: &Channel) -> bool {
        self.configured(workspace, address).is_some_and(|(found, _)| same(&found, channel))
    }

    fn channels(&self) -> RwLockReadGuard<'_, Vec<Channel>> {
        self.channels.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long to wait for a sign of a call whose answer was lost.
    pub(crate) fn reconcile(&self) -> Duration {
        Duration::from_millis(self.delivery.reconcile_ms)
    }

    /// Whether a message that may have gone out is sent again.
    pub(crate) fn resends(&self) -> bool {
        self.delivery.when_unknown == WhenUnknown::Resend
    }

    /// The pause after the nth failure, from 1.
    pub(crate) fn pause(&self, nth: u32) -> Duration {
        let first = Duration::from_millis(self.delivery.pause_ms);
        first.saturating_mul(1 << nth.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
    }

    /// A channel named outright is taken before "*".
    fn configured<'a>(&self, workspace: &str, address: &'a str) -> Option<(Channel, &'a str)> {
        let (kind, number) = address.split_once(':')?;
        let channels = self.channels();
        let of = |id: &str| {
            channels.iter().find(|channel| {
                channel.workspace == workspace && channel.phone_number_id == id && channel.kind.name() == kind
            })
        };
        of(number).or_else(|| of("*")).map(|channel| (channel.clone(), number))
    }
}
