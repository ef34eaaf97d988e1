//! The projection as a process of its own, killed at any moment.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use proto::v1;
use proto::v1::projection_service_client::ProjectionServiceClient;
use testkit::{NatsServer, count, eventually};
use tonic::transport::Channel;

use crate::traffic::{Traffic, connect};
use crate::view::LONG;

/// A running projection; it is killed when dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(url: &str, dir: &Path, engine: &str) -> Process {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(env!("CARGO_BIN_EXE_projection"))
            .env("THREADMARK_NATS__URL", url)
            .env("THREADMARK_DATA_DIR", dir)
            .env("THREADMARK_GRPC__LISTEN", &address)
            .env("THREADMARK_PROJECTION__ENGINE", engine)
            .env("THREADMARK_ACCESS__REQUIRED", "false")
            .env("THREADMARK_PROJECTION__CACHE_MB", "16")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Process { child, address }
    }

    async fn client(&self) -> ProjectionServiceClient<Channel> {
        let connect = async || ProjectionServiceClient::connect(format!("http://{}", self.address)).await.ok();
        eventually("the projection to answer", LONG, connect).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn killed_at_random(engine: &str) {
    let (server, dir) = (NatsServer::start().await, tempfile::tempdir().unwrap());
    let mut traffic = Traffic::new(connect(&server.url()).await, "a");
    let mut last = 0;
    for kill in 0..count("projection-kills", 4, 50) as u64 {
        let process = Process::start(&server.url(), dir.path(), engine);
        last = traffic.go_on(20 + 17 * (kill % 5)).await;
        // Some are killed while they start, some while they fold.
        if kill % 2 == 1 {
            drop(process.client().await);
        }
    }
    let process = Process::start(&server.url(), dir.path(), engine);
    let mut client = process.client().await;
    eventually("everything to be applied", LONG, async || {
        let status = client.get_projection_status(v1::GetProjectionStatusRequest {}).await.ok()?.into_inner();
        (status.applied_revision as u64 >= last).then_some(())
    })
    .await;
    let mut answers = client.verify_projection(v1::VerifyProjectionRequest {}).await.unwrap().into_inner();
    let verdict = tokio::time::timeout(Duration::from_secs(120), async {
        loop {
            let answer = answers.message().await.unwrap().expect("a verdict at the end");
            if let Some(verdict) = answer.verdict {
                return verdict;
            }
        }
    });
    let verdict = verdict.await.unwrap();
    assert!(verdict.equal && verdict.revision as u64 >= last, "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_projection_equals_a_rebuild_with_sled() {
    killed_at_random("sled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_projection_equals_a_rebuild_with_fjall() {
    killed_at_random("fjall").await;
}
