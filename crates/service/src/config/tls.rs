//! TLS of a process.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which certificates a process shows, and whom it trusts. PEM files; empty for none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate of this process, with those between it and its authority.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority whose certificates it trusts; empty for those that the machine trusts.
    pub ca: PathBuf,
    /// Whether callers of gRPC have to show a certificate of that authority.
    pub mutual: bool,
}
