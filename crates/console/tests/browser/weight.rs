//! What a browser gets of each page, with style and script: light enough for a telephone on a train.

use serde_json::json;

use crate::world::World;

/// What a page may weigh, in bytes, as they go over the wire.
const LIGHT: u64 = 150_000;
/// Other chats that stand beside the one that is looked at.
const CHATS: usize = 45;
const TICKETS: usize = 25;

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stderr, reason = "whoever reads the log should know")]
async fn every_page_weighs_less_than_a_picture() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "My lamp arrived broken").await;
    for ticket in 0..TICKETS {
        world.open(&chat, "ana", &format!("topic {ticket}")).await;
        for line in 0..6 {
            world.say("Maya", &format!("{ticket}.{line}: {}", "what can be done about it? ".repeat(6))).await;
            world.send(&chat, "ana", &format!("{ticket}.{line}: {}", "I am looking into it. ".repeat(6))).await;
        }
        if ticket % 5 != 1 {
            world.close(&chat, "ana", false).await;
        }
    }
    for nth in 0..CHATS {
        let (other, _) = world.say(&format!("Customer number {nth}"), "where is my parcel?").await;
        world.open(&other, "ben", "parcel").await;
    }
    let page = world.browser("ana").await;
    let chat = format!("/c/{chat}");
    for path in [
        "/sign-in",
        "/inbox?view=all",
        &chat,
        "/dashboard?period=month&unit=hour&by=topic",
        "/tickets?period=today&nested=1",
        "/rules",
        "/bot",
    ] {
        page.go(path).await;
        page.sees("main#main").await;
        page.holds("everything is there", "return performance.getEntriesByType('resource').length >= 2").await;
        let weighed = page.asks(WEIGH).await;
        let weight = weighed["wire"].as_u64().unwrap();
        eprintln!("{path}: {weight} bytes, {} unpacked", weighed["unpacked"]);
        assert!(weight < LIGHT, "{path}: {weighed}");
        assert!(weight > 5_000, "{path} was not weighed: {weighed}");
        assert_eq!(weighed["packed"], json!(true), "{path} came as it is: {weighed}");
    }
    // What events make pages ask for, and events themselves, come as they are.
    let coding = "return fetch(arguments[0]).then((answer) => [answer.headers.get('content-type'), answer.headers.get('content-encoding')])";
    for (path, kind) in [
        (format!("{chat}/live"), "text/event-stream"),
        ("/inbox/live".to_owned(), "text/event-stream"),
        ("/inbox/list".to_owned(), "text/html; charset=utf-8"),
        (format!("{chat}/panel"), "text/html; charset=utf-8"),
    ] {
        let told = page.client.execute(coding, vec![json!(path)]).await.unwrap();
        assert_eq!(told, json!([kind, null]), "{path}");
    }
    // Style and script are asked for once, as long as they stay the same.
    let kept = "return fetch(document.querySelector('link[rel=stylesheet]').href).then((answer) => answer.headers.get('cache-control'))";
    assert_eq!(page.asks(kept).await, json!("public, max-age=31536000, immutable"));
    page.close().await;
}

/// Bytes of the page and of all that it names, as they come over the wire, also of what the browser had already.
const WEIGH: &str = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]; \
    const sum = (of) => all.reduce((sum, entry) => sum + of(entry), 0); \
    return { wire: sum((entry) => entry.encodedBodySize), unpacked: sum((entry) => entry.decodedBodySize), \
        packed: all[0].encodedBodySize < all[0].decodedBodySize, names: all.map((entry) => entry.name) };";
