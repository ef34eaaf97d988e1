//! Keys that are written once and never change.

use async_nats::jetstream::kv;
use async_nats::jetstream::kv::CreateErrorKind;
use bytes::Bytes;

use super::{OPERATION, is_gone, last_of};
use crate::Error;

/// The bytes under a key that never changes once it is there: from any server that has them, else from the leader of
/// the bucket, since a follower may not have heard of it yet.
pub(crate) async fn read(bucket: &kv::Store, key: &str) -> Result<Option<Bytes>, Error> {
    if let Some(value) = bucket.get(key).await.map_err(|error| Error::away("reading a bucket", error))? {
        return Ok(Some(value));
    }
    let last = last_of(&bucket.stream, &format!("$KV.{}.{key}", bucket.name)).await?;
    Ok(last.filter(|message| !is_gone(message.headers.get(OPERATION))).map(|message| message.payload))
}

/// What stands under a key: `value` if nothing did.
pub(crate) async fn find_or_create(bucket: &kv::Store, key: &str, value: Bytes) -> Result<Bytes, Error> {
    if let Some(found) = bucket.get(key).await.map_err(|error| Error::away("reading a bucket", error))? {
        return Ok(found);
    }
    match bucket.create(key, value.clone()).await {
        Ok(_) => Ok(value),
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {
            read(bucket, key).await?.ok_or_else(|| Error::unreadable(format!("{}/{key}", bucket.name), "it went away"))
        }
        Err(error) => Err(Error::away("writing to a bucket", error)),
    }
}
