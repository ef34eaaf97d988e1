//! A connection that loses answers: between our services and the nats-server, on loopback.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes everything on, both ways, until it is told to lose something.
pub(crate) struct Between {
    address: String,
    /// Counts up: what is open is to lose its answers, then to be closed.
    cuts: Arc<watch::Sender<u64>>,
}

/// How long answers are lost before the connection is closed: long enough for what was asked to be done.
const LOSING: Duration = Duration::from_millis(50);

impl Between {
    /// Listens in front of a server such as `nats://127.0.0.1:4222`.
    pub(crate) async fn start(server: &str) -> Between {
        let server = server.strip_prefix("nats://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cuts = Arc::new(watch::Sender::new(0));
        let told = cuts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, told) = (server.clone(), told.subscribe());
                tokio::spawn(async move {
                    // A server that is away closes the connection, as it would without us.
                    if let Ok(server) = TcpStream::connect(&server).await {
                        pass_on(client, server, told).await;
                    }
                });
            }
        });
        Between { address, cuts }
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Loses every answer for a moment, then closes every connection.
    pub(crate) fn lose_answers(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn pass_on(client: TcpStream, server: TcpStream, mut told: watch::Receiver<u64>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let losing = told.clone();
    let asking = async { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
    let answering = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from_server.read(&mut buffer).await?;
            if read == 0 {
                return std::io::Result::Ok(());
            }
            if !losing.has_changed().unwrap_or(false) {
                to_client.write_all(&buffer[..read]).await?;
            }
        }
    };
    let cut = async {
        let _ = told.changed().await;
        tokio::time::sleep(LOSING).await;
    };
    tokio::select! {
        _ = asking => {}
        _ = answering => {}
        () = cut => {}
    }
}
