//! Files that the channel does not give at once.

use std::time::Duration;

use testkit::FileCall;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::media::{World, media};

const LONG: Duration = Duration::from_secs(40);

/// Waits until a reader is told that a file waits, and why.
async fn waits(world: &mut World, conversation: &str, id: &str) -> Status {
    testkit::eventually("a file that waits", LONG, async || {
        let said = world.get(conversation, id).await.unwrap_err();
        let reason = said.get_details_error_info().map(|info| info.reason);
        (reason.as_deref() == Some("MEDIA_WAITING")).then_some(said)
    })
    .await
}

#[tokio::test]
async fn what_breaks_for_a_while_comes_by_itself() {
    for (call, status) in [(FileCall::About, 503), (FileCall::Bytes, 404), (FileCall::Bytes, 500)] {
        let mut world = World::start().await;
        let id = world.graph.put_media("image/png", "abc");
        world.graph.fail_media(&id, call, 2, status);
        let conversation = world.receive("image", media(&id, "image/png")).await;
        // Nobody asks for it: only the calls are looked at.
        testkit::eventually("its bytes", LONG, async || {
            let bytes = world.graph.media_calls(&id, FileCall::Bytes);
            (bytes == if call == FileCall::Bytes { 3 } else { 1 }).then_some(())
        })
        .await;
        assert_eq!(world.settled(&conversation, &id).await.unwrap().1, b"abc");
        // An address that expired is not used again: each try asks for a new one.
        assert_eq!(world.graph.media_calls(&id, FileCall::About), 3);
    }
}

#[tokio::test]
async fn readers_are_told_why_a_file_waits_and_fetch_it_together() {
    let mut world = World::start().await;
    let id = world.graph.put_media("image/png", "abc");
    world.graph.expire_token();
    let conversation = world.receive("image", media(&id, "image/png")).await;
    let said = waits(&mut world, &conversation, &id).await;
    assert_eq!(said.code(), Code::NotFound);
    assert!(said.message().contains("190") && said.message().contains("access_token"), "{said}");
    // Others go on meanwhile, also in the same conversation.
    world.graph.set_token("token");
    let other = world.graph.put_media("image/png", "def");
    let same = world.receive("image", media(&other, "image/png")).await;
    assert_eq!(same, conversation);
    assert_eq!(world.settled(&conversation, &other).await.unwrap().1, b"def");
    let all = (0..20).map(|_| {
        let (mut grpc, conversation, id) = (world.grpc.clone(), conversation.clone(), id.clone());
        async move { crate::media::get_until(&mut grpc, &conversation, &id).await }
    });
    for bytes in futures::future::join_all(all).await {
        assert_eq!(bytes, b"abc");
    }
    assert_eq!(world.graph.media_calls(&id, FileCall::Bytes), 1);
}

#[tokio::test]
async fn a_kill_loses_no_file_that_waits() {
    let mut world = World::start().await;
    let id = world.graph.put_media("image/png", "abc");
    world.graph.expire_token();
    let conversation = world.receive("image", media(&id, "image/png")).await;
    waits(&mut world, &conversation, &id).await;
    world.work().await;
    world.graph.set_token("token");
    testkit::eventually("its bytes", LONG, async || (world.graph.media_calls(&id, FileCall::Bytes) == 1).then_some(()))
        .await;
    assert_eq!(world.settled(&conversation, &id).await.unwrap().1, b"abc");
}

#[tokio::test]
async fn what_waited_and_turns_out_wrong_is_refused_for_good() {
    let mut world = World::start().await;
    let id = world.graph.put_media("text/html", "<script>");
    world.graph.fail_media(&id, FileCall::About, 1, 503);
    let conversation = world.receive("image", media(&id, "image/png")).await;
    let refused = world.settled(&conversation, &id).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("announced") && refused.message().contains("ask the customer"), "{refused}");
}
