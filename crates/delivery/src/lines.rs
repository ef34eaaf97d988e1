//! The lines that this process knows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use bus::Files;

use crate::channel::Channel;
use crate::line::Line;
use crate::media::WithFiles;
use crate::options::Options;
use crate::renew::Renewable;
use service::config::Channel as Configured;

/// A workspace, and a channel of it.
type Key = (String, String);

/// By workspace and channel. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lines {
    options: Options,
    files: Files,
    lines: Arc<Mutex<HashMap<Key, Arc<Line>>>>,
    apis: Arc<Mutex<HashMap<Key, Arc<Renewable>>>>,
}

impl Lines {
    pub(crate) fn new(options: Options, files: Files) -> Lines {
        Lines { options, files, lines: Arc::default(), apis: Arc::default() }
    }

    /// A line that this process did not know before; `None` for one that it knows, or can't make.
    pub(crate) fn add(&self, workspace: &str, channel: &str) -> Option<Arc<Line>> {
        let api = self.api(workspace, channel)?;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Entry::Vacant(vacant) = lines.entry((workspace.to_owned(), channel.to_owned())) else { return None };
        Some(vacant.insert(Arc::new(Line::new(&self.options, workspace, channel, api))).clone())
    }

    /// The API of a channel; `None` for one that is not configured, or wrongly.
    pub(crate) fn api(&self, workspace: &str, channel: &str) -> Option<Arc<dyn Channel>> {
        if !self.options.sends(workspace, channel) {
            return None;
        }
        let mut apis = self.apis.lock().unwrap_or_else(PoisonError::into_inner);
        let vacant = match apis.entry((workspace.to_owned(), channel.to_owned())) {
            Entry::Occupied(known) => return Some(known.get().clone()),
            Entry::Vacant(vacant) => vacant,
        };
        let api = self.make(workspace, channel)?;
        Some(vacant.insert(Arc::new(Renewable::new(api))).clone())
    }

    /// The token of a channel is another one: what was stopped for the old one is tried at once.
    pub(crate) fn renew(&self, channel: &Configured) {
        let apis = self.apis.lock().unwrap_or_else(PoisonError::into_inner);
        for ((workspace, address), api) in apis.iter() {
            if !self.options.is_of(workspace, address, channel) {
                continue;
            }
            if let Some(renewed) = self.make(workspace, address) {
                api.renew(renewed);
            }
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = lines.get(&(workspace.clone(), address.clone())) {
                line.gate.try_now();
            }
        }
    }

    fn make(&self, workspace: &str, channel: &str) -> Option<Arc<dyn Channel>> {
        match self.options.api(workspace, channel) {
            Ok(api) => Some(Arc::new(WithFiles::new(api, self.files.clone(), workspace))),
            Err(error) => {
                tracing::error!(workspace, channel, error, "this channel can't be sent on: mend its configuration");
                None
            }
        }
    }

    /// Whether customers are shown that somebody is there.
    pub(crate) fn receipts(&self) -> bool {
        self.options.delivery.receipts
    }

    /// A line that is not stopped.
    pub(crate) fn open(&self, workspace: &str, channel: &str) -> Option<Arc<Line>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.get(&(workspace.to_owned(), channel.to_owned()))?;
        (!line.gate.is_held()).then(|| line.clone())
    }
}
