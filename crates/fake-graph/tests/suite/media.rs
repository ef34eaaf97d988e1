use fake_graph::FakeGraph;
use reqwest::Client;
use serde_json::{Value, json};

use crate::read;

#[tokio::test]
async fn a_file_is_uploaded_described_fetched_and_deleted() {
    let graph = FakeGraph::builder().start().await.unwrap();
    let http = Client::new();
    let form = "--x\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: image/png\r\n\r\nabc\r\n--x--\r\n";
    let upload = http.post(format!("{}/1/media", graph.url())).bearer_auth("token");
    let upload = upload.header("Content-Type", "multipart/form-data; boundary=x").body(form);
    let (_, answer) = read(upload.send().await.unwrap()).await;
    let id = answer["id"].as_str().unwrap().to_owned();
    assert_eq!(graph.media(&id).unwrap(), ("image/png".to_owned(), "abc".into()));

    let get = async |url: &str| http.get(url).bearer_auth("token").send().await.unwrap();
    let (_, said) = read(get(&format!("{}/{id}", graph.url())).await).await;
    assert_eq!((&said["file_size"], &said["mime_type"]), (&json!("3"), &json!("image/png")));
    let bytes = get(said["url"].as_str().unwrap()).await;
    assert_eq!(bytes.headers()["content-type"], "image/png");
    assert_eq!(bytes.bytes().await.unwrap().as_ref(), b"abc");
    assert_eq!(http.get(said["url"].as_str().unwrap()).send().await.unwrap().status(), 401);

    let gone = http.delete(format!("{}/{id}", graph.url())).bearer_auth("token").send().await.unwrap();
    assert_eq!(read(gone).await.1, json!({ "success": true }));
    assert_eq!((graph.media_count(), read(get(&format!("{}/{id}", graph.url())).await).await.0), (0, 400));
    let lie = graph.put_false_media("image/png", "abc", json!({ "sha256": "00", "file_size": 9 }));
    let (_, said): (_, Value) = read(get(&format!("{}/{lie}", graph.url())).await).await;
    assert_eq!((&said["sha256"], &said["file_size"]), (&json!("00"), &json!(9)));
}
