//! Files in a chat.

use proto::v1;
use serde_json::json;

use crate::browser::Browser;
use crate::world::World;

/// One pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";
const PAGE: &[u8] = b"<!doctype html><script>top.hit = 1; window.hit = 1</script><h1>taken over</h1>";
const DRAWING: &[u8] =
    b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"window.hit=1\"><script>window.hit=1</script></svg>";

fn head(mime_type: &str, file_name: &str) -> v1::SealedFile {
    v1::SealedFile { mime_type: mime_type.to_owned(), file_name: file_name.to_owned(), ..Default::default() }
}

/// A customer sends a file that the channel calls `id`, and says to be of a type.
async fn sends(world: &World, kind: &str, id: &str, mime_type: &str, file_name: &str) -> String {
    let media = v1::Media {
        id: id.to_owned(),
        mime_type: mime_type.to_owned(),
        file_name: file_name.to_owned(),
        ..v1::Media::default()
    };
    let message = v1::ReceivedMessage { r#type: kind.to_owned(), media: Some(media), ..Default::default() };
    world.receive("Maya", message).await.0
}

/// A sound of a hundredth of a second.
fn wav() -> Vec<u8> {
    let samples = [128_u8; 80];
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + samples.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data");
    wav.extend((samples.len() as u32).to_le_bytes());
    wav.extend(samples);
    wav
}

fn file(id: &str) -> String {
    format!("[data-file$='/{id}']")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_shown_kept_or_told_of() {
    let Some(world) = World::start().await else { return };
    let chat = sends(&world, "image", "1", "image/png", "").await;
    world.keep(&chat, "1", head("image/png", "sun.png"), PNG).await;
    sends(&world, "audio", "2", "audio/wav", "hello.wav").await;
    world.keep(&chat, "2", head("audio/wav", "hello.wav"), &wav()).await;
    sends(&world, "document", "3", "application/pdf", "bill.pdf").await;
    world.keep(&chat, "3", head("application/pdf", "bill.pdf"), &[7; 12_345]).await;
    sends(&world, "image", "4", "image/png", "").await;
    sends(&world, "video", "5", "video/mp4", "film.mp4").await;
    world.keep(&chat, "5", v1::SealedFile { refused: "it is too large".to_owned(), ..Default::default() }, b"").await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    let shown = |id: &str| {
        format!(
            "const i = document.querySelector(\"{} img\"); return i.naturalWidth === 1 && i.checkVisibility() && i.getBoundingClientRect().height <= 300",
            file(id)
        )
    };
    page.asks("document.querySelector('#scroll').scrollTop = 0").await;
    page.holds("the picture is shown", &shown("1")).await;
    page.asks(&format!("document.querySelector(\"{} audio\").load()", file("2"))).await;
    page.holds(
        "the sound can be played",
        &format!("return document.querySelector(\"{} audio\").duration === 0.01", file("2")),
    )
    .await;
    page.asks(&format!("document.querySelector(\"{}\").scrollIntoView()", file("5"))).await;
    page.reads(&format!("{} a.media", file("3")), "bill.pdf").await;
    page.reads(&format!("{} .size", file("3")), "12 kB").await;
    page.reads(&format!("{} .state", file("4")), "has not come yet").await;
    page.reads(&format!("{} .state", file("5")), "it is too large").await;
    // What it would have been stands before it.
    page.reads(&format!("{} .state", file("5")), "Video: ").await;
    // It comes, and is shown without a reload.
    world.keep(&chat, "4", head("image/png", ""), PNG).await;
    page.holds("what came later is shown", &shown("4")).await;
    // A part of a film is asked for.
    let part = "return fetch(arguments[0], { headers: { Range: 'bytes=1-3' } }).then(async (answer) => [answer.status, answer.headers.get('content-range'), await answer.text()])";
    let part = page.client.execute(part, vec![json!(format!("/c/{chat}/media/1"))]).await.unwrap();
    assert_eq!(part, json!([206, format!("bytes 1-3/{}", PNG.len()), "PNG"]));
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_it_says_does_nothing() {
    let Some(world) = World::start().await else { return };
    // A page that says to be a picture, pages that say what they are.
    let chat = sends(&world, "image", "1", "image/png", "cat.png").await;
    world.keep(&chat, "1", head("image/png", "cat.png"), PAGE).await;
    sends(&world, "document", "2", "text/html", "cat.png").await;
    world.keep(&chat, "2", head("text/html", "cat.png"), PAGE).await;
    sends(&world, "image", "3", "image/svg+xml", "cat.svg").await;
    world.keep(&chat, "3", head("image/svg+xml", "cat.svg"), DRAWING).await;
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.counts("#rows > li", 3).await;
    // What can't be shown is kept instead.
    let kept = |id: &str| {
        format!(
            "const link = document.querySelector(\"{} a.media\"); return link.checkVisibility() && link.hasAttribute('download')",
            file(id)
        )
    };
    for id in ["1", "2", "3"] {
        page.holds("it is a link", &kept(id)).await;
    }
    for (id, how) in [
        ("1", "image/png inline"),
        ("2", "application/octet-stream attachment"),
        ("3", "application/octet-stream attachment"),
    ] {
        assert_eq!(described(&page, &format!("/c/{chat}/media/{id}")).await, json!([how, "nosniff", true]), "{id}");
    }
    // Opened by itself, it is a picture that is none: nothing of it runs.
    page.go(&format!("/c/{chat}/media/1")).await;
    assert_eq!(
        page.asks("return [window.hit ?? null, document.querySelector('h1')?.textContent ?? null]").await,
        json!([null, null])
    );
    // Nobody of another workspace gets it.
    page.close().await;
    let page = world.rival().await;
    page.go(&format!("/c/{chat}/media/1")).await;
    page.reads("h1", "Not found").await;
    page.close().await;
}

/// Its type and what is to be done with it, and whether its headers let nothing happen.
async fn described(page: &Browser, path: &str) -> serde_json::Value {
    let script = "return fetch(arguments[0]).then((answer) => { const of = (name) => answer.headers.get(name) ?? ''; \
        return [of('content-type') + ' ' + of('content-disposition').split(';')[0], of('x-content-type-options'), of('content-security-policy').includes('sandbox')]; })";
    page.client.execute(script, vec![json!(path)]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_attached_and_sent_with_words() {
    let Some(world) = World::start().await else { return };
    let (chat, _) = world.say("Maya", "how does it look?").await;
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("sun & moon.png");
    std::fs::write(&picture, PNG).unwrap();
    let page = world.browser("ana").await;
    page.go(&format!("/c/{chat}")).await;
    page.types("#attach input", picture.to_str().unwrap()).await;
    page.holds("it was taken", "return document.querySelector('#write').elements.file.value.startsWith('tm-')").await;
    page.reads("#attached", "sun & moon.png").await;
    page.types("#words", "Like this").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .text", "Like this").await;
    page.holds(
        "the picture is shown",
        "return document.querySelector('.row.out:not(.pending) img')?.naturalWidth === 1",
    )
    .await;
    page.holds(
        "no file is left",
        "return document.querySelector('#attached').hidden && !document.querySelector('#write').elements.file.value",
    )
    .await;
    // A file without words, and one that is not sent after all.
    let paper = dir.path().join("bill.pdf");
    std::fs::write(&paper, [7; 1_000]).unwrap();
    page.types("#attach input", paper.to_str().unwrap()).await;
    page.holds("it was taken", "return document.querySelector('#write').elements.file.value.startsWith('tm-')").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) a.media", "bill.pdf").await;
    page.types("#attach input", paper.to_str().unwrap()).await;
    page.reads("#attached", "bill.pdf").await;
    page.click("[data-detach]").await;
    page.types("#words", "Alone").await;
    page.click("#send").await;
    page.reads(".row.out:not(.pending) .text", "Alone").await;
    page.counts(".row.out:not(.pending) .file", 2).await;
    // One that is too large says so.
    std::fs::write(&paper, vec![7; 15 * 1024 * 1024 + 1]).unwrap();
    page.types("#attach input", paper.to_str().unwrap()).await;
    page.reads("#write .refusal", "15 MB").await;
    page.close().await;
}
