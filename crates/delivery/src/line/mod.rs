//! One line: a channel of a workspace, with its limits, and whether anything may go out on it now.

mod gate;
mod pace;

use std::sync::Arc;

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
        }
    }
}
