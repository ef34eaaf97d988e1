//! A client that costs little: one request at a time on one connection that stays open.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The answers of ours are a status line and a few headers.
const LONGEST_HEAD: usize = 8 * 1024;

/// A connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, received: Vec::new() })
    }

    pub(crate) async fn open_all(address: SocketAddr, count: usize) -> anyhow::Result<Vec<Connection>> {
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            all.push(Connection::open(address).await?);
        }
        Ok(all)
    }

    /// The last answer, with its head.
    pub(crate) fn received(&self) -> &[u8] {
        &self.received
    }

    /// Sends a whole request and reads the answer, which has to be 200. How many bytes its body has.
    pub(crate) async fn send(&mut self, request: &Bytes) -> anyhow::Result<usize> {
        self.ask(request, "200").await
    }

    /// The same with an answer of another status.
    pub(crate) async fn ask(&mut self, request: &Bytes, status: &str) -> anyhow::Result<usize> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection was closed");
            if let Some(head) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break head;
            }
            ensure!(self.received.len() < LONGEST_HEAD, "an answer without an end");
        };
        let text = std::str::from_utf8(&self.received[..head])?.to_ascii_lowercase();
        ensure!(text.starts_with(&format!("http/1.1 {status} ")), "answered {text}");
        if text.lines().any(|line| line == "transfer-encoding: chunked") {
            return self.chunks(head + 4).await;
        }
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.context("an answer without a length")?.trim().parse()?;
        self.until(head + 4 + length).await?;
        Ok(length)
    }

    /// Reads a body that comes in chunks, of which the first begins at `at`. How many bytes they hold.
    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<usize> {
        let mut whole = 0;
        loop {
            let line = loop {
                match self.received[at..].windows(2).position(|window| window == b"\r\n") {
                    Some(line) => break at + line,
                    None => self.until(self.received.len() + 1).await?,
                }
            };
            let size = usize::from_str_radix(std::str::from_utf8(&self.received[at..line])?, 16)?;
            at = line + 2 + size + 2;
            self.until(at).await?;
            whole += size;
            if size == 0 {
                return Ok(whole);
            }
        }
    }

    /// Reads until so many bytes were received.
    async fn until(&mut self, length: usize) -> anyhow::Result<()> {
        while self.received.len() < length {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the connection was closed");
        }
        Ok(())
    }
}
