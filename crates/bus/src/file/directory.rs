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

/// Removes a folder with every file in it.
pub(super) async fn remove_all(directory: &Path, folder: &str) -> Result<u64, Error> {
    let doing = "removing files";
    let folder = directory.join(folder);
    let mut files = match fs::read_dir(&folder).await {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(Error::away(doing, error)),
    };
    let mut count = 0;
    while let Some(file) = files.next_entry().await.map_err(|error| Error::away(doing, error))? {
        fs::remove_file(file.path()).await.map_err(|error| Error::away(doing, error))?;
        count += 1;
    }
    fs::remove_dir(&folder).await.map_err(|error| Error::away(doing, error))?;
    Ok(count)
}
