//! A listener whose connections can be cut, and which can be closed and opened again at the same address.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Pause before binding or accepting is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether anybody is answered. While it is down, connections are refused, as by a machine that is not there.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    up: watch::Sender<bool>,
    /// Cancelled when the machine goes down: all connections end.
    era: Arc<Mutex<CancellationToken>>,
}

impl Switch {
    pub(crate) fn new() -> Switch {
        Switch { up: watch::Sender::new(true), era: Arc::new(Mutex::new(CancellationToken::new())) }
    }

    pub(crate) fn down(&self) {
        self.up.send_replace(false);
        let mut era = self.era.lock().unwrap_or_else(PoisonError::into_inner);
        era.cancel();
        *era = CancellationToken::new();
    }

    pub(crate) fn up(&self) {
        self.up.send_replace(true);
    }

    fn connection(&self) -> CancellationToken {
        self.era.lock().unwrap_or_else(PoisonError::into_inner).child_token()
    }
}

#[derive(Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    listener: Option<TcpListener>,
    switch: Switch,
}

impl Line {
    pub(crate) async fn open(switch: Switch) -> io::Result<Line> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Line { address: listener.local_addr()?, listener: Some(listener), switch })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts one; `None` when something is different now and it has to be looked at again.
    async fn accept_one(&mut self) -> Option<TcpStream> {
        let mut up = self.switch.up.subscribe();
        if !*up.borrow_and_update() {
            self.listener = None;
            let _ = up.changed().await;
            return None;
        }
        let Some(listener) = &self.listener else {
            match TcpListener::bind(self.address).await {
                Ok(listener) => self.listener = Some(listener),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            return None;
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => Some(stream),
                Err(_) => {
                    tokio::time::sleep(PAUSE).await;
                    None
                }
            },
            _ = up.changed() => None,
        }
    }
}

impl Listener for Line {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            if let Some(stream) = self.accept_one().await {
                // Answers are small and waited for.
                let _ = stream.set_nodelay(true);
                let scissors = self.switch.connection();
                return (Wire { stream, cut: Box::pin(scissors.clone().cancelled_owned()), scissors }, self.address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A connection that may be cut.
pub(crate) struct Wire {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    scissors: CancellationToken,
}

impl Wire {
    fn is_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_cut(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.is_cut(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_cut(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What a handler cuts its own connection with.
#[derive(Clone, Debug)]
pub(crate) struct Scissors(CancellationToken);

impl Scissors {
    pub(crate) fn cut(&self) {
        self.0.cancel();
    }
}

impl Connected<IncomingStream<'_, Line>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Line>) -> Scissors {
        Scissors(stream.io().scissors.clone())
    }
}
