use std::io;
use std::path::{Path, PathBuf};

use super::Engine;

/// Why a store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Refused: another process has the store open.
    #[error(
        "the store in {} is in use by {holder}: stop that process, or configure another data directory",
        dir.display()
    )]
    Locked { dir: PathBuf, holder: String },

    /// The files are damaged or of a form that this build does not read. The event log can rebuild them: promote a
    /// fresh [`super::Draft`].
    #[error(
        "the store in {} cannot be read ({reason}): it has to be rebuilt from the event log",
        dir.display()
    )]
    Corrupt { dir: PathBuf, reason: String },

    /// Fatal: the operating system refused. Look at the disk and at permissions, then start again.
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },

    /// Fatal: the engine gave up, usually after a failed write. Start again; the store continues from its last batch.
    #[error("the store engine {engine} failed ({reason}): start again")]
    Engine { engine: Engine, reason: String },

    /// Refused: a key that not every engine can hold.
    #[error("a store key of {bytes} bytes: keys have 1 to {} bytes", super::MAX_KEY_BYTES)]
    KeyLength { bytes: usize },

    /// Refused: configuration names no engine.
    #[error("unknown store engine {name:?}: use \"sled\" or \"fjall\"")]
    UnknownEngine { name: String },
}

impl Error {
    /// Whether a rebuild from the event log is the remedy.
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// An I/O error met while reading the engine's files: what is missing, cut short or nonsense is damage.
    pub(super) fn reading(dir: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Self::corrupt(dir, source)
            }
            _ => Self::io(dir, source),
        }
    }

    pub(super) fn corrupt(dir: &Path, reason: impl ToString) -> Self {
        Self::Corrupt { dir: dir.to_owned(), reason: reason.to_string() }
    }
}
