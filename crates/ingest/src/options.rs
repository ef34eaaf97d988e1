use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use conversation::Settings;
use service::config::{Channel, Config};

/// What ingest has to know. Secrets in it do not show themselves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The addresses of the businesses.
    pub channels: Vec<Channel>,
    /// Every workspace there is, with what it has chosen.
    pub workspaces: BTreeMap<String, Settings>,
    /// Where files are kept; `None` for the object store of the bus.
    pub media_directory: Option<PathBuf>,
    /// Bounds on webhooks.
    pub http: HttpOptions,
}

/// Bounds on webhooks.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Requests worked on at once; more are answered 503.
    pub concurrency: usize,
    /// Longest body, in bytes; a longer one is answered 413.
    pub body_limit: usize,
    /// How long a body may take to come in; a slower one is answered 408.
    pub body_deadline: Duration,
    /// How long the work on a body may take; slower work is answered 503. The bus itself gives up after 8 s.
    pub work_deadline: Duration,
}

impl Default for HttpOptions {
    /// 64 requests at once of 3 MiB: the channel sends at most 3 MB.
    fn default() -> HttpOptions {
        HttpOptions {
            concurrency: 64,
            body_limit: 3 * 1024 * 1024,
            body_deadline: Duration::from_secs(10),
            work_deadline: Duration::from_secs(20),
        }
    }
}

impl Options {
    /// What the configuration says.
    pub fn from_config(config: &Config) -> Options {
        Options {
            channels: config.channels.clone(),
            workspaces: config.workspaces(),
            media_directory: config.media.directory(),
            http: HttpOptions {
                concurrency: config.http.concurrency,
                body_limit: config.http.body_limit_bytes,
                ..HttpOptions::default()
            },
        }
    }
}
