//! TLS between the services and for who calls them: certificates from files, read once at the start.

use std::fmt;
use std::path::Path;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Error, Identity, ServerTlsConfig};

use crate::config::{ConfigError, Tls};

/// The certificates of this process, and whom it trusts. Cheap to clone while there are none.
#[derive(Clone, Default)]
pub struct Certificates {
    /// What it shows, with its key.
    identity: Option<Identity>,
    /// Who signed those that it trusts; none for those that the machine trusts.
    ca: Option<Certificate>,
    /// Whether callers have to show one too.
    mutual: bool,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates(…)")
    }
}

impl Certificates {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`], naming the file.
    pub fn read(tls: &Tls) -> Result<Certificates, ConfigError> {
        let identity = match (named(&tls.cert), named(&tls.key)) {
            (Some(cert), Some(key)) => Some(Identity::from_pem(pem(cert)?, pem(key)?)),
            (None, None) => None,
            _ => return Err(ConfigError::Wrong("tls.cert and tls.key go together: one of them is empty".to_owned())),
        };
        let ca = named(&tls.ca).map(pem).transpose()?.map(Certificate::from_pem);
        if tls.mutual && (identity.is_none() || ca.is_none()) {
            let why = "tls.mutual needs tls.cert, tls.key and tls.ca: who calls is known by a certificate of that ca";
            return Err(ConfigError::Wrong(why.to_owned()));
        }
        Ok(Certificates { identity, ca, mutual: tls.mutual })
    }

    /// How the address of a server of this process begins.
    pub fn scheme(&self) -> &'static str {
        if self.identity.is_some() { "https" } else { "http" }
    }

    /// How a server answers; `None` without TLS.
    pub(crate) fn server(&self) -> Option<ServerTlsConfig> {
        let config = ServerTlsConfig::new().identity(self.identity.clone()?);
        Some(match self.ca.clone().filter(|_| self.mutual) {
            Some(ca) => config.client_ca_root(ca),
            None => config,
        })
    }

    /// An endpoint whose server is known by its certificate, where the address begins with `https://`.
    ///
    /// # Errors
    /// For certificates that can't be used.
    pub fn secure(&self, endpoint: Endpoint) -> Result<Endpoint, Error> {
        if endpoint.uri().scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        let mut config = match &self.ca {
            Some(ca) => ClientTlsConfig::new().ca_certificate(ca.clone()),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let Some(identity) = &self.identity {
            config = config.identity(identity.clone());
        }
        endpoint.tls_config(config)
    }
}

fn named(file: &Path) -> Option<&Path> {
    Some(file).filter(|file| !file.as_os_str().is_empty())
}

fn pem(file: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(file).map_err(|error| {
        ConfigError::Wrong(format!("the certificate or key {} can't be read: {error}", file.display()))
    })
}
