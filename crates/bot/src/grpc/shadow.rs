//! Trying a candidate on the past, and telling how far that has come.

use std::sync::Arc;

use bus::now;
use conversation::Time;
use futures::{Stream, stream};
use proto::v1;
use proto::v1::knowledge_document::Format;
use service::status::{self, Mistakes, refused};
use tokio::sync::mpsc;
use tonic::{Code, Status};

use super::Answers;
use super::import::{MAX_DOCUMENTS, check_name};
use crate::Retrieval;
use crate::knowledge::{MAX_PASSAGES, parse};
use crate::llm;
use crate::retrieval::{Document, Index};
use crate::turn::shadow::{self, Candidate, Permit, Progress, Trouble};

/// Answers that wait for the client. Progress is left out where it is slow.
const WAITING: usize = 4;
/// Disagreements that are shown, unless the request says how many; and the most.
const EXAMPLES: i32 = 20;
const MAX_EXAMPLES: i32 = 100;

impl Answers {
    pub(super) async fn run_shadow(
        &self,
        request: v1::ShadowRequest,
    ) -> Result<impl Stream<Item = Result<v1::ShadowResponse, Status>> + use<>, Status> {
        let (period, examples) = check(&request)?;
        let permit = shadow::permit().ok_or_else(|| {
            let words = "as many shadows run here as may: try again when one has ended, or end one";
            refused(Code::ResourceExhausted, "TOO_MANY_SHADOWS", "", words)
        })?;
        let workspace = request.workspace;
        let index = match request.documents.is_empty() {
            true => self.library.index(&workspace).await.map_err(|error| status::bus(&error))?,
            false => Some(built(request.documents).await?),
        };
        let brain = llm::on_trial(&self.options.llm, Retrieval::fixed(index));
        let brain = brain.map_err(|error| refused(Code::FailedPrecondition, "NO_MODEL", "", error.to_string()))?;
        let candidate = Candidate::new(brain, &workspace, &self.options.turns);
        let candidate = candidate.ok_or_else(|| status::not_found("workspace", &workspace))?;
        let (answers, answered) = mpsc::channel(WAITING);
        tokio::spawn(self.clone().tell(candidate, period, examples, answers, permit));
        Ok(stream::unfold(answered, |mut answered| async move { Some((answered.recv().await?, answered)) }))
    }

    /// Runs it for as long as the client waits.
    async fn tell(
        self,
        candidate: Candidate,
        period: (Time, Time),
        examples: usize,
        answers: mpsc::Sender<Result<v1::ShadowResponse, Status>>,
        permit: Permit,
    ) {
        let tell = |progress| drop(answers.try_send(Ok(told(progress))));
        let done = tokio::select! {
            done = shadow::run(&self.bus, &candidate, period, examples, tell) => done,
            () = answers.closed() => return,
        };
        // Whoever reads the report may ask for the next one at once.
        drop(permit);
        let last = match done {
            Ok(report) => Ok(v1::ShadowResponse { part: Some(v1::shadow_response::Part::Report(report)) }),
            Err(Trouble::Bus(error)) => Err(status::bus(&error)),
            Err(error @ Trouble::Broken(_)) => {
                tracing::error!(%error, "a shadow ended before its time");
                Err(refused(Code::Internal, "FAILED", "", "it failed for good: the service's log says why"))
            }
        };
        drop(answers.send(last).await);
    }
}

fn told(progress: Progress) -> v1::ShadowResponse {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let progress = v1::ShadowProgress {
        events_done: count(progress.done),
        events_total: count(progress.total),
        time: progress.time.map(proto::timestamp),
        turns: count(progress.turns),
    };
    v1::ShadowResponse { part: Some(v1::shadow_response::Part::Progress(progress)) }
}

/// The period, which ends now at the latest, and how many examples are wanted.
fn check(request: &v1::ShadowRequest) -> Result<((Time, Time), usize), Status> {
    let today = now();
    let mut mistakes = Mistakes::default();
    let mut time = |field: &str, time: Option<&prost_types::Timestamp>| {
        let known = time.and_then(proto::time);
        let missing = if time.is_none() { "is required" } else { "is no time" };
        mistakes.unless(known.is_some(), field, missing);
        known
    };
    let (start, end) = (time("start_time", request.start_time.as_ref()), time("end_time", request.end_time.as_ref()));
    if let (Some(start), Some(end)) = (start, end) {
        mistakes.unless(start < end, "end_time", "has to be after start_time");
        mistakes.unless(start < today, "start_time", "lies in the future: nothing is recorded there yet");
    }
    let examples = if request.max_examples == 0 { EXAMPLES } else { request.max_examples };
    let fine = (0..=MAX_EXAMPLES).contains(&examples);
    mistakes.unless(fine, "max_examples", format!("has to be 1 to {MAX_EXAMPLES}, or 0 for {EXAMPLES}"));
    let many = format!("are {}: at most {MAX_DOCUMENTS} are taken", request.documents.len());
    mistakes.unless(request.documents.len() <= MAX_DOCUMENTS, "documents", many);
    for document in request.documents.iter().take(MAX_DOCUMENTS) {
        check_name(&mut mistakes, &document.name);
        let named = format!("{:?} has to have one: MARKDOWN, TEXT, CSV or JSONL", document.name);
        mistakes.unless(document.format() != Format::Unspecified, "format", named);
    }
    mistakes.done()?;
    match (start, end) {
        (Some(start), Some(end)) => Ok(((start, end.min(today)), usize::try_from(examples).unwrap_or(0))),
        _ => Err(status::invalid("start_time", "is required")),
    }
}

/// An index of documents that are in force nowhere.
async fn built(documents: Vec<v1::ShadowDocument>) -> Result<Arc<Index>, Status> {
    let built = tokio::task::spawn_blocking(move || build(documents)).await;
    let broke = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "building what a candidate knows broke off");
        refused(Code::Internal, "FAILED", "", "the documents can't be read: the service's log says why")
    };
    built.map_err(|error| broke(&error))?
}

fn build(documents: Vec<v1::ShadowDocument>) -> Result<Arc<Index>, Status> {
    let mut read = Vec::new();
    let (mut mistakes, mut items) = (Mistakes::default(), 0);
    for document in documents {
        match parse(document.format(), &document.data) {
            Ok(contents) => {
                items += contents.passage_count() + contents.example_count();
                read.push(Arc::new(Document { name: document.name, version: 0, contents }));
            }
            Err(wrong) => {
                for mistake in wrong {
                    mistakes.add(format!("{}:{}:{}", document.name, mistake.line, mistake.column), mistake.reason);
                }
            }
        }
    }
    let most = i64::try_from(items).is_ok_and(|items| items <= MAX_PASSAGES);
    mistakes.unless(most, "documents", format!("hold {items} passages and examples: at most {MAX_PASSAGES} are taken"));
    mistakes.done()?;
    Index::build(&read).map(Arc::new).map_err(|error| {
        tracing::error!(%error, "building what a candidate knows broke off");
        refused(Code::Internal, "FAILED", "", "the documents can't be read: the service's log says why")
    })
}
