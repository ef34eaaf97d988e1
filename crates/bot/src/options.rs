use std::collections::BTreeSet;
use std::sync::Arc;

use service::Config;

/// What the bot has to know. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Options {
    workspaces: Arc<BTreeSet<String>>,
}

impl Options {
    /// What the configuration says.
    pub fn from_config(config: &Config) -> Options {
        Options { workspaces: Arc::new(config.workspaces().into_keys().collect()) }
    }

    /// Whether there is such a workspace.
    pub fn knows(&self, workspace: &str) -> bool {
        self.workspaces.contains(workspace)
    }
}
