//! Reading a body that may be too large or never end.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use super::answer::Answer;
use crate::options::HttpOptions;

/// The whole body: at most as large and as slow as the options allow.
pub(crate) async fn read(body: Body, headers: &HeaderMap, options: &HttpOptions) -> Result<Bytes, Answer> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > options.body_limit as u64) {
        return Err(Answer::TooLarge);
    }
    let all = collect(body, options.body_limit);
    tokio::time::timeout(options.body_deadline, all).await.unwrap_or(Err(Answer::TooSlow))
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Answer> {
    let mut chunks = body.into_data_stream();
    let mut all = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Answer::Broken)?;
        if all.len() + chunk.len() > limit {
            return Err(Answer::TooLarge);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}
