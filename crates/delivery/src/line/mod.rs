//! One line: a channel of a workspace, with its limits, and whether anything may go out on it now.

mod gate;
mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::channel::Channel;
use crate::options::Options;

pub(crate) use gate::{Gate, Pass};
pub(crate) use pace::Pace;

/// A channel of a workspace.
pub(crate) struct Line {
    pub(crate) workspace: String,
    /// The address of the business.
    pub(crate) channel: String,
    pub(crate) api: Arc<dyn Channel>,
    pub(crate) gate: Gate,
    pub(crate) pace: Pace,
    /// Messages that the channel took, of those that this process sent.
    taken: AtomicU64,
}

impl Line {
    /// One that is open.
    pub(crate) fn new(options: &Options, workspace: &str, channel: &str, api: Arc<dyn Channel>) -> Line {
        Line {
            workspace: workspace.to_owned(),
            channel: channel.to_owned(),
            api,
            gate: Gate::new(options.probe),
            pace: Pace::new(&options.delivery),
            taken: AtomicU64::new(0),
        }
    }

    /// The channel took a message.
    pub(crate) fn took(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// How many it took.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}
