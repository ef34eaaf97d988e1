//! A sealed file: a version, then frames, each with its length before it. The first holds what the file is, each other
//! one a part of it with its place and whether it is the last, so that parts can't be swapped, left out or taken from
//! another file.

use std::io;

use bytes::Bytes;
use prost::Message;
use proto::v1;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::Error;
use crate::seal::{SealKey, random};

/// First byte of every file.
const VERSION: u8 = 1;
/// Bytes of a file in one frame.
const PART: usize = 128 * 1024;
/// Longest frame: a part, or a head, with what sealing adds.
const MAX_FRAME: usize = PART + 1024;
/// Before each part: the id of the file, the place, whether it is the last.
const ID: usize = 16;
const PREFIX: usize = ID + 4 + 1;

/// Seals a file.
pub(super) fn seal(key: &SealKey, head: &v1::SealedFile, bytes: &[u8]) -> Vec<u8> {
    let id: [u8; ID] = random();
    let head = v1::SealedFile { id: id.to_vec().into(), ..head.clone() };
    let frames = bytes.len() / PART + 2;
    let mut sealed = Vec::with_capacity(bytes.len() + frames * 128 + 1024);
    sealed.push(VERSION);
    push(&mut sealed, &key.seal(&head.encode_to_vec()));
    let parts = bytes.len().div_ceil(PART).max(1);
    for nth in 0..parts {
        let part = bytes.get(nth * PART..).unwrap_or_default();
        let part = part.get(..PART).unwrap_or(part);
        let place = u32::try_from(nth).unwrap_or(u32::MAX).to_be_bytes();
        let last = u8::from(nth + 1 == parts);
        push(&mut sealed, &key.seal(&[&id[..], &place, &[last], part].concat()));
    }
    sealed
}

fn push(sealed: &mut Vec<u8>, frame: &[u8]) {
    sealed.extend_from_slice(&u32::try_from(frame.len()).unwrap_or(u32::MAX).to_be_bytes());
    sealed.extend_from_slice(frame);
}

/// A sealed file that is read.
pub(super) struct Frames<R> {
    key: SealKey,
    source: R,
    id: Bytes,
    /// The place of the next part; `None` after the last.
    nth: Option<u32>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(key: SealKey, source: R) -> Frames<R> {
        Frames { key, source, id: Bytes::new(), nth: Some(0) }
    }

    /// What the file is. Comes before any part.
    pub(super) async fn head(&mut self) -> Result<v1::SealedFile, Error> {
        let version = self.source.read_u8().await.map_err(broken)?;
        if version != VERSION {
            return Err(damaged("kept by a newer version"));
        }
        let head = v1::SealedFile::decode(self.frame().await?.as_slice()).map_err(damaged)?;
        self.id = head.id.clone();
        Ok(head)
    }

    /// The next part; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(nth) = self.nth else { return Ok(None) };
        let mut part = self.frame().await?;
        let wanted = [&self.id[..], &nth.to_be_bytes()].concat();
        if part.len() < PREFIX || !part.starts_with(&wanted) {
            return Err(damaged("a part is of another place or file"));
        }
        self.nth = if part.get(PREFIX - 1) == Some(&1) { None } else { nth.checked_add(1) };
        part.drain(..PREFIX);
        Ok(Some(part))
    }

    async fn frame(&mut self) -> Result<Vec<u8>, Error> {
        let length = self.source.read_u32().await.map_err(broken)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FRAME);
        let mut frame = vec![0; length.ok_or_else(|| damaged("a part is too long"))?];
        self.source.read_exact(&mut frame).await.map_err(broken)?;
        self.key.open(&frame).map_err(damaged)
    }
}

fn broken(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => Error::away("reading a file", error),
    }
}

fn damaged(why: impl ToString) -> Error {
    Error::unreadable("a file", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> v1::SealedFile {
        v1::SealedFile { mime_type: "image/png".to_owned(), ..v1::SealedFile::default() }
    }

    async fn read(key: &SealKey, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let mut frames = Frames::new(key.clone(), sealed);
        assert_eq!(frames.head().await?.mime_type, "image/png");
        let mut all = Vec::new();
        while let Some(part) = frames.next().await? {
            all.extend(part);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_file_comes_back_whole() {
        let key = SealKey::new(random());
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let sealed = seal(&key, &head(), &bytes);
            assert_eq!(read(&key, &sealed).await.unwrap(), bytes, "{length}");
            assert!(read(&SealKey::new(random()), &sealed).await.is_err());
        }
    }

    #[tokio::test]
    async fn parts_cannot_be_cut_bent_swapped_or_lent() {
        let key = SealKey::new(random());
        let sealed = seal(&key, &head(), &vec![7; 3 * PART]);
        for cut in (0..sealed.len()).step_by(4_001) {
            assert!(read(&key, &sealed[..cut]).await.is_err(), "{cut}");
            let mut bent = sealed.clone();
            bent[cut] ^= 1;
            assert!(read(&key, &bent).await.is_err(), "{cut}");
        }
        let frames = split(&sealed);
        let swapped = [frames[0], frames[2], frames[1], frames[3]].concat();
        assert!(read(&key, &swapped).await.is_err());
        let without_the_middle = [frames[0], frames[1], frames[3]].concat();
        assert!(read(&key, &without_the_middle).await.is_err());
        let other = seal(&key, &head(), &vec![8; 3 * PART]);
        let lent = [frames[0], split(&other)[1], frames[2], frames[3]].concat();
        assert!(read(&key, &lent).await.is_err());
    }

    /// The head with the version, then the parts.
    fn split(sealed: &[u8]) -> Vec<&[u8]> {
        let (mut frames, mut begin, mut at) = (Vec::new(), 0, 1);
        while at < sealed.len() {
            at += 4 + u32::from_be_bytes(sealed[at..at + 4].try_into().unwrap()) as usize;
            frames.push(&sealed[begin..at]);
            begin = at;
        }
        frames
    }
}
