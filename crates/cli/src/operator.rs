//! What operators' commands have at hand that look at the bus itself.

use std::path::{Path, PathBuf};

use bus::Bus;
use clap::Args;
use service::Config;

use crate::failure::Failure;

/// How to reach the bus.
#[derive(Debug, Args)]
pub(crate) struct OnBus {
    /// The bus [default: as the configuration says, else that of 'threadmark up' in its data directory]
    #[arg(long, value_name = "URL")]
    pub(crate) nats: Option<String>,
    /// The folder with admin.nk, where the bus has users [default: as the configuration says]
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// The configuration of the services (TOML)
    #[arg(long, value_name = "FILE", env = "THREADMARK_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where 'threadmark up' keeps everything [default: threadmark-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

impl OnBus {
    /// The configuration, with the bus's address filled in.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it is wrong or names no bus.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let usage = |error: String| Failure::Usage(error);
        let mut config = Config::load(self.config.as_deref()).map_err(|error| usage(error.to_string()))?;
        let data_dir = self.data_dir.as_ref().unwrap_or(&config.data_dir);
        let named = self.nats.clone().or_else(|| Some(config.nats.url.clone()).filter(|url| !url.is_empty()));
        let url = named.or_else(|| of_up(data_dir)).ok_or_else(|| {
            usage(format!(
                "where is the bus? say --nats nats://HOST:PORT, or --data-dir of a running 'threadmark up' (looked in {})",
                data_dir.display()
            ))
        })?;
        config.nats.url = url;
        config.nats.keys = self.keys.clone().unwrap_or(config.nats.keys);
        Ok(config)
    }

    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Usage`], [`Failure::Failed`] when it is away.
    pub(crate) async fn connect(&self) -> Result<Bus, Failure> {
        let config = self.config()?;
        let url = config.nats.url.clone();
        Bus::connect(&config.bus(&url, bus::User::Admin.name()))
            .await
            .map_err(|error| Failure::Failed(format!("no bus at {url}: {error}")))
    }
}

/// Where the nats-server of `threadmark up` listens: it writes its configuration at each start.
fn of_up(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data_dir.join("nats.conf")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("listen: "))?;
    Some(format!("nats://{}", line.trim().trim_matches('"')))
}
