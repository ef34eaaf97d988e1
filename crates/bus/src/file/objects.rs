//! Files in a JetStream object store, as ADR-20 lays it down.

use async_nats::jetstream::object_store::{GetErrorKind, InfoErrorKind, ObjectStore};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use futures::TryStreamExt;

use super::Bytes;
use crate::{Bus, Error, Options, stream};

/// The stream that the store is.
pub(crate) fn config(options: &Options) -> Config {
    let bucket = stream::MEDIA;
    Config {
        name: format!("OBJ_{bucket}"),
        subjects: vec![format!("$O.{bucket}.C.>"), format!("$O.{bucket}.M.>")],
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        allow_direct: true,
        storage: StorageType::File,
        num_replicas: options.replicas,
        duplicate_window: options.duplicate_window,
        ..Config::default()
    }
}

pub(super) async fn put(bus: &Bus, path: &str, mut sealed: &[u8]) -> Result<(), Error> {
    let put = store(bus).await?.put(path, &mut sealed).await;
    put.map(drop).map_err(|error| Error::away("keeping a file", error))
}

pub(super) async fn has(bus: &Bus, path: &str) -> Result<bool, Error> {
    match store(bus).await?.info(path).await {
        Ok(info) => Ok(!info.deleted),
        Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::away("looking for a file", error)),
    }
}

pub(super) async fn open(bus: &Bus, path: &str) -> Result<Option<Bytes>, Error> {
    match store(bus).await?.get(path).await {
        Ok(object) => Ok(Some(Box::pin(object))),
        Err(error) if error.kind() == GetErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::away("opening a file", error)),
    }
}

/// Removes every object whose name begins so. The parts go first: an object that is still listed may be removed again.
pub(super) async fn remove_all(bus: &Bus, folder: &str) -> Result<u64, Error> {
    let doing = "removing files";
    let store = store(bus).await?;
    let parts = bus.jetstream().get_stream_no_info(format!("OBJ_{}", stream::MEDIA)).await;
    let parts = parts.map_err(|error| Error::away(doing, error))?;
    let mut all = store.list().await.map_err(|error| Error::away(doing, error))?;
    let mut count = 0;
    while let Some(object) = all.try_next().await.map_err(|error| Error::away(doing, error))? {
        if object.name.starts_with(folder) && !object.deleted {
            let of_object = format!("$O.{}.C.{}", stream::MEDIA, object.nuid);
            parts.purge().filter(of_object).await.map_err(|error| Error::away(doing, error))?;
            store.delete(&object.name).await.map_err(|error| Error::away(doing, error))?;
            count += 1;
        }
    }
    Ok(count)
}

async fn store(bus: &Bus) -> Result<ObjectStore, Error> {
    let store = bus.jetstream().get_object_store(stream::MEDIA).await;
    store.map_err(|error| Error::away("opening the store of files", error))
}
