use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::kv;
use conversation::ConversationId;
use meter::meter;
use quick_cache::sync::Cache;
use tokio::sync::OnceCell;

use crate::key::WorkspaceKeys;
use crate::keyrings::Keyrings;
use crate::rights::{self, User};
use crate::worker::balance::Balance;
use crate::{Error, Seed, stream};

/// How to reach the bus and what to ask of it.
#[derive(Clone, Debug)]
pub struct Options {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    /// What the server's logs call this client: with a seed, the [`User`] that it is.
    pub name: String,
    /// The folder with its key, `<name>.nk`; `None` where the server asks for none.
    pub keys: Option<PathBuf>,
    /// Over TLS alone; `None` in the clear, unless the server wants it.
    pub tls: Option<TlsFiles>,
    /// Copies of every stream: 1, or 3 in a cluster.
    pub replicas: usize,
    /// How long the server knows a repeated message id. Nothing leans on it; 2 minutes is the server's default.
    pub duplicate_window: Duration,
}

/// PEM files for TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// Who signed the server's certificate; `None` for those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// The certificate that this client shows, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Options {
    /// One copy of everything at `url`.
    pub fn new(url: impl Into<String>) -> Options {
        Options {
            url: url.into(),
            name: "threadmark".to_owned(),
            keys: None,
            tls: None,
            replicas: 1,
            duplicate_window: Duration::from_secs(120),
        }
    }
}

impl Options {
    fn seed(&self) -> Result<Option<Seed>, Error> {
        let Some(folder) = &self.keys else { return Ok(None) };
        let file = folder.join(format!("{}.nk", self.name));
        let read = Seed::read(&file).map_err(|error| Error::unreadable(format!("the key {}", file.display()), error));
        read.map(Some)
    }

    /// Whether somebody else makes the streams, and which it needs of them.
    fn needs(&self) -> Option<Vec<String>> {
        let user = User::named(&self.name).filter(|&user| self.keys.is_some() && user != User::Admin)?;
        Some(user.rights().streams)
    }
}

/// The oldest server with everything that is used: schedules with zones.
const NEEDED: (u64, u64) = (2, 14);
const NEEDED_TEXT: &str = "2.14";

/// How long one request to the server may take before it is tried again.
pub(crate) const REQUEST: Duration = Duration::from_secs(3);
/// How long an operation tries before it says that the bus is away.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Addresses kept at hand: about 200 bytes each.
const CACHED_ADDRESSES: usize = 100_000;
/// Appends on their way at once. JetStream's own limit is 10,000 and more for a stream.
const IN_FLIGHT: usize = 4_096;

/// The bus. Cheap to clone.
#[derive(Clone)]
pub struct Bus(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) options: Options,
    pub(crate) addresses: Cache<String, ConversationId>,
    pub(crate) keyrings: Keyrings,
    pub(crate) workspaces: Cache<String, WorkspaceKeys>,
    /// What this process holds of each worker, by the subject on which that is told.
    pub(crate) balances: Mutex<HashMap<String, Weak<Balance>>>,
    events: OnceCell<jetstream::stream::Stream>,
    keys: OnceCell<kv::Store>,
    aliases: OnceCell<kv::Store>,
}

impl Bus {
    /// Connects, and goes on connecting again whenever the server goes away.
    ///
    /// # Errors
    /// [`Error::Away`] when no server answers within 8 s, or none that takes the key; [`Error::Version`] when it is older
    /// than 2.14; [`Error::Unreadable`] when there is no such key.
    pub async fn connect(options: &Options) -> Result<Bus, Error> {
        let connect = match options.seed()? {
            Some(seed) => async_nats::ConnectOptions::with_nkey(seed.expose().to_owned()),
            None => async_nats::ConnectOptions::new(),
        };
        let connect = match &options.tls {
            Some(TlsFiles { ca, identity }) => {
                let connect = ca.iter().fold(connect.require_tls(true), |c, ca| c.add_root_certificates(ca.clone()));
                identity.iter().fold(connect, |c, (cert, key)| c.add_client_certificate(cert.clone(), key.clone()))
            }
            None => connect,
        };
        let connect = connect
            .name(&options.name)
            .custom_inbox_prefix(rights::inbox(&options.name))
            .event_callback(async |event| hear(&event))
            .connection_timeout(REQUEST)
            .reconnect_delay_callback(|attempts| Duration::from_millis((50 << attempts.min(5)) as u64))
            .retry_on_initial_connect()
            .connect(options.url.split(',').collect::<Vec<_>>());
        let client = tokio::time::timeout(PATIENCE, connect)
            .await
            .map_err(|late| Error::away("connecting", late))?
            .map_err(|error| Error::away("connecting", error))?;
        wait_connected(&client).await?;
        check_version(&client)?;
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST)
            .ack_timeout(REQUEST)
            .max_ack_inflight(IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Bus::over(client, jetstream, options.clone()))
    }

    fn over(client: async_nats::Client, jetstream: jetstream::Context, options: Options) -> Bus {
        Bus(Arc::new(Inner {
            client,
            jetstream,
            options,
            addresses: Cache::new(CACHED_ADDRESSES),
            keyrings: Keyrings::default(),
            workspaces: Cache::new(1_000),
            balances: Mutex::default(),
            events: OnceCell::new(),
            keys: OnceCell::new(),
            aliases: OnceCell::new(),
        }))
    }

    /// The same connection with nothing at hand: what keeps it does not keep this bus.
    pub(crate) fn apart(&self) -> Bus {
        Bus::over(self.0.client.clone(), self.0.jetstream.clone(), self.0.options.clone())
    }

    /// Makes the streams and buckets, or brings them to what this version needs. Deletes nothing. Whoever is a user that
    /// may not waits until they are there, for up to a minute.
    ///
    /// # Errors
    /// [`Error::Incompatible`] when one exists with settings that can't be changed, or is missing and somebody else has
    /// to make it.
    pub async fn ensure_streams(&self) -> Result<(), Error> {
        let options = &self.0.options;
        match options.needs() {
            Some(streams) => stream::wait_for(&self.0.jetstream, &streams).await,
            None => stream::ensure(&self.0.jetstream, options).await,
        }
    }

    /// Makes the bucket of tokens where there is none yet, and changes nothing else: for who comes before the services.
    ///
    /// # Errors
    /// [`Error::Away`], [`Error::Incompatible`].
    pub async fn ensure_access(&self) -> Result<(), Error> {
        stream::ensure_access(&self.0.jetstream, &self.0.options).await
    }

    /// Whether the connection stands right now.
    pub fn is_connected(&self) -> bool {
        self.0.client.connection_state() == async_nats::connection::State::Connected
    }

    /// The JetStream context itself, for consumers that this crate does not know of.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.0.jetstream
    }

    /// Sends what is still on its way out. Call it before the process ends.
    pub async fn flush(&self) {
        let flushed = tokio::time::timeout(REQUEST, self.0.client.flush()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the bus did not take the last messages in time");
        }
    }

    /// The stream of all events, as it is now.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn events_info(&self) -> Result<jetstream::stream::Info, Error> {
        let stream = self.events().await?;
        stream.get_info().await.map_err(|error| Error::away("looking at the stream of events", error))
    }

    pub(crate) async fn events(&self) -> Result<&jetstream::stream::Stream, Error> {
        let get = async || self.0.jetstream.get_stream(stream::EVENTS).await;
        self.0.events.get_or_try_init(get).await.map_err(|error| Error::away("opening the stream of events", error))
    }

    pub(crate) async fn keys(&self) -> Result<&kv::Store, Error> {
        let get = async || self.0.jetstream.get_key_value(stream::KEYS).await;
        self.0.keys.get_or_try_init(get).await.map_err(|error| Error::away("opening the bucket of keys", error))
    }

    pub(crate) async fn aliases(&self) -> Result<&kv::Store, Error> {
        let get = async || self.0.jetstream.get_key_value(stream::ALIASES).await;
        self.0.aliases.get_or_try_init(get).await.map_err(|error| Error::away("opening the bucket of aliases", error))
    }
}

/// Says what the server refuses: for whoever asked, it is a silence.
fn hear(event: &async_nats::Event) {
    match event {
        async_nats::Event::ServerError(error) => {
            let what = error.to_string();
            if what.to_ascii_lowercase().contains("permissions violation") {
                meter().bus_denied.one([]);
                tracing::error!("the bus denies it: {what}. Renew its users with `threadmark admin keys`");
            } else {
                tracing::warn!("the bus says: {what}");
            }
        }
        event => tracing::debug!(%event, "the connection to the bus"),
    }
}

async fn wait_connected(client: &async_nats::Client) -> Result<(), Error> {
    let connected = async {
        // The connection counts as such a moment before it is known what the server says of itself.
        while client.connection_state() != async_nats::connection::State::Connected
            || client.server_info().version.is_empty()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, connected).await.map_err(|late| Error::away("connecting", late))
}

fn check_version(client: &async_nats::Client) -> Result<(), Error> {
    let found = client.server_info().version;
    let mut numbers = found.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < NEEDED { Err(Error::Version { found, needed: NEEDED_TEXT }) } else { Ok(()) }
}
