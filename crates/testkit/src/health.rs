//! Asks a server over its monitoring port whether it is ready.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Whether `/healthz` answers 200: JetStream is up, in a cluster it knows its leader, and its streams and consumers
/// are caught up. One request by hand, so that the test kit needs no HTTP client.
pub(crate) async fn is_healthy(monitoring: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(monitoring).await?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await?;
    let mut answer = Vec::new();
    // An answer is a status line, a few headers and a line of JSON.
    stream.take(16 * 1024).read_to_end(&mut answer).await?;
    let status_line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(status_line.ends_with(b" 200 OK"))
}
