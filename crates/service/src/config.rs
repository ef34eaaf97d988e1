//! One file says everything: embedded defaults, then the file, then the environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use conversation::Settings;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::{Deserialize, Serialize};

use crate::{BusinessHours, Hours, Secret};

mod access;
mod bot;
mod delivery;
mod media;
mod tls;

pub use access::Access;
pub use bot::{Bot, BotSettings, Llm};
pub use delivery::{Delivery, WhenUnknown};
pub use media::Media;
pub use tls::Tls;

const DEFAULTS: &str = include_str!("default.toml");
/// Variables of these sections belong to the configuration; other `THREADMARK_…` variables are not ours to judge.
const SECTIONS: [&str; 15] = [
    "nats",
    "tls",
    "access",
    "grpc",
    "http",
    "console",
    "projection",
    "automation",
    "bot",
    "delivery",
    "webhooks",
    "media",
    "metrics",
    "traces",
    "log",
];

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration {path} can't be read: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A key or value that means nothing.
    #[error("the configuration is wrong: {0}. `threadmark up --dump-config` shows every key.")]
    Wrong(String),
}

/// Everything that can be configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything of this machine is kept.
    pub data_dir: PathBuf,
    /// How to reach the bus.
    pub nats: Nats,
    /// Certificates.
    pub tls: Tls,
    /// Who may come in.
    pub access: Access,
    /// Where gRPC answers.
    pub grpc: Listen,
    /// Where webhooks come in.
    pub http: Http,
    /// Where the page is.
    pub console: Console,
    /// How the view is kept.
    pub projection: Projection,
    /// How rules are run.
    pub automation: Automation,
    /// How the bot works.
    pub bot: Bot,
    /// How messages go out.
    pub delivery: Delivery,
    /// How events are posted to who subscribed.
    pub webhooks: Webhooks,
    /// Where files are kept.
    pub media: Media,
    /// Where metrics are read.
    pub metrics: Metrics,
    /// Where traces are told.
    pub traces: Traces,
    /// What is logged.
    pub log: Log,
    /// The businesses.
    #[serde(default)]
    pub workspaces: Vec<Workspace>,
    /// Their addresses.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// The file that it was loaded from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

fn file(path: &Path) -> Option<PathBuf> {
    Some(path.to_owned()).filter(|path| !path.as_os_str().is_empty())
}

/// How to reach the bus.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// `nats://host:port`, several separated by commas; empty for a server of our own.
    pub url: String,
    /// The folder with this process's keys to the bus; empty where it asks for none.
    pub keys: PathBuf,
    /// Whether it is reached over TLS alone: with the certificates of `[tls]`.
    pub tls: bool,
    /// Copies of every stream.
    pub replicas: usize,
    /// How long the server knows a repeated message id, in milliseconds.
    pub duplicate_window_ms: u64,
}

/// Where to listen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// Where the page is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the other services answer, as in `http://127.0.0.1:7070`; empty for this process.
    pub services: String,
}

/// Where webhooks come in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Requests worked on at once.
    pub concurrency: usize,
    /// Longest body, in bytes.
    pub body_limit_bytes: usize,
}

/// How the view is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// The store underneath.
    pub engine: Engine,
    /// The store's cache, in MiB.
    pub cache_mb: u64,
}

/// The store underneath the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The default.
    Sled,
    /// For large installations.
    Fjall,
}

/// How rules are run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Automation {
    /// Where `TicketService` answers, as in `http://127.0.0.1:7070`; empty for this process.
    pub ticket_service: String,
    /// Whether rules may call addresses that are not public.
    pub allow_private_targets: bool,
    /// Pause before a call that failed is tried for the second time, in milliseconds.
    pub webhook_pause_ms: u64,
}

/// How events are posted to who subscribed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Whether addresses that are not public may be posted to.
    pub allow_private_targets: bool,
    /// How long one try may take, in milliseconds.
    pub timeout_ms: u64,
    /// Pause before the second try, in milliseconds.
    pub pause_ms: u64,
    /// An endpoint that took nothing for so many seconds is disabled.
    pub disable_after_s: u64,
}

/// Where traces are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// A collector that takes OTLP over gRPC, as in `http://collector:4317`; empty for none.
    pub endpoint: String,
    /// Which part of the traces that begin here is told, 0 to 1.
    pub sample_ratio: f64,
}

/// Where metrics are read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port, port 0 takes a free one; empty for nowhere.
    pub listen: String,
}

impl Metrics {
    /// Where; `None` for nowhere.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] when it is no address.
    pub fn address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        let wrong = |_| ConfigError::Wrong(format!("metrics.listen is {:?}: say HOST:PORT", self.listen));
        if self.listen.is_empty() { Ok(None) } else { self.listen.parse().map(Some).map_err(wrong) }
    }
}

/// What is logged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// As for `RUST_LOG`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// One business.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// `[a-z0-9-]{1,63}`.
    pub name: String,
    /// An agent who writes into an unassigned conversation becomes its assignee.
    #[serde(default = "on")]
    pub assign_on_write: bool,
    /// Closing the last open ticket ends ownership.
    #[serde(default = "on")]
    pub unassign_on_close: bool,
    /// What calls of rules to other systems are signed with.
    #[serde(default)]
    pub webhook_secret: Secret,
    /// IANA name; empty for UTC.
    #[serde(default)]
    pub time_zone: String,
    /// Dates such as "2026-12-25", in that zone.
    #[serde(default)]
    pub holidays: Vec<String>,
    /// When it is open, in that zone; left out, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,
    /// What its bot does.
    #[serde(default)]
    pub bot: BotSettings,
}

impl Workspace {
    /// One with every setting as it is by default.
    pub fn new(name: impl Into<String>) -> Workspace {
        Workspace {
            name: name.into(),
            assign_on_write: true,
            unassign_on_close: true,
            time_zone: String::new(),
            holidays: Vec::new(),
            business_hours: None,
            bot: BotSettings::default(),
            webhook_secret: Secret::default(),
        }
    }

    /// Its clock.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`], naming the workspace and the key.
    pub fn hours(&self) -> Result<Hours, ConfigError> {
        Hours::new(&self.time_zone, self.business_hours.as_ref(), &self.holidays)
            .map_err(|error| ConfigError::Wrong(format!("workspace {:?}: {error}", self.name)))
    }
}

fn on() -> bool {
    true
}

/// One address of a business.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Whose API it is.
    #[serde(default)]
    pub kind: ChannelKind,
    /// Whose it is.
    pub workspace: String,
    /// The channel's id of the number, or of the page (`page_id`); "*" for any.
    #[serde(default = "any", alias = "page_id")]
    pub phone_number_id: String,
    /// What webhooks are signed with.
    #[serde(default)]
    pub app_secret: Secret,
    /// What the channel shows when it verifies the webhook's address.
    #[serde(default)]
    pub verify_token: Secret,
    /// What we show when we send.
    #[serde(default)]
    pub access_token: Secret,
    /// Where we send to.
    #[serde(default)]
    pub api_base: String,
}

fn any() -> String {
    "*".to_owned()
}

/// Whose API a channel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// WhatsApp Cloud API.
    #[default]
    Whatsapp,
    /// Messenger, by the id of a page.
    Messenger,
}

impl ChannelKind {
    /// All of them.
    pub const ALL: [ChannelKind; 2] = [ChannelKind::Whatsapp, ChannelKind::Messenger];

    /// What configuration, paths and the addresses of channels call it.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::Whatsapp => "whatsapp",
            ChannelKind::Messenger => "messenger",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<ChannelKind> {
        ChannelKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Config {
    /// The defaults, the file if one is given, and the environment on top.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file or the key.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(path) = file {
            let text =
                std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
            figment = figment.merge(Toml::string(&text));
        }
        let ours = |key: &figment::value::UncasedStr| {
            let section = key.as_str().split("__").next().unwrap_or_default().to_ascii_lowercase();
            key == "data_dir" || (key.as_str().contains("__") && SECTIONS.contains(&section.as_str()))
        };
        let mut config: Config = figment
            .merge(Env::prefixed("THREADMARK_").filter(ours).split("__"))
            .extract()
            .map_err(|error| ConfigError::Wrong(error.to_string()))?;
        config.check()?;
        config.file = file.map(Path::to_owned);
        Ok(config)
    }

    /// Every setting as TOML, secrets hidden.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] when a value has no TOML form.
    pub fn dump(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|error| ConfigError::Wrong(error.to_string()))
    }

    /// Every workspace that is named, with its settings.
    pub fn workspaces(&self) -> BTreeMap<String, Settings> {
        let named = self.workspaces.iter().map(|workspace| {
            let settings =
                Settings { assign_on_write: workspace.assign_on_write, unassign_on_close: workspace.unassign_on_close };
            (workspace.name.clone(), settings)
        });
        let of_channels = self.channels.iter().map(|channel| (channel.workspace.clone(), Settings::default()));
        of_channels.chain(named).collect()
    }

    /// The clocks of the workspaces that have one configured; others are always open, in UTC.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`], naming the workspace and the key.
    pub fn hours(&self) -> Result<BTreeMap<String, Hours>, ConfigError> {
        self.workspaces.iter().map(|workspace| Ok((workspace.name.clone(), workspace.hours()?))).collect()
    }

    /// How to reach the bus at `url`, as the [`bus::User`] of this name where it has users.
    pub fn bus(&self, url: &str, name: &str) -> bus::Options {
        bus::Options {
            url: url.to_owned(),
            name: name.to_owned(),
            tls: self.nats.tls.then(|| bus::TlsFiles {
                ca: file(&self.tls.ca),
                identity: file(&self.tls.cert).zip(file(&self.tls.key)),
            }),
            keys: Some(self.nats.keys.clone()).filter(|keys| !keys.as_os_str().is_empty()),
            replicas: self.nats.replicas,
            duplicate_window: Duration::from_millis(self.nats.duplicate_window_ms),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: String| Err(ConfigError::Wrong(text));
        for name in self.workspaces().keys() {
            if !is_workspace_name(name) {
                return wrong(format!("workspace {name:?} has to be 1 to 63 of a-z, 0-9 and -"));
            }
        }
        self.hours()?;
        self.access.check()?;
        self.bot.check()?;
        self.delivery.check()?;
        self.media.check()?;
        self.metrics.address()?;
        if !(0.0..=1.0).contains(&self.traces.sample_ratio) {
            return wrong(format!("traces.sample_ratio is {}: it has to be 0 to 1", self.traces.sample_ratio));
        }
        for workspace in &self.workspaces {
            workspace.bot.check(&workspace.name)?;
        }
        for channel in &self.channels {
            if channel.app_secret.is_empty() {
                return wrong(format!("the channel of workspace {:?} has no app_secret", channel.workspace));
            }
        }
        if !(1..=5).contains(&self.nats.replicas) {
            return wrong(format!("nats.replicas is {}: it has to be 1 to 5", self.nats.replicas));
        }
        if !(1..=50_000).contains(&self.webhooks.timeout_ms) {
            return wrong(format!("webhooks.timeout_ms is {}: it has to be 1 to 50000", self.webhooks.timeout_ms));
        }
        if self.http.concurrency == 0 {
            return wrong("http.concurrency is 0: nothing would ever be answered".to_owned());
        }
        Ok(())
    }
}

/// Whether a text can name a workspace: `[a-z0-9-]{1,63}`.
pub fn is_workspace_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::Config;

    fn load(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("threadmark.toml");
        std::fs::write(&file, text).unwrap();
        Config::load(Some(&file)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_stand_alone() {
        let config = Config::load(None).unwrap();
        assert_eq!(config.grpc.listen.port(), 7070);
        assert!(config.workspaces().is_empty());
    }

    #[test]
    fn a_channel_names_its_workspace_and_hides_its_secret() {
        let config = load("[[channels]]\nworkspace = \"acme\"\napp_secret = \"s3cret\"\n").unwrap();
        assert!(config.workspaces().contains_key("acme"));
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(!config.dump().unwrap().contains("s3cret"));
        assert_eq!(config.channels[0].app_secret.expose(), "s3cret");
    }

    #[test]
    fn a_channel_of_messenger_names_its_page() {
        let text = "[[channels]]\nkind = \"messenger\"\nworkspace = \"acme\"\npage_id = \"77\"\napp_secret = \"s\"\n";
        let channel = &load(text).unwrap().channels[0];
        assert_eq!((channel.kind.name(), channel.phone_number_id.as_str()), ("messenger", "77"));
        assert!(super::ChannelKind::ALL.iter().all(|kind| super::ChannelKind::named(kind.name()) == Some(*kind)));
    }

    #[test]
    fn a_workspace_has_hours_holidays_and_a_zone() {
        let text = "[[workspaces]]\nname = \"acme\"\ntime_zone = \"Europe/Berlin\"\nholidays = [\"2026-12-25\"]\n\
            business_hours = { mon = [\"09:00-12:00\", \"13:00-17:00\"], sat = [] }\n";
        let config = load(text).unwrap();
        assert_eq!(config.hours().unwrap()["acme"].time_zone(), "Europe/Berlin");
        assert!(config.dump().unwrap().contains("13:00-17:00"));
    }

    #[test]
    fn open_doors_are_for_loopback_alone() {
        let open = |listen: &str| load(&format!("access.required = false\n{listen}")).unwrap().check_doors();
        assert!(open("").is_ok() && open("http.listen = \"[::1]:0\"").is_ok());
        for section in ["grpc", "http", "console"] {
            let why = open(&format!("{section}.listen = \"0.0.0.0:7\"")).unwrap_err().to_string();
            assert!(why.contains(&format!("{section}.listen is 0.0.0.0:7")), "{why}");
        }
        assert!(load("grpc.listen = \"0.0.0.0:7\"").unwrap().check_doors().is_ok());
    }

    #[test]
    fn mistakes_name_the_key() {
        let cases = [
            ("grcp = 1", "grcp"),
            ("[grpc]\nlisten = \"nowhere\"", "grpc.listen"),
            ("[[workspaces]]\nname = \"Acme\"", "Acme"),
            ("[[channels]]\nworkspace = \"acme\"", "app_secret"),
            ("[nats]\nreplicas = 0", "nats.replicas"),
            ("[[workspaces]]\nname = \"acme\"\ntime_zone = \"Berlin\"", "time_zone"),
            ("[[workspaces]]\nname = \"acme\"\nholidays = [\"Christmas\"]", "holidays"),
            ("[[workspaces]]\nname = \"acme\"\nbusiness_hours = { mo = [] }", "business_hours"),
            ("[[workspaces]]\nname = \"acme\"\nbusiness_hours = { mon = [\"9 to 5\"] }", "business_hours.mon"),
            ("[[workspaces]]\nname = \"acme\"\nbot = { enable = true }", "enable"),
            ("[[workspaces]]\nname = \"acme\"\nbot = { name = \"\" }", "bot.name"),
            ("[access]\nburst = 0", "access.burst"),
            ("[access]\ntoken = \"a\"\ntoken_file = \"b\"", "access.token_file"),
            ("[media]\nmax_bytes = 0", "media.max_bytes"),
            ("[bot]\npause_ms = 60001", "bot.pause_ms"),
            ("[delivery]\nper_second = 0", "delivery.per_second"),
            ("[metrics]\nlisten = \"9464\"", "metrics.listen"),
            ("[delivery]\nwhen_unknown = \"guess\"", "when_unknown"),
            ("[bot.llm]\nbase_url = \"http://127.0.0.1:1\"", "bot.llm.model"),
        ];
        for (text, key) in cases {
            let error = load(text).unwrap_err();
            assert!(error.contains(key), "{text}: {error}");
        }
    }
}
