use bus::BucketName;
use proto::v1;
use proto::v1::knowledge_document::Format;
use tonic::Code;

use crate::world::{WORKSPACE, ask, bus, document, outcome, serve, world};

const FAQ: &str = "question,answer,intent\n\
    Where is my order?,Look at the tracking page.,track\n\
    How do I get a refund?,\"Send it back, then wait five days.\",refund\n\
    When are you open?,Nine to five.,hours\n";

async fn names(world: &mut crate::world::World) -> Vec<(String, i64)> {
    let request = v1::ListKnowledgeRequest { workspace: WORKSPACE.to_owned(), page_size: 1, ..Default::default() };
    let (mut request, mut all) = (request, Vec::new());
    loop {
        let page = world.bot.list_knowledge(request.clone()).await.unwrap().into_inner();
        all.extend(page.documents.into_iter().map(|document| (document.name, document.version)));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_is_in_force_when_the_import_is_answered_and_versions_count_changes() {
    let mut world = world().await;
    assert_eq!(outcome(&world.ask("where is my order").await), "NoKnowledge");
    let first = world.import("faq", Format::Csv, FAQ).await;
    assert_eq!((first.version, first.example_count, first.passage_count, first.intent_count), (1, 3, 3, 3));
    let answer = world.ask("where is my order").await;
    assert_eq!((outcome(&answer).as_str(), answer.intent.as_str()), ("Look at the tracking page.", "track"));
    // The same again is no new version; other contents are, and are said at once.
    assert_eq!(world.import("faq", Format::Csv, FAQ).await.version, 1);
    let second = world.import("faq", Format::Csv, FAQ.replace("tracking page", "map")).await;
    assert_eq!(second.version, 2);
    assert_eq!(outcome(&world.ask("where is my order").await), "Look at the map.");
    world.import("about", Format::Text, "We make hats.").await;
    assert_eq!(names(&mut world).await, [("about".to_owned(), 1), ("faq".to_owned(), 2)]);
    // A deleted document is forgotten, and its version numbers are not used again.
    let delete = |name: &str| v1::DeleteKnowledgeRequest { workspace: WORKSPACE.to_owned(), name: name.to_owned() };
    world.bot.delete_knowledge(delete("faq")).await.unwrap();
    assert_eq!(world.bot.delete_knowledge(delete("faq")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(outcome(&world.ask("where is my order").await), "NotSure");
    assert_eq!(world.import("faq", Format::Csv, FAQ).await.version, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_checked_or_comes_late_changes_nothing() {
    let mut world = world().await;
    let etag = world.bot.import_knowledge(document("faq", Format::Csv, FAQ)).await.unwrap().into_inner().etag;
    let dry = v1::ImportKnowledgeRequest { validate_only: true, ..document("new", Format::Text, "words") };
    assert_eq!(world.bot.import_knowledge(dry).await.unwrap().into_inner().etag, etag);
    world.import("more", Format::Text, "words").await;
    let late = v1::ImportKnowledgeRequest { etag, ..document("faq", Format::Text, "words") };
    assert_eq!(world.bot.import_knowledge(late).await.unwrap_err().code(), Code::Aborted);
    assert_eq!(names(&mut world).await, [("faq".to_owned(), 1), ("more".to_owned(), 1)]);
    let elsewhere = v1::AnswerRequest { workspace: "other".to_owned(), text: "words".to_owned(), ..Default::default() };
    assert_eq!(outcome(&world.bot.answer(elsewhere).await.unwrap().into_inner()), "NoKnowledge");
    let unknown = v1::AnswerRequest { workspace: "nowhere".to_owned(), ..Default::default() };
    assert_eq!(world.bot.answer(unknown).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_has_it_from_the_bus_and_follows() {
    let mut world = world().await;
    world.import("faq", Format::Csv, FAQ).await;
    let (mut other, _supervisor) = serve(&world.nats).await;
    assert_eq!(outcome(&ask(&mut other, "how do i get a refund?").await), "Send it back, then wait five days.");
    for round in 1..=5 {
        world.import("faq", Format::Csv, FAQ.replace("five", &round.to_string())).await;
        // At once, though the other process did not import it.
        let expected = format!("Send it back, then wait {round} days.");
        assert_eq!(outcome(&ask(&mut other, "how do i get a refund?").await), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_is_told_with_its_place_and_nothing_is_taken() {
    let mut world = world().await;
    let told = world
        .mistakes(Format::Jsonl, "{\"text\":\"a\",\"intent\":\"x\"}\nnot json\n\n{\"answer\":\"b\"}\n{\"text\":1}\n")
        .await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("2:") && told[1].starts_with("4:1 has neither") && told[2].starts_with("5:"),
        "{told:?}"
    );
    let told = world.mistakes(Format::Csv, "question,answer\na,b\nc,d,e\n,f\n").await;
    assert!(told[0].starts_with("3:1 has 3 values") && told[1].starts_with("4:1 has neither"), "{told:?}");
    assert!(world.mistakes(Format::Csv, "name,words\na,b\n").await[0].contains("no column"));
    assert_eq!(
        world.mistakes(Format::Text, b"fine\nnot \xff fine".to_vec()).await,
        ["2:5 is not UTF-8: save it as UTF-8"]
    );
    for format in [Format::Markdown, Format::Text, Format::Jsonl] {
        assert!(world.mistakes(format, " \n\n").await[0].starts_with("1:1 holds nothing"));
    }
    assert!(world.mistakes(Format::Unspecified, "x").await[0].starts_with("format"));
    assert!(world.mistakes(Format::Text, vec![b'a'; 10 * 1024 * 1024 + 1]).await[0].contains("at most"));
    assert!(
        world.mistakes(Format::Jsonl, format!("{{\"question\":\"{}\"}}", "x".repeat(5_000))).await[0]
            .contains("5000 bytes")
    );
    assert_eq!(names(&mut world).await, []);
    for name in ["", " ", "a\nb", &"n".repeat(257)] {
        let refused = world.bot.import_knowledge(document(name, Format::Text, "x")).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_document_is_taken() {
    let mut world = world().await;
    let paragraph = "Every hat of the house is made by hand from the finest felt there is, and it is blocked, dried and brushed twice before anybody may put it on a head.\n\n";
    let mut text = paragraph.repeat(10 * 1024 * 1024 / paragraph.len() - 2);
    text.push_str("\n\nThe zeppelin leaves on Thursday at noon.");
    let imported = world.import("hats", Format::Text, text).await;
    assert!(imported.passage_count > 60_000, "{imported:?}");
    let answer = world.ask("when does the zeppelin leave on thursday").await;
    assert_eq!(outcome(&answer), "The zeppelin leaves on Thursday at noon.", "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_known_before_answers_while_the_newest_list_can_not_be_built() {
    let mut world = world().await;
    world.import("faq", Format::Csv, FAQ).await;
    assert_eq!(outcome(&world.ask("where is my order").await), "Look at the tracking page.");
    // A document whose only part is gone.
    let bucket = bus(&world.nats).await.bucket(BucketName::Knowledge);
    let listed = bucket.get::<v1::KnowledgeList>("list.acme").await.unwrap();
    let mut list = listed.value.unwrap();
    let ghost =
        v1::KnowledgeDocument { name: "ghost".to_owned(), version: 1, ..list.documents[0].document.clone().unwrap() };
    let ghost =
        v1::StoredDocument { document: Some(ghost), id: "nobody".to_owned(), part_count: 1, ..Default::default() };
    list.documents.push(ghost);
    bucket.put("list.acme", &list, Some(listed.etag)).await.unwrap();
    assert_eq!(outcome(&world.ask("where is my order").await), "Look at the tracking page.");
    // Another process has nothing from before, and says that it can't know.
    let (mut other, _supervisor) = serve(&world.nats).await;
    let request = v1::AnswerRequest { workspace: WORKSPACE.to_owned(), text: "order".to_owned(), ..Default::default() };
    assert_eq!(other.answer(request).await.unwrap_err().code(), Code::Unavailable);
    // Once the list is whole again, the newest answers.
    let delete = v1::DeleteKnowledgeRequest { workspace: WORKSPACE.to_owned(), name: "ghost".to_owned() };
    world.bot.delete_knowledge(delete).await.unwrap();
    world.import("faq", Format::Csv, FAQ.replace("tracking page", "map")).await;
    assert_eq!(outcome(&world.ask("where is my order").await), "Look at the map.");
}
