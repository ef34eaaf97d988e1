//! Files go in, and come out for the conversations that they are for.

use bus::{Files, Owner};
use conversation::ConversationId;
use proto::v1;
use proto::v1::get_media_response::Part;
use proto::v1::send_message_request::Content;
use tonic::{Code, Status};

use crate::asks::{CHANNEL, agent, ask, fields, reason, with_conversation};
use crate::world::{ACME, World};

fn upload(conversation: &str, channel: &str, data: Vec<u8>) -> v1::UploadMediaRequest {
    v1::UploadMediaRequest {
        workspace: ACME.to_owned(),
        conversation_id: conversation.to_owned(),
        channel: channel.to_owned(),
        mime_type: "image/png".to_owned(),
        file_name: "a.png".to_owned(),
        data: data.into(),
    }
}

async fn get(world: &mut World, conversation: &str, id: &str) -> Result<(v1::MediaInfo, Vec<u8>), Status> {
    let (conversation_id, media_id) = (conversation.to_owned(), id.to_owned());
    let request = v1::GetMediaRequest { workspace: ACME.to_owned(), conversation_id, media_id };
    let mut parts = world.grpc.get_media(request).await?.into_inner();
    let Some(Part::Info(info)) = parts.message().await?.unwrap().part else { panic!("bytes before what they are") };
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await? {
        let Some(Part::Data(data)) = part.part else { panic!("{part:?}") };
        bytes.extend_from_slice(&data);
    }
    Ok((info, bytes))
}

fn picture(id: &str) -> Option<Content> {
    let media = Some(v1::Media { id: id.to_owned(), ..Default::default() });
    Some(Content::Media(v1::OutboundMedia { r#type: "image".to_owned(), media }))
}

#[tokio::test]
async fn an_uploaded_file_can_be_read_and_sent_where_it_is_for() {
    let (mut world, conversation) = with_conversation().await;
    let data: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let own = world.grpc.upload_media(upload(&conversation, "", data.clone())).await.unwrap().into_inner().media_id;
    let all = world.grpc.upload_media(upload("", CHANNEL, vec![7])).await.unwrap().into_inner().media_id;
    let (info, bytes) = get(&mut world, &conversation, &own).await.unwrap();
    assert!(own.starts_with("tm-") && bytes == data);
    assert_eq!((info.mime_type.as_str(), info.file_name.as_str(), info.size), ("image/png", "a.png", 300_000));
    assert_eq!(get(&mut world, &conversation, &all).await.unwrap().1, [7]);
    for id in [&own, &all] {
        let request = ask!(SendMessageRequest, conversation, content: picture(id));
        world.grpc.send_message(request).await.unwrap();
    }
    let request = ask!(SendMessageRequest, conversation, content: picture("tm-unknown"));
    assert_eq!(fields(&world.grpc.send_message(request).await.unwrap_err()), ["media.media.id"]);
    // Whether a channel knows its own ids is for the channel to say.
    let request = ask!(SendMessageRequest, conversation, content: picture("12345"));
    world.grpc.send_message(request).await.unwrap();
}

#[tokio::test]
async fn what_was_not_taken_says_why() {
    let (mut world, conversation) = with_conversation().await;
    assert_eq!(get(&mut world, &conversation, "12345").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(get(&mut world, "c-unknown", "12345").await.unwrap_err().code(), Code::NotFound);
    let id = ConversationId::parse(&conversation).unwrap();
    let (files, owner) = (Files::new(world.bus.clone(), None), Owner { workspace: ACME, conversation: Some(&id) });
    let name = files.name(owner, "12345").await.unwrap();
    let head = v1::SealedFile { refused: "it is too large".to_owned(), ..Default::default() };
    files.put(owner, &name, &head, b"").await.unwrap();
    let refused = get(&mut world, &conversation, "12345").await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "MEDIA_REFUSED".to_owned()));
    assert!(refused.message().contains("too large"));
}

#[tokio::test]
async fn uploads_are_bounded() {
    let (mut world, conversation) = with_conversation().await;
    let cases = [
        (upload(&conversation, CHANNEL, vec![1]), "channel"),
        (upload("", "", vec![1]), "conversation_id"),
        (upload(&conversation, "", vec![]), "data"),
        (upload(&conversation, "", vec![0; 15 * 1024 * 1024 + 1]), "data"),
        (v1::UploadMediaRequest { mime_type: "png".to_owned(), ..upload(&conversation, "", vec![1]) }, "mime_type"),
    ];
    for (request, field) in cases {
        let error = world.grpc.upload_media(request).await.unwrap_err();
        assert_eq!((error.code(), fields(&error)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    let strange = v1::UploadMediaRequest { workspace: "nobody".to_owned(), ..upload("", CHANNEL, vec![1]) };
    assert_eq!(world.grpc.upload_media(strange).await.unwrap_err().code(), Code::NotFound);
}
