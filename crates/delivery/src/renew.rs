//! A token that expires is renewed in the configuration: the file is looked at again and again, so that a channel goes on
//! without a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::v1;
use service::config::Channel as Configured;
use service::{Config, Shutdown};

use crate::channel::{Accepted, Channel, Failure, Fetched, Outgoing, Recipient, Upload};
use crate::lines::Lines;
use crate::options::Options;

/// How often the file is looked at: its time, and its text where that has changed.
const LOOK: Duration = Duration::from_secs(2);

/// A channel whose token may change.
pub(crate) struct Renewable(RwLock<Arc<dyn Channel>>);

impl Renewable {
    pub(crate) fn new(channel: Arc<dyn Channel>) -> Renewable {
        Renewable(RwLock::new(channel))
    }

    /// Calls that begin from now on go over this one.
    pub(crate) fn renew(&self, channel: Arc<dyn Channel>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = channel;
    }

    fn now(&self) -> Arc<dyn Channel> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Channel for Renewable {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Accepted, Failure>> {
        async { self.now().send(outgoing).await }.boxed()
    }

    fn seen<'a>(&'a self, id: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>> {
        async move { self.now().seen(id, typing).await }.boxed()
    }

    fn seen_of<'a>(&'a self, to: &'a Recipient, id: &'a str, typing: bool) -> BoxFuture<'a, Result<(), Failure>> {
        async move { self.now().seen_of(to, id, typing).await }.boxed()
    }

    fn fetch<'a>(&'a self, media: &'a v1::Media, most: usize) -> BoxFuture<'a, Result<Fetched, Failure>> {
        async move { self.now().fetch(media, most).await }.boxed()
    }

    fn upload<'a>(&'a self, file: &'a Upload) -> BoxFuture<'a, Result<String, Failure>> {
        async { self.now().upload(file).await }.boxed()
    }
}

/// Looks at the file until shutdown: a token that changed there is taken for its channel.
pub(crate) async fn follow(file: PathBuf, options: Options, lines: Lines, shutdown: Shutdown) {
    let mut seen = changed(&file);
    let mut before = read(&file).unwrap_or_default();
    while !shutdown.is_begun() {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.begun() => return,
        }
        let now = changed(&file);
        if now == seen {
            continue;
        }
        seen = now;
        // A file that is half written, or wrong, says nothing: what held before holds on.
        let Some(channels) = read(&file) else { continue };
        for channel in channels.iter().filter(|channel| !channel.access_token.is_empty()) {
            let other = |old: &&Configured| same(old, channel) && old.access_token != channel.access_token;
            if before.iter().any(|old| other(&old)) && options.renew(channel) {
                tracing::info!(workspace = channel.workspace, "the token of a channel was renewed");
                lines.renew(channel);
            }
        }
        before = channels;
    }
}

/// Whether two settings are of one channel.
pub(crate) fn same(one: &Configured, other: &Configured) -> bool {
    one.kind == other.kind && one.workspace == other.workspace && one.phone_number_id == other.phone_number_id
}

fn changed(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|file| file.modified()).ok()
}

fn read(file: &Path) -> Option<Vec<Configured>> {
    match Config::load(Some(file)) {
        Ok(config) => Some(config.channels),
        Err(error) => {
            tracing::warn!(%error, "the configuration has changed and can't be read: what held before holds on");
            None
        }
    }
}
