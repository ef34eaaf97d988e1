//! Reading a body that may be too large or never end.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use super::answer::Answer;
use crate::options::HttpOptions;

/// Room made at once for a body, in bytes; of a longer one only as it comes in. Whoever announces much and sends
/// nothing holds no more than this.
const TRUSTED: usize = 64 * 1024;

/// The whole body: at most as large and as slow as the options allow.
pub(crate) async fn read(body: Body, headers: &HeaderMap, options: &HttpOptions) -> Result<Bytes, Answer> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let announced = usize::try_from(announced.unwrap_or_default()).unwrap_or(usize::MAX);
    if announced > options.body_limit {
        return Err(Answer::TooLarge);
    }
    let all = collect(body, announced.min(TRUSTED), options.body_limit);
    tokio::time::timeout(options.body_deadline, all).await.unwrap_or(Err(Answer::TooSlow))
}

async fn collect(body: Body, expected: usize, limit: usize) -> Result<Bytes, Answer> {
    let mut chunks = body.into_data_stream();
    let mut all = BytesMut::with_capacity(expected);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Answer::Broken)?;
        if all.len() + chunk.len() > limit {
            return Err(Answer::TooLarge);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}
