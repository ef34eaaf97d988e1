use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Largest file of any channel, in bytes: WhatsApp's documents.
const MAX_BYTES: u64 = 100 * 1024 * 1024;

/// Where files of customers are kept, and how large they may be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// A directory that every process sees; empty for the object store of the bus.
    pub directory: PathBuf,
    /// Largest file that is fetched from a channel, in bytes.
    pub max_bytes: u64,
}

impl Media {
    /// The directory; `None` for the object store of the bus.
    pub fn directory(&self) -> Option<PathBuf> {
        (!self.directory.as_os_str().is_empty()).then(|| self.directory.clone())
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fine = (1..=MAX_BYTES).contains(&self.max_bytes);
        let wrong =
            || ConfigError::Wrong(format!("media.max_bytes is {}: it has to be 1 to {MAX_BYTES}", self.max_bytes));
        if fine { Ok(()) } else { Err(wrong()) }
    }
}
