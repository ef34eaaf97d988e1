//! What rules did, and a rule by hand.

use clap::Args;
use proto::v1;
use proto::v1::run::Outcome;

use crate::client::timely;
use crate::commands::answer;
use crate::commands::page::Amount;
use crate::draw::{Align, Style, Table, clean};
use crate::failure::Failure;
use crate::find::{self, Care};
use crate::session::Session;
use crate::who;

const RUNS_EXAMPLES: &str = "\
Examples:
  threadmark rules runs                          # what rules did, newest first
  threadmark rules runs --why --event 4711       # every rule about one event, also those that did not apply
  threadmark rules runs --conversation Maya --from 1h
  threadmark rules runs --rule refunds-to-billing --json";

/// Shows what rules did and why.
#[derive(Debug, Args)]
#[command(after_help = RUNS_EXAMPLES)]
pub(crate) struct Runs {
    /// Of this rule alone
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    rule: String,
    /// About this event: its revision, or its id
    #[arg(long, value_name = "EVENT", default_value = "", hide_default_value = true)]
    event: String,
    /// About this conversation: its id, or its contact's name or number
    #[arg(long, value_name = "CONVERSATION")]
    conversation: Option<String>,
    /// The first moment of the period
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The moment at which the period has ended
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// With the rules that did not apply, and which part of the condition was false
    #[arg(long)]
    why: bool,
    #[command(flatten)]
    amount: Amount,
}

const COLUMNS: [(&str, Align); 5] = [
    ("TIME", Align::Whole),
    ("RULE", Align::Whole),
    ("EVENT", Align::Left),
    ("OUTCOME", Align::Left),
    ("WHAT IT DID", Align::Left),
];

impl Runs {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let conversation_id = match &self.conversation {
            Some(text) => find::conversation(session, text, Care::Looking).await?,
            None => String::new(),
        };
        // What is all digits is a revision: no id of an event is.
        let event_revision = self.event.parse().unwrap_or(0);
        let mut request = v1::ListRunsRequest {
            workspace: session.workspace.clone(),
            rule: self.rule,
            event_id: if event_revision > 0 { String::new() } else { self.event },
            event_revision,
            conversation_id,
            start_time: session.instant(self.from.as_deref())?,
            end_time: session.instant(self.to.as_deref())?,
            include_not_matched: self.why,
            ..v1::ListRunsRequest::default()
        };
        let mut table = Table::new(&COLUMNS);
        let mut have = 0;
        while let Some(page_size) = self.amount.next(have) {
            request.page_size = page_size;
            let answer = session.client.automation().list_runs(timely(request.clone())).await;
            let page = answer.map_err(|status| session.failure(status))?.into_inner();
            have += page.runs.len();
            for run in &page.runs {
                if session.out.is_json() {
                    session.out.message("Run", run)?;
                } else {
                    table.row(row(session, run));
                }
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        if session.out.is_json() { Ok(()) } else { session.out.table(&table, "no rule did anything") }
    }
}

fn row(session: &Session, run: &v1::Run) -> [(Style, String); 5] {
    let style = if run.outcome() == Outcome::Done { Style::Plain } else { Style::Dim };
    let event = match run.event_revision {
        0 => run.trigger.clone(),
        revision => format!("{} {revision}", run.trigger),
    };
    [
        (Style::Dim, session.recent(run.time.as_ref())),
        (style, name(run)),
        (style, event),
        (style, outcome(run.outcome()).to_owned()),
        (style, clean(&what(run))),
    ]
}

/// A rule with its version; the bot has none.
fn name(run: &v1::Run) -> String {
    if run.rule_version == 0 { run.rule.clone() } else { format!("{}@{}", run.rule, run.rule_version) }
}

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unspecified => "",
        Outcome::Done => "done",
        Outcome::NotMatched => "not matched",
        Outcome::Refused => "refused",
        Outcome::Skipped => "skipped",
        Outcome::Failed => "failed",
        Outcome::Waiting => "waiting",
    }
}

/// Why it did nothing, else what it did, in order.
pub(super) fn what(run: &v1::Run) -> String {
    if !run.reason.is_empty() {
        return run.reason.clone();
    }
    let actions = run.actions.iter().map(|action| match action.detail.as_str() {
        "" => action.action.clone(),
        detail => detail.to_owned(),
    });
    actions.collect::<Vec<_>>().join("; ")
}

const RUN_EXAMPLES: &str = "\
Examples:
  threadmark rules run thank-and-close Maya --agent ana";

/// Runs a rule whose trigger is `manual`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct Run {
    /// Its name
    rule: String,
    /// The conversation: its id, or its contact's name or number
    conversation: String,
    /// The agent who runs it [default: $USER, else "cli"]
    #[arg(long, value_name = "ID", env = "THREADMARK_AGENT")]
    agent: Option<String>,
    /// Run it once, however often this is repeated
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    command_id: String,
}

impl Run {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let id = who::me(self.agent.as_deref());
        let request = v1::RunRuleRequest {
            workspace: session.workspace.clone(),
            rule: self.rule,
            conversation_id: find::conversation(session, &self.conversation, Care::Acting).await?,
            actor: Some(v1::Actor { kind: v1::actor::Kind::Agent.into(), id, ..v1::Actor::default() }),
            command_id: self.command_id,
        };
        let done = session.client.automation().run_rule(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        let run = done.run.clone().unwrap_or_default();
        let words = format!("{}: {}", outcome(run.outcome()), what(&run));
        answer(session, "RunRuleResponse", &done, &clean(&words))
    }
}
