//! The requests that the channel documents are taken.

use fake_graph::FakeGraph;
use serde_json::Value;

use crate::code;

/// The interactive messages that this fake does not know: goods, orders and forms.
const UNKNOWN: [&str; 6] = ["catalog_message", "flow", "product_list", "product", "order_details", "order_status"];

#[tokio::test]
async fn documented_requests_are_taken() {
    let Some(folder) = std::env::var_os("THREADMARK_FIXTURES") else {
        eprintln!("skipped: THREADMARK_FIXTURES is not set");
        return;
    };
    let path = std::path::PathBuf::from(folder).join("graph_send_examples.jsonl");
    let graph = FakeGraph::builder().start().await.unwrap();
    let media = graph.put_media("image/png", "bytes");
    let mut taken = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["kind"] != "request" {
            continue;
        }
        let mut body = line["body"].clone();
        if body["interactive"]["type"].as_str().is_some_and(|kind| UNKNOWN.contains(&kind)) {
            continue;
        }
        if body.get("to").is_some_and(|to| to.as_str().unwrap().contains('{')) {
            body["to"] = "4915".into();
        }
        // One example has a list without saying so.
        if body.get("type").is_none() && body.get("interactive").is_some() {
            body["type"] = "interactive".into();
        }
        for kind in ["image", "video", "audio", "document", "sticker"] {
            if let Some(content) = body.get_mut(kind) {
                let (key, value) =
                    if content.get("id").is_some() { ("id", media.as_str()) } else { ("link", "https://x/y") };
                content[key] = value.into();
            }
        }
        assert_eq!(code(&graph, &body).await, 0, "{}: {body}", line["name"]);
        taken += 1;
    }
    assert!(taken >= 30, "{taken}");
}
