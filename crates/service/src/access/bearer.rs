use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::TokenText;
use crate::Secret;
use crate::config::Access;

/// A file is read again after so long, so that a token can be rotated under a process that runs.
const FRESH: Duration = Duration::from_secs(10);

/// Shows a token with every call of a client; or none. Cheap to clone.
#[derive(Clone, Default)]
pub struct Bearer(Option<Arc<Source>>);

struct Source {
    file: Option<PathBuf>,
    read: Mutex<(Instant, MetadataValue<Ascii>)>,
}

/// Why there is no token to show.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The file can't be read.
    #[error("the token file {path} can't be read: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What was given is no token. It is not repeated here: it may be one that was cut short.
    #[error("{0} holds no token: it has to be the whole `tm_…` as it was shown when it was made")]
    Malformed(String),
}

impl Bearer {
    /// Shows nothing.
    pub fn none() -> Bearer {
        Bearer::default()
    }

    /// Shows a token. `whence` names where it comes from, for the error.
    ///
    /// # Errors
    /// [`BearerError::Malformed`].
    pub fn of(token: &Secret, whence: &str) -> Result<Bearer, BearerError> {
        let value = header(token.expose()).ok_or_else(|| BearerError::Malformed(whence.to_owned()))?;
        Ok(Bearer(Some(Arc::new(Source { file: None, read: Mutex::new((Instant::now(), value)) }))))
    }

    /// Shows the token in a file, also when another one is written there.
    ///
    /// # Errors
    /// [`BearerError`].
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Bearer, BearerError> {
        let path = path.into();
        let text = std::fs::read_to_string(&path).map_err(|source| BearerError::File { path: path.clone(), source })?;
        let value = header(&text).ok_or_else(|| BearerError::Malformed(format!("the file {}", path.display())))?;
        Ok(Bearer(Some(Arc::new(Source { file: Some(path), read: Mutex::new((Instant::now(), value)) }))))
    }

    /// What a process shows to the other services: `access.token`, or what is in `access.token_file`.
    ///
    /// # Errors
    /// [`BearerError`].
    pub fn from_config(access: &Access) -> Result<Bearer, BearerError> {
        if !access.token.is_empty() {
            return Bearer::of(&access.token, "access.token");
        }
        match access.token_file.as_os_str().is_empty() {
            true => Ok(Bearer::none()),
            false => Bearer::from_file(&access.token_file),
        }
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(source) = &self.0 {
            request.metadata_mut().insert("authorization", source.value());
        }
        Ok(request)
    }
}

impl Source {
    /// A file that can't be read now leaves what it said before.
    fn value(&self) -> MetadataValue<Ascii> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = self.file.as_ref().filter(|_| read.0.elapsed() > FRESH) {
            read.0 = Instant::now();
            // One line of a local file.
            match std::fs::read_to_string(path).ok().and_then(|text| header(&text)) {
                Some(value) => read.1 = value,
                None => tracing::warn!(path = %path.display(), "the token file holds no token: the last one is shown"),
            }
        }
        read.1.clone()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Bearer (hidden)" } else { "Bearer none" })
    }
}

/// What goes into the metadata, marked as what is never to be shown.
fn header(text: &str) -> Option<MetadataValue<Ascii>> {
    let token = TokenText::parse(text)?;
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.expose().expose()).parse().ok()?;
    value.set_sensitive(true);
    Some(value)
}
