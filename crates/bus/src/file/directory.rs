//! Files in a directory that every process sees.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncWriteExt;

use super::Bytes;
use crate::Error;

/// Beside it first, then in its place: whoever looks sees the old file or the new one.
pub(super) async fn put(directory: &Path, path: &str, sealed: &[u8]) -> Result<(), Error> {
    let target = directory.join(path);
    let beside = PathBuf::from(format!("{}.{}", target.display(), nuid::next()));
    let write = async {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).await?;
        }
        let mut file = fs::File::create(&beside).await?;
        file.write_all(sealed).await?;
        file.sync_all().await?;
        fs::rename(&beside, &target).await
    };
    let written = write.await;
    if written.is_err() {
        let _ = fs::remove_file(&beside).await;
    }
    written.map_err(|error| Error::away("keeping a file", error))
}

pub(super) async fn has(directory: &Path, path: &str) -> Result<bool, Error> {
    fs::try_exists(directory.join(path)).await.map_err(|error| Error::away("looking for a file", error))
}

pub(super) async fn open(directory: &Path, path: &str) -> Result<Option<Bytes>, Error> {
    match fs::File::open(directory.join(path)).await {
        Ok(file) => Ok(Some(Box::pin(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::away("opening a file", error)),
    }
}
