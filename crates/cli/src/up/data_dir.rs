use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The directory that holds everything of this machine, locked against a second process.
pub(crate) struct DataDir {
    path: PathBuf,
    // The lock ends with the file.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if it is not there, and locks it.
    ///
    /// # Errors
    /// When it can't be made, or another process has it.
    pub(crate) fn lock(path: &Path) -> anyhow::Result<DataDir> {
        std::fs::create_dir_all(path).with_context(|| format!("can't make the data directory {}", path.display()))?;
        let path = path.canonicalize()?;
        let lock = File::create(path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(DataDir { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "the data directory {} is in use by another threadmark: end that one, or choose another with --data-dir",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).context("can't lock the data directory"),
        }
    }

    /// A place inside it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
