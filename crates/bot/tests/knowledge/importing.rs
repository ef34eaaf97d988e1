use proto::v1;
use proto::v1::knowledge_document::Format;
use tonic::Code;

use crate::world::{WORKSPACE, ask, document, outcome, serve, world};

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
async fn what_can_not_be_built_leaves_what_was_known_before_in_force() {
    let mut world = world().await;
    world.import("faq", Format::Csv, FAQ).await;
    let bus = bus::Bus::connect(&bus::Options::new(world.nats.url())).await.unwrap();
    let bucket = bus.bucket(bus::BucketName::Knowledge);
    let key = format!("list.{WORKSPACE}");
    let mut slot = bucket.get::<v1::KnowledgeList>(&key).await.unwrap();
    let mut list = slot.value.take().unwrap();
    // A document whose parts are gone.
    let ghost = v1::KnowledgeDocument { name: "ghost".to_owned(), version: 1, format: 2, ..Default::default() };
    let ghost =
        v1::StoredDocument { document: Some(ghost), id: "gone".to_owned(), part_count: 1, ..Default::default() };
    list.documents.push(ghost);
    bucket.put(&key, &list, Some(slot.etag)).await.unwrap();
    assert_eq!(outcome(&world.ask("where is my order").await), "Look at the tracking page.");
    // Importing it again mends it.
    world.import("ghost", Format::Csv, "question,answer\nDo you sell hats?,Only on Mondays.\n").await;
    assert_eq!(outcome(&world.ask("do you sell hats").await), "Only on Mondays.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn imports_at_once_are_all_in_force_and_leave_nothing_behind() {
    let mut world = world().await;
    let (other, _supervisor) = serve(&world.nats).await;
    let import = |nth: usize| {
        let mut bot = if nth.is_multiple_of(2) { world.bot.clone() } else { other.clone() };
        // Three names, each of them imported by several at once.
        let data = format!("question,answer\nWhat is number {nth}?,It is {nth}.\n");
        async move { bot.import_knowledge(document(&format!("doc-{}", nth % 3), Format::Csv, data)).await }
    };
    let answers = futures::future::join_all((0..12).map(import)).await;
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(refused.clone().all(|status| status.code() == Code::Aborted), "{answers:?}");
    assert!(done >= 3, "{answers:?}");
    let versions: i64 = names(&mut world).await.iter().map(|(_, version)| version).sum();
    assert_eq!(usize::try_from(versions).unwrap(), done, "each import that was answered is a version");
    // Only what is in force has parts.
    let bus = bus::Bus::connect(&bus::Options::new(world.nats.url())).await.unwrap();
    let bucket = bus.bucket(bus::BucketName::Knowledge);
    let list = bucket.get::<v1::KnowledgeList>(&format!("list.{WORKSPACE}")).await.unwrap().value.unwrap();
    let mut want: Vec<String> =
        list.documents.iter().map(|stored| format!("part.{WORKSPACE}.{}.0", stored.id)).collect();
    want.sort();
    assert_eq!(bucket.keys("part.").await.unwrap(), want);
}
