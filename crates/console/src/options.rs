use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use service::config::ConfigError;
use service::{Certificates, Config};

/// What the console has to know. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the other services answer, for example "http://127.0.0.1:7070".
    pub services: String,
    /// Where sessions are kept, sealed.
    /// How they are known, and what they are shown besides tokens.
    pub(crate) certificates: Certificates,
    pub(crate) sessions: PathBuf,
    /// The businesses, each with the zone of its clock.
    pub(crate) workspaces: Arc<BTreeMap<String, TimeZone>>,
}

impl Options {
    /// What the configuration says. `services` is used where it names none.
    ///
    /// # Errors
    /// For a workspace whose time zone is none.
    pub fn from_config(config: &Config, services: &str) -> Result<Options, ConfigError> {
        let configured = config.console.services.as_str();
        let mut workspaces = BTreeMap::new();
        for name in config.workspaces().into_keys() {
            workspaces.insert(name, TimeZone::UTC);
        }
        for (name, hours) in config.hours()? {
            workspaces.insert(name, TimeZone::get(hours.time_zone()).unwrap_or(TimeZone::UTC));
        }
        Ok(Options {
            services: if configured.is_empty() { services } else { configured }.to_owned(),
            certificates: Certificates::read(&config.tls)?,
            sessions: config.data_dir.join("console"),
            workspaces: Arc::new(workspaces),
        })
    }
}
