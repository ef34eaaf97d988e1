//! The lines that this process knows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::line::Line;
use crate::options::Options;

/// A workspace, and a channel of it.
type Key = (String, String);

/// By workspace and channel. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lines {
    options: Options,
    lines: Arc<Mutex<HashMap<Key, Arc<Line>>>>,
}

impl Lines {
    pub(crate) fn new(options: Options) -> Lines {
        Lines { options, lines: Arc::default() }
    }

    /// A line that this process did not know before; `None` for one that it knows, or can't make.
    pub(crate) fn add(&self, workspace: &str, channel: &str) -> Option<Arc<Line>> {
        if !self.options.sends(workspace, channel) {
            return None;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let Entry::Vacant(vacant) = lines.entry((workspace.to_owned(), channel.to_owned())) else { return None };
        match Line::new(&self.options, workspace, channel) {
            Ok(line) => Some(vacant.insert(Arc::new(line)).clone()),
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
