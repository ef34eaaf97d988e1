//! Trying a draft on the past, and telling how far that has come.

use std::sync::Arc;

use bus::now;
use conversation::Time;
use futures::{Stream, stream};
use proto::v1;
use service::status::{self, Mistakes, refused};
use tokio::sync::mpsc;
use tonic::{Code, Status};

use super::Automations;
use crate::backtest::{self, Draft, Permit, Progress, Slots, Trouble, World};

/// Answers that wait for the client. Progress is left out where it is slow.
const WAITING: usize = 4;

impl Automations {
    pub(super) async fn backtest(
        &self,
        request: v1::BacktestRulesRequest,
    ) -> Result<impl Stream<Item = Result<v1::BacktestRulesResponse, Status>> + use<>, Status> {
        let today = now();
        let period = period(&request, today)?;
        let workspace = request.workspace;
        let rules = self.parse(&workspace, &request.yaml, &v1::RuleSet::default()).await?;
        let permit = Slots::take().ok_or_else(|| {
            let words = "as many backtests run here as may: try again when one has ended, or end one";
            refused(Code::ResourceExhausted, "TOO_MANY_BACKTESTS", "", words)
        })?;
        let (options, name) = (self.0.options.clone(), workspace.clone());
        let world = World {
            settings: self.0.options.settings(&workspace),
            staff: self.0.directory.with(&workspace, |staff| staff.frozen(today)),
            fields: Box::new(move |time| options.workspace_fields(&name, time)),
        };
        let draft = Arc::new(Draft::new(&workspace, rules, period, world));
        let (answers, answered) = mpsc::channel(WAITING);
        tokio::spawn(self.clone().answer(draft, answers, permit));
        Ok(stream::unfold(answered, |mut answered| async move { Some((answered.recv().await?, answered)) }))
    }

    /// Runs it for as long as the client waits.
    async fn answer(
        self,
        draft: Arc<Draft>,
        answers: mpsc::Sender<Result<v1::BacktestRulesResponse, Status>>,
        permit: Permit,
    ) {
        let tell = |progress| drop(answers.try_send(Ok(told(progress))));
        let done = tokio::select! {
            done = backtest::run(&self.0.bus, draft, tell) => done,
            () = answers.closed() => return,
        };
        // Whoever reads the report may ask for the next one at once.
        drop(permit);
        let last = match done {
            Ok(report) => {
                Ok(v1::BacktestRulesResponse { part: Some(v1::backtest_rules_response::Part::Report(report)) })
            }
            Err(Trouble::Bus(error)) => Err(status::bus(&error)),
            Err(error @ Trouble::Broken(_)) => {
                tracing::error!(%error, "a backtest ended before its time");
                Err(refused(Code::Internal, "FAILED", "", "it failed for good: the service's log says why"))
            }
        };
        drop(answers.send(last).await);
    }
}

fn told(progress: Progress) -> v1::BacktestRulesResponse {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let progress = v1::BacktestProgress {
        events_done: count(progress.done),
        events_total: count(progress.total),
        time: progress.time.map(proto::timestamp),
    };
    v1::BacktestRulesResponse { part: Some(v1::backtest_rules_response::Part::Progress(progress)) }
}

/// The period, which ends now at the latest.
fn period(request: &v1::BacktestRulesRequest, today: Time) -> Result<(Time, Time), Status> {
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
    mistakes.done()?;
    match (start, end) {
        (Some(start), Some(end)) => Ok((start, end.min(today))),
        _ => Err(status::invalid("start_time", "is required")),
    }
}
