//! A gRPC call that costs what gRPC costs.

use bytes::Bytes;
use tonic::{Request, Response, Status};

/// The generated client and server.
#[allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, missing_docs)]
pub(crate) mod wire {
    tonic::include_proto!("threadmark.bench");
}

/// Answers as many bytes as wanted.
pub(crate) struct Echo {
    bytes: Bytes,
}

/// More than any answer of ours has.
const MOST: usize = 4 * 1024 * 1024;

impl Echo {
    pub(crate) fn server() -> wire::echo_server::EchoServer<Echo> {
        wire::echo_server::EchoServer::new(Echo { bytes: vec![7; MOST].into() })
    }
}

#[tonic::async_trait]
impl wire::echo_server::Echo for Echo {
    async fn echo(&self, request: Request<wire::EchoRequest>) -> Result<Response<wire::EchoResponse>, Status> {
        let size = usize::try_from(request.into_inner().size).unwrap_or(MOST).min(MOST);
        Ok(Response::new(wire::EchoResponse { payload: self.bytes.slice(..size) }))
    }
}
