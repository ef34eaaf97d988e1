use std::pin::Pin;

use proto::v1;
use proto::v1::bot_service_server::{BotService, BotServiceServer};
use service::status::{self, Mistakes};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::commands::{text, threadmark};

type Answer<T> = Result<Response<T>, Status>;

/// A BotService that answers by what it is asked for.
struct Parrot;

impl Parrot {
    async fn start() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let incoming = TcpListenerStream::new(listener);
        let service = BotServiceServer::new(Parrot).max_decoding_message_size(32 << 20);
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        address
    }
}

fn mistake(place: &str) -> Status {
    let mut mistakes = Mistakes::default();
    mistakes.add(place, "is not UTF-8: save it as UTF-8");
    mistakes.done().unwrap_err()
}

#[tonic::async_trait]
impl BotService for Parrot {
    async fn import_knowledge(
        &self,
        request: Request<v1::ImportKnowledgeRequest>,
    ) -> Answer<v1::ImportKnowledgeResponse> {
        let request = request.into_inner();
        if request.data.starts_with(b"broken") {
            return Err(mistake("3:7"));
        }
        let document = v1::KnowledgeDocument {
            version: if request.validate_only { 2 } else { 1 },
            size_bytes: i64::try_from(request.data.len()).unwrap(),
            name: request.name,
            format: request.format,
            example_count: 4,
            intent_count: 3,
            passage_count: 2,
            ..v1::KnowledgeDocument::default()
        };
        Ok(Response::new(v1::ImportKnowledgeResponse { document: Some(document), etag: "7".to_owned() }))
    }

    async fn list_knowledge(&self, request: Request<v1::ListKnowledgeRequest>) -> Answer<v1::ListKnowledgeResponse> {
        let first = request.into_inner().page_token.is_empty();
        let name = if first { "faq.csv" } else { "terms\u{1b}[31m.md" };
        let document = v1::KnowledgeDocument { name: name.to_owned(), version: 12, format: 3, ..Default::default() };
        let next_page_token = if first { "more".to_owned() } else { String::new() };
        Ok(Response::new(v1::ListKnowledgeResponse {
            documents: vec![document],
            next_page_token,
            etag: "7".to_owned(),
        }))
    }

    async fn delete_knowledge(
        &self,
        request: Request<v1::DeleteKnowledgeRequest>,
    ) -> Answer<v1::DeleteKnowledgeResponse> {
        match request.into_inner().name.as_str() {
            "faq.csv" => Ok(Response::new(v1::DeleteKnowledgeResponse { etag: "8".to_owned() })),
            name => Err(status::not_found("document", name)),
        }
    }

    async fn answer(&self, request: Request<v1::AnswerRequest>) -> Answer<v1::AnswerResponse> {
        use v1::answer_response::{Handoff, Outcome, Reply};
        let request = request.into_inner();
        let said: Vec<String> = request.history.iter().map(|said| format!("{:?} {}", said.by(), said.text)).collect();
        let outcome = match request.text.as_str() {
            "known" => {
                let source = v1::Source { document: "faq.csv".to_owned(), version: 12, line: 3, ..Default::default() };
                Outcome::Reply(Reply { text: format!("30 days. {}", said.join(", ")), sources: vec![source] })
            }
            "wordless" => Outcome::Reply(Reply::default()),
            _ => Outcome::Handoff(Handoff { reason: v1::answer_response::handoff::Reason::AskedForHuman.into() }),
        };
        let intent = "refunds".to_owned();
        Ok(Response::new(v1::AnswerResponse { outcome: Some(outcome), score: 0.756, intent }))
    }

    type ShadowStream = Pin<Box<dyn tokio_stream::Stream<Item = Result<v1::ShadowResponse, Status>> + Send>>;

    async fn shadow(&self, request: Request<v1::ShadowRequest>) -> Answer<Self::ShadowStream> {
        use v1::shadow_response::Part;
        let request = request.into_inner();
        if let Some(broken) = request.documents.iter().find(|document| document.data.starts_with(b"broken")) {
            return Err(mistake(&format!("{}:3:7", broken.name)));
        }
        let progress = v1::ShadowProgress { events_done: 5, events_total: 9, time: request.start_time, turns: 3 };
        let mut parts = vec![Part::Progress(progress)];
        if request.max_examples != 100 {
            parts.push(Part::Report(report(&request)));
        }
        let answers = parts.into_iter().map(|part| Ok(v1::ShadowResponse { part: Some(part) }));
        Ok(Response::new(Box::pin(tokio_stream::iter(answers.collect::<Vec<_>>()))))
    }
}

fn report(request: &v1::ShadowRequest) -> v1::ShadowReport {
    use v1::ShadowActual::{BotReplied, HumanAnswered, RuleActed};
    use v1::bot_turn::Deed::{HandedOff, Replied};
    let cell = |deed: v1::bot_turn::Deed, actual: v1::ShadowActual, count, agrees| v1::ShadowCell {
        deed: deed.into(),
        actual: actual.into(),
        count,
        agrees,
    };
    let example = v1::ShadowExample {
        conversation_id: "c1".to_owned(),
        revision: 77,
        deed: Replied.into(),
        actual: HumanAnswered.into(),
        text: "where is it".to_owned(),
        words: "On its\nway. \u{1b}[31m".to_owned(),
        ..v1::ShadowExample::default()
    };
    v1::ShadowReport {
        turns: 1_000,
        turns_with_humans: 4,
        compared: 990,
        agreed: 660,
        cells: vec![
            cell(Replied, BotReplied, 660, true),
            cell(Replied, HumanAnswered, 330, false),
            cell(HandedOff, RuleActed, 10, false),
        ],
        intents: vec![v1::ShadowIntent { intent: "tracking".to_owned(), turns: 800, handoffs: 10 }],
        examples: vec![example],
        left_out: 1,
        events: 2_345,
        notes: request.documents.iter().map(|document| format!("knew {}", document.name)).collect(),
        ..v1::ShadowReport::default()
    }
}

/// Runs each and looks at what it ends with and says.
async fn check(server: &str, cases: &[(&[&str], i32, &[&str])]) {
    for (arguments, code, says) in cases {
        let output = threadmark(server, arguments).await;
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {told}");
        assert!(!told.contains('\u{1b}'), "{arguments:?}: {told:?}");
        for says in *says {
            assert!(told.contains(says), "{arguments:?} has to say {says:?}: {told}");
        }
    }
}

#[tokio::test]
async fn knowledge_is_imported_listed_and_deleted() {
    let server = Parrot::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, data: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, data).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (faq, bare, broken) = (file("faq.csv", "question\n"), file("faq", "words"), file("b.jsonl", "broken"));
    check(
        &server,
        &[
            (&["knowledge", "import", &faq], 0, &["faq.csv version 1: 4 examples of 3 intents, 2 passages\n"]),
            (&["knowledge", "import", &faq, "--check"], 0, &["version 2", "; nothing was changed"]),
            (&["knowledge", "import", &faq, "--name", "other", "--json"], 0, &[r#""name":"other""#, r#""CSV""#]),
            (&["knowledge", "import", &bare], 2, &["--format markdown, text, csv or jsonl"]),
            (&["knowledge", "import", &bare, "--format", "text"], 0, &["faq version 1"]),
            (&["knowledge", "import", "-", "--format", "text"], 2, &["--name NAME"]),
            (&["knowledge", "import", "nowhere.md"], 4, &["there is no file nowhere.md"]),
            (&["knowledge", "import", &broken], 1, &["nothing was imported", "b.jsonl:3:7: is not UTF-8"]),
            (&["knowledge", "list"], 0, &["faq.csv", "terms", "12", "csv"]),
            (&["knowledge", "list", "--json"], 0, &[r#""name":"faq.csv""#, r#""format":"CSV""#]),
            (&["knowledge", "delete", "faq.csv"], 0, &["faq.csv is forgotten"]),
            (&["knowledge", "delete", "none"], 4, &["does not exist"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_bot_is_asked_without_a_conversation() {
    let server = Parrot::start().await;
    let said: &[&str] = &["bot", "answer", "known", "--said", "hm", "--said", "bot:Which one?", "--said", "agent: hi"];
    check(
        &server,
        &[
            (
                said,
                0,
                &["replies: 30 days. Customer hm, Bot Which one?, Agent hi", "0.76", "faq.csv version 12, line 3"],
            ),
            (&["bot", "answer", "wordless"], 0, &["replies, but knows no words for it", "refunds"]),
            (&["bot", "answer", "else"], 0, &["hands off: asked for human"]),
            (&["bot", "answer", "else", "--json"], 0, &[r#""reason":"ASKED_FOR_HUMAN""#, r#""score":0.756"#]),
            (&["bot", "answer"], 2, &["Usage"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_shadow_is_told_as_a_matrix_with_examples() {
    let server = Parrot::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (faq, broken) = (dir.path().join("faq.csv"), dir.path().join("b.jsonl"));
    std::fs::write(&faq, "question\n").unwrap();
    std::fs::write(&broken, "broken").unwrap();
    let (faq, broken) = (faq.to_str().unwrap(), broken.to_str().unwrap());
    let matrix: &[&str] = &[
        "replied",
        "a human answered",
        "66.0 %",
        "not compared",
        "agrees in 66.7 % of what can be compared",
        "tracking",
        "1.2 %",
        "c1 77  replied, really: a human answered",
        "customer: where is it",
        "bot: On its way.",
        "4 turns came while humans had the conversation",
        "1 turn can't be read any more",
        "1,000 turns, 2,345 events read",
    ];
    check(
        &server,
        &[
            (&["bot", "shadow", "--from", "30d"], 0, matrix),
            (&["bot", "shadow", "--from", "30d", "--knowledge", faq, faq], 0, &["knew faq.csv"]),
            (
                &["bot", "shadow", "--from", "30d", "--knowledge", faq, broken],
                1,
                &["nothing was tried", "b.jsonl:3:7: is"],
            ),
            (&["bot", "shadow", "--from", "30d", "--json"], 0, &[r#""agreed":660"#, r#""deed":"REPLIED""#]),
            (&["bot", "shadow", "--from", "soon"], 2, &["is no time"]),
            (&["bot", "shadow"], 2, &["--from"]),
            (&["bot", "shadow", "--from", "30d", "--examples", "100"], 1, &["ended without a report"]),
            (&["bot", "shadow", "--from", "30d", "--knowledge", "nowhere.md"], 4, &["there is no file"]),
        ],
    )
    .await;
}
