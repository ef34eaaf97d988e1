//! The client of the Cloud API against an API that breaks.

use std::time::Duration;

use delivery::channel::whatsapp::{Options, WhatsApp};
use delivery::channel::{Advice, Channel, Failure, Outgoing, Recipient};
use proto::v1;
use service::Secret;
use testkit::{Act, FakeGraph, GraphError, Seen, Which};

pub(crate) fn options(graph: &FakeGraph) -> Options {
    Options {
        api_base: graph.url(),
        phone_number_id: "106".to_owned(),
        access_token: Secret::new("token"),
        connect_timeout: Duration::from_secs(10),
        answer_timeout: Duration::from_secs(20),
    }
}

fn text(to: &str) -> Outgoing {
    Outgoing {
        to: Recipient::Number(to.to_owned()),
        message: v1::Message { r#type: "text".to_owned(), text: "hello".to_owned(), ..v1::Message::default() },
        reply_to: String::new(),
        message_id: "abc-m1".to_owned(),
    }
}

async fn world() -> (FakeGraph, WhatsApp) {
    let graph = FakeGraph::builder().start().await.unwrap();
    let channel = WhatsApp::new(&options(&graph)).unwrap();
    (graph, channel)
}

async fn failure(channel: &WhatsApp) -> Failure {
    channel.send(&text("4915")).await.unwrap_err()
}

#[tokio::test]
async fn a_message_is_accepted_with_our_id_beside_it() {
    let (graph, channel) = world().await;
    let accepted = channel.send(&text("4915")).await.unwrap();
    let user = Outgoing { to: Recipient::UserId("DE.77".to_owned()), ..text("") };
    channel.send(&user).await.unwrap();
    let sent = graph.sent();
    assert_eq!(accepted.channel_message_id, sent[0].id);
    let first = [&sent[0].number, &sent[0].recipient, &sent[0].callback_data, &sent[0].kind];
    assert_eq!(
        (first, sent[1].recipient.as_str()),
        (["106", "4915", "abc-m1", "text"].map(str::to_owned).each_ref(), "DE.77")
    );
}

#[tokio::test]
async fn a_message_is_shown_to_be_seen_and_answered() {
    let (graph, channel) = world().await;
    channel.seen("wamid.1", false).await.unwrap();
    channel.seen("wamid.2", true).await.unwrap();
    let seen = |id: &str, typing| Seen { number: "106".to_owned(), message_id: id.to_owned(), typing };
    assert_eq!(graph.seen(), [seen("wamid.1", false), seen("wamid.2", true)]);
    graph.expire_token();
    assert_eq!(channel.seen("wamid.3", true).await.unwrap_err().advice, Advice::StopChannel);
}

#[tokio::test]
async fn every_code_comes_through_with_what_to_do() {
    let (graph, channel) = world().await;
    for code in GraphError::codes() {
        graph.next(Which::any(), 1, Act::error(code));
        let failure = failure(&channel).await;
        assert_eq!(i64::from(failure.code), code);
        assert!(failure.advice != Advice::Unknown && failure.details.ends_with('.'), "{failure:?}");
    }
    assert_eq!(graph.sent_count(), 0);
}

#[tokio::test]
async fn whoever_asks_for_a_pause_is_heard() {
    let (graph, channel) = world().await;
    graph.next(Which::any(), 1, Act::too_many(7));
    let failure = failure(&channel).await;
    assert_eq!((failure.advice, failure.retry_after), (Advice::SlowNumber, Some(Duration::from_secs(7))));
}

#[tokio::test]
async fn a_call_that_may_have_arrived_is_told_from_one_that_did_not() {
    let (graph, channel) = world().await;
    for act in [Act::DropBefore, Act::DropAfter, Act::Garble] {
        graph.next(Which::any(), 1, act.clone());
        assert_eq!(failure(&channel).await.advice, Advice::Unknown, "{act:?}");
    }
    assert_eq!(graph.sent_count(), 2);
    graph.next(Which::any(), 1, Act::Late(Duration::from_secs(600), Box::new(Act::Usual)));
    let hasty = Options { answer_timeout: Duration::from_millis(300), ..options(&graph) };
    let hasty = WhatsApp::new(&Options { connect_timeout: Duration::from_secs(1), ..hasty }).unwrap();
    assert_eq!(failure(&hasty).await.advice, Advice::Unknown);
    assert_eq!(graph.sent_count(), 3);
    graph.next(Which::any(), 1, Act::status(500));
    assert_eq!(failure(&channel).await.advice, Advice::Retry);
}

#[tokio::test]
async fn a_channel_that_is_not_there_got_nothing() {
    let (graph, channel) = world().await;
    graph.go_down();
    let failure = testkit::eventually("a refused connection", Duration::from_secs(10), async || {
        Some(failure(&channel).await).filter(|failure| failure.advice == Advice::Away)
    });
    assert_eq!(failure.await.code, 0);
    graph.come_back();
    let again = async || channel.send(&text("4915")).await.ok();
    testkit::eventually("an answer", Duration::from_secs(10), again).await;
    assert_eq!(graph.sent_count(), 1);
}

#[tokio::test]
async fn nothing_shows_the_token() {
    let (graph, _) = world().await;
    let options = Options { access_token: Secret::new("an-other-token"), ..options(&graph) };
    let channel = WhatsApp::new(&options).unwrap();
    let failure = failure(&channel).await;
    assert_eq!((failure.advice, failure.code), (Advice::StopChannel, 190));
    let shown = format!("{channel:?} {options:?} {failure:?} {failure}");
    assert!(!shown.contains("an-other-token"), "{shown}");
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let options = |api_base: &str, token: &str| Options {
        api_base: api_base.to_owned(),
        phone_number_id: "1".to_owned(),
        access_token: Secret::new(token),
        connect_timeout: Duration::from_secs(1),
        answer_timeout: Duration::from_secs(1),
    };
    assert!(WhatsApp::new(&options("", "t")).is_ok());
    for (base, token, named) in
        [("nowhere", "t", "api_base"), ("ftp://x", "t", "api_base"), ("", "a\nb", "access_token")]
    {
        let error = WhatsApp::new(&options(base, token)).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
}
