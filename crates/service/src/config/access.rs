//! Who may come in.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Config, ConfigError};
use crate::Secret;

/// Who may come in, and what this process shows to the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Whether gRPC takes a token. Without, every listener has to be on loopback.
    pub required: bool,
    /// What this process shows to the other services.
    pub token: Secret,
    /// A file that holds it instead; empty for none.
    pub token_file: PathBuf,
    /// Calls of one token a second, in each process; not for those of services.
    pub per_second: u32,
    /// So many at once.
    pub burst: u32,
}

impl Access {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.per_second == 0 || self.burst == 0 {
            let why = "access.per_second or access.burst is 0: no token would ever be taken";
            return Err(ConfigError::Wrong(why.to_owned()));
        }
        if !self.token.is_empty() && !self.token_file.as_os_str().is_empty() {
            let why = "access.token and access.token_file are both set: keep one";
            return Err(ConfigError::Wrong(why.to_owned()));
        }
        Ok(())
    }
}

impl Config {
    /// Whether the doors may be as the configuration wants them.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] when they are to be open while something listens where others can reach it.
    pub fn check_doors(&self) -> Result<(), ConfigError> {
        let listeners = [("grpc", self.grpc.listen), ("http", self.http.listen), ("console", self.console.listen)];
        match listeners.iter().find(|(_, at)| !self.access.required && !at.ip().is_loopback()) {
            None => Ok(()),
            Some((name, at)) => Err(ConfigError::Wrong(format!(
                "access.required is false, but {name}.listen is {at}: whoever can reach it could do anything. Leave out \
                 access.required, or let everything listen on 127.0.0.1"
            ))),
        }
    }
}
