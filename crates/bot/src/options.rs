use std::collections::BTreeSet;
use std::sync::Arc;

use service::{Config, config};

use crate::TurnOptions;

/// What the bot has to know. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Options {
    workspaces: Arc<BTreeSet<String>>,
    /// Of turns that are tried.
    pub(crate) turns: TurnOptions,
    pub(crate) llm: config::Llm,
}

impl Options {
    /// What the configuration says.
    pub fn from_config(config: &Config) -> Options {
        Options {
            workspaces: Arc::new(config.workspaces().into_keys().collect()),
            turns: TurnOptions::tried(config),
            llm: config.bot.llm.clone(),
        }
    }

    /// Whether there is such a workspace.
    pub fn knows(&self, workspace: &str) -> bool {
        self.workspaces.contains(workspace)
    }
}
