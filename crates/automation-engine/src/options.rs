use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use conversation::{Settings, Time};
use service::access::Bearer;
use service::config::ConfigError;
use service::{Certificates, Config, Hours, Secret};

use crate::condition::WorkspaceFields;

/// What the engine has to know. Secrets in it do not show themselves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where `TicketService` answers, for example "http://127.0.0.1:7070".
    pub ticket_service: String,
    /// What is shown there.
    pub bearer: Bearer,
    /// How it is known, and what it is shown besides.
    pub certificates: Certificates,
    /// Whether rules may call addresses that are not public.
    pub allow_private_targets: bool,
    /// Pause before a call that failed is tried for the second time; each pause is four times the one before.
    pub hook_pause: Duration,
    workspaces: Arc<BTreeMap<String, Workspace>>,
}

/// What is known of a workspace.
#[derive(Clone, Debug)]
struct Workspace {
    settings: Settings,
    webhook_secret: Secret,
    hours: Hours,
}

/// What calls are signed with in workspaces without a secret: nothing is called.
const NO_SECRET: &str = "";

impl Options {
    /// The same, with a token, and the certificates, to show to TicketService.
    pub fn showing(self, bearer: Bearer, certificates: Certificates) -> Options {
        Options { bearer, certificates, ..self }
    }

    /// What the configuration says. `ticket_service` is used where it names none.
    ///
    /// # Errors
    /// When a workspace's hours can't be read: the configuration checks them too.
    pub fn from_config(config: &Config, ticket_service: &str) -> Result<Options, ConfigError> {
        let configured = config.automation.ticket_service.as_str();
        let workspaces = config.workspaces().into_iter().map(|(name, settings)| {
            let named = config.workspaces.iter().find(|workspace| workspace.name == name).cloned();
            let named = named.unwrap_or_else(|| service::config::Workspace::new(&name));
            let hours = named.hours()?;
            Ok((name, Workspace { settings, webhook_secret: named.webhook_secret, hours }))
        });
        Ok(Options {
            bearer: Bearer::none(),
            certificates: Certificates::default(),
            ticket_service: if configured.is_empty() { ticket_service } else { configured }.to_owned(),
            allow_private_targets: config.automation.allow_private_targets,
            hook_pause: Duration::from_millis(config.automation.webhook_pause_ms),
            workspaces: Arc::new(workspaces.collect::<Result<_, ConfigError>>()?),
        })
    }

    /// Whether there is such a workspace.
    pub fn knows(&self, workspace: &str) -> bool {
        self.workspaces.contains_key(workspace)
    }

    /// What a workspace has chosen.
    pub(crate) fn settings(&self, workspace: &str) -> Settings {
        self.workspaces.get(workspace).map(|workspace| workspace.settings).unwrap_or_default()
    }

    /// What calls are signed with; empty for none.
    pub(crate) fn webhook_secret(&self, workspace: &str) -> &str {
        self.workspaces.get(workspace).map_or(NO_SECRET, |workspace| workspace.webhook_secret.expose())
    }

    /// What conditions see of a workspace at a time.
    pub(crate) fn workspace_fields(&self, workspace: &str, now: Time) -> WorkspaceFields {
        let hours = self.workspaces.get(workspace).map(|workspace| &workspace.hours);
        WorkspaceFields {
            name: workspace.to_owned(),
            time_zone: hours.map_or("UTC", Hours::time_zone).to_owned(),
            open: hours.is_none_or(|hours| hours.open_at(now)),
            holiday: hours.is_some_and(|hours| hours.holiday_at(now)),
        }
    }
}
