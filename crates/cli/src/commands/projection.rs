//! What the view is worth.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use proto::v1;

use super::facts;
use crate::client::timely;
use crate::failure::Failure;
use crate::session::Session;

const VERIFY_HELP: &str = "\
The view is built anew from the log beside the live one, up to the revision that the live one has, and their content
hashes are compared. Ends with 0 when they are equal, with 1 when not. The live view goes on meanwhile.";

/// Rebuilds the view beside the live one and compares them.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct Verify {}

impl Verify {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let answer = session.client.projection().verify_projection(v1::VerifyProjectionRequest {}).await;
        let mut progress = answer.map_err(|status| session.failure(status))?.into_inner();
        let bar = bar(session);
        let mut verdict = None;
        while let Some(step) = progress.message().await.map_err(|status| session.failure(status))? {
            bar.set_length(u64::try_from(step.events_total).unwrap_or(0));
            bar.set_position(u64::try_from(step.events_done).unwrap_or(0));
            verdict = step.verdict.or(verdict);
        }
        bar.finish_and_clear();
        let verdict =
            verdict.ok_or_else(|| Failure::Failed("the server ended without a verdict: try again".to_owned()))?;
        tell(session, &verdict)
    }
}

fn bar(session: &Session) -> ProgressBar {
    if session.out.is_json() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("rebuilding {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(0);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

fn tell(session: &Session, verdict: &v1::verify_projection_response::Verdict) -> Result<(), Failure> {
    if session.out.is_json() {
        session.out.message("VerifyProjectionResponse.Verdict", verdict)?;
    } else {
        let list = [
            ("revision", verdict.revision.to_string()),
            ("live", verdict.live_hash.clone()),
            ("rebuilt", verdict.rebuilt_hash.clone()),
            ("verdict", if verdict.equal { "equal" } else { "NOT EQUAL" }.to_owned()),
        ];
        facts(&session.out, &list)?;
    }
    match verdict.equal {
        true => Ok(()),
        false => Err(Failure::Failed(
            "the view is not what the log says: stop the server, remove the view's directory, and start it again"
                .to_owned(),
        )),
    }
}

/// Says how far the view has come.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  threadmark status --json")]
pub(crate) struct Status {}

impl Status {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let answer = session.client.projection().get_projection_status(timely(v1::GetProjectionStatusRequest {})).await;
        let status = answer.map_err(|status| session.failure(status))?.into_inner();
        if session.out.is_json() {
            return session.out.message("GetProjectionStatusResponse", &status);
        }
        let behind = status.stream_revision.saturating_sub(status.applied_revision).max(0);
        facts(
            &session.out,
            &[
                ("applied", format!("revision {}", status.applied_revision)),
                ("on the stream", format!("revision {}", status.stream_revision)),
                ("behind", if behind == 0 { "nothing".to_owned() } else { format!("{behind} events") }),
                ("engine", format!("{}, schema {}", status.engine, status.schema)),
                ("on disk", indicatif::HumanBytes(u64::try_from(status.disk_bytes).unwrap_or(0)).to_string()),
            ],
        )
    }
}
