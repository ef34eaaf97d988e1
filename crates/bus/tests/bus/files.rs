//! Files are kept sealed, whole or not at all, in both places.

use bus::{Bus, Files, Owner};
use conversation::ConversationId;
use proto::v1;

use crate::common::{bus, conversation};

fn head(name: &str) -> v1::SealedFile {
    v1::SealedFile { mime_type: "image/png".to_owned(), file_name: name.to_owned(), ..v1::SealedFile::default() }
}

fn picture() -> Vec<u8> {
    (0..400_000_u32).map(|at| (at % 251) as u8).collect()
}

async fn keeps(bus: &Bus, files: Files) {
    let (ours, theirs) = (conversation(), ConversationId::parse("c2").unwrap());
    let of = |conversation| Owner { workspace: "acme", conversation: Some(conversation) };
    let name = files.name(of(&ours), "media-7").await.unwrap();
    assert_ne!(name, files.name(of(&theirs), "media-7").await.unwrap());
    assert!(files.open(of(&ours), &name).await.unwrap().is_none() && !files.has(of(&ours), &name).await.unwrap());

    files.put(of(&ours), &name, &head("old"), b"old").await.unwrap();
    files.put(of(&ours), &name, &head("new"), &picture()).await.unwrap();
    let file = files.open(of(&ours), &name).await.unwrap().unwrap();
    assert_eq!(file.head().file_name, "new");
    assert_eq!(file.rest(1 << 20).await.unwrap(), picture());
    assert!(files.has(of(&ours), &name).await.unwrap());
    assert!(files.open(of(&ours), &name).await.unwrap().unwrap().rest(399_999).await.is_err());

    // Of another conversation, of none, of another workspace: there is none.
    bus.keyring("acme", &theirs).await.unwrap();
    assert!(files.open(of(&theirs), &name).await.unwrap().is_none());
    assert!(files.open(Owner { workspace: "acme", conversation: None }, &name).await.unwrap().is_none());
    assert!(files.open(Owner { workspace: "beta", ..of(&ours) }, &name).await.unwrap().is_none());

    let whole = Owner { workspace: "acme", conversation: None };
    files.put(whole, "tm-1", &head("all"), b"").await.unwrap();
    assert_eq!(files.open(whole, "tm-1").await.unwrap().unwrap().rest(0).await.unwrap(), b"");
}

#[tokio::test]
async fn an_object_store_keeps_files() {
    let (_server, bus) = bus().await;
    keeps(&bus, Files::new(bus.clone(), None)).await;
    let info = bus.jetstream().get_stream("OBJ_media").await.unwrap().cached_info().clone();
    assert!(info.state.bytes > 400_000);
}

#[tokio::test]
async fn readers_leave_nothing_behind() {
    let (_server, bus) = bus().await;
    let (files, ours) = (Files::new(bus.clone(), None), conversation());
    let owner = Owner { workspace: "acme", conversation: Some(&ours) };
    bus.keyring("acme", &ours).await.unwrap();
    files.put(owner, "media-7", &head("new"), &picture()).await.unwrap();
    for _ in 0..20 {
        // Some read all of it, some what it is.
        let file = files.open(owner, "media-7").await.unwrap().unwrap();
        assert_eq!(file.rest(1 << 20).await.unwrap(), picture());
        files.open(owner, "media-7").await.unwrap().unwrap();
    }
    let info = bus.jetstream().get_stream("OBJ_media").await.unwrap().cached_info().clone();
    assert_eq!(info.state.consumer_count, 0);
}

#[tokio::test]
async fn a_directory_keeps_files() {
    let (_server, bus) = bus().await;
    let directory = tempfile::tempdir().unwrap();
    keeps(&bus, Files::new(bus.clone(), Some(directory.path().to_owned()))).await;
    let shown = picture();
    let (mut open, mut names, mut clear) = (vec![directory.path().to_owned()], Vec::new(), false);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            clear |= bytes.windows(64).any(|window| window == &shown[..64]);
            names.push(path);
        }
    }
    assert_eq!((names.len(), clear), (2, false), "{names:?}");
}
