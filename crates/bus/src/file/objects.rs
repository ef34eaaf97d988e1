//! Files in a JetStream object store, as ADR-20 lays it down.

use std::io;

use async_nats::jetstream::object_store::{InfoErrorKind, ObjectStore};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use futures::TryStreamExt;
use tokio_util::io::StreamReader;

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

/// Opens an object. Its parts are asked for one by one: the client's own `get` makes a consumer for each reader, which
/// outlives the reading, until the server takes no more of them ("maximum consumers limit reached") and no file is read.
pub(super) async fn open(bus: &Bus, path: &str) -> Result<Option<Bytes>, Error> {
    let doing = "opening a file";
    let info = match store(bus).await?.info(path).await {
        Ok(info) if info.deleted => return Ok(None),
        Ok(info) => info,
        Err(error) if error.kind() == InfoErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::away(doing, error)),
    };
    let parts = bus.jetstream().get_stream_no_info(format!("OBJ_{}", stream::MEDIA)).await;
    let parts = parts.map_err(|error| Error::away(doing, error))?;
    let subject = format!("$O.{}.C.{}", stream::MEDIA, info.nuid);
    let bytes = futures::stream::try_unfold((1, info.chunks), move |(from, left)| {
        let (parts, subject) = (parts.clone(), subject.clone());
        async move {
            if left == 0 {
                return Ok(None);
            }
            let part = parts.get_first_raw_message_by_subject(&subject, from).await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(Some((part.payload, (part.sequence + 1, left - 1))))
        }
    });
    Ok(Some(Box::pin(StreamReader::new(Box::pin(bytes)))))
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
