//! Draft rules on what happened.

use clap::Args;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use proto::v1;
use proto::v1::backtest_report::RuleReport;
use proto::v1::backtest_rules_response::Part;

use super::file::File;
use super::runs::{outcome, what};
use crate::draw::{Align, Line, Style, Table, clean, words};
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark rules backtest -f new.yaml --from 30d
  threadmark rules backtest -f new.yaml --from 2026-10 --to 2026-11 --examples
Nothing is touched. Customers, agents and the bot do what they did, automations do what the draft says; agents, teams,
presence and business hours are those of today.";

/// Tries a draft on what happened.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backtest {
    #[command(flatten)]
    file: File,
    /// The first moment of the period
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The moment at which the period has ended
    #[arg(long, value_name = "TIME", default_value = "now")]
    to: String,
    /// With runs to look at, up to ten of each rule
    #[arg(long)]
    examples: bool,
}

impl Backtest {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let yaml = self.file.read()?;
        // No deadline: it takes as long as there are events, and says how far it has come.
        let request = v1::BacktestRulesRequest {
            workspace: session.workspace.clone(),
            yaml: yaml.clone(),
            start_time: session.instant(Some(&self.from))?,
            end_time: session.instant(Some(&self.to))?,
        };
        let refused = |status| self.file.refused(&yaml, status, |status| session.failure(status));
        let mut answers = session.client.automation().backtest_rules(request).await.map_err(refused)?.into_inner();
        let bar = bar(session);
        let mut report = None;
        while let Some(answer) = answers.message().await.map_err(refused)? {
            match answer.part {
                Some(Part::Progress(progress)) => {
                    bar.set_length(u64::try_from(progress.events_total).unwrap_or(0));
                    bar.set_position(u64::try_from(progress.events_done).unwrap_or(0));
                    bar.set_message(words::minute(progress.time.as_ref(), &session.zone));
                }
                Some(Part::Report(found)) => report = Some(found),
                None => {}
            }
        }
        bar.finish_and_clear();
        let ended = || Failure::Failed("the server ended without a report: try again".to_owned());
        let report = report.ok_or_else(ended)?;
        match session.out.is_json() {
            true => session.out.message("BacktestReport", &report),
            false => tell(session, &report, self.examples),
        }
    }
}

fn bar(session: &Session) -> ProgressBar {
    if session.out.is_json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "{msg:16} {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn tell(session: &Session, report: &v1::BacktestReport, examples: bool) -> Result<(), Failure> {
    let out = &session.out;
    let mut table = Table::new(&RULES);
    report.rules.iter().for_each(|rule| table.row(rule_row(rule)));
    out.table(&table, "the file holds no rules")?;
    for rule in report.rules.iter().filter(|rule| rule.matches == 0 || examples) {
        tell_rule(session, rule, examples)?;
    }
    heading(session, "against what happened")?;
    let mut table = Table::new(&AGAINST);
    against(report).into_iter().for_each(|row| table.row(row));
    out.table(&table, "nothing was opened, closed, assigned or said, and nothing would have been")?;
    if report.conversations_different > 0 {
        heading(session, &format!("{} differ", many(report.conversations_different, "conversation")))?;
        let mut table = Table::new(&DIFFERENT);
        report.differences.iter().for_each(|difference| table.row(difference_row(difference)));
        out.table(&table, "")?;
    }
    if report.left_out > 0 {
        let what = many(report.left_out, "deed");
        out.remark(&format!("{what} of agents and the bot had nothing to act on, and were left out"));
    }
    report.notes.iter().for_each(|note| out.remark(&clean(note)));
    let took = report.took.and_then(|took| std::time::Duration::try_from(took).ok()).unwrap_or_default();
    let all = u64::try_from(report.events + report.events_before).unwrap_or(0);
    out.remark(&format!(
        "{} in the period, {} before it, in {}",
        many(report.events, "event"),
        HumanCount(all.saturating_sub(u64::try_from(report.events).unwrap_or(0))),
        if took.as_secs() == 0 { format!("{} ms", took.as_millis()) } else { HumanDuration(took).to_string() },
    ));
    Ok(())
}

const RULES: [(&str, Align); 9] = [
    ("RULE", Align::Whole),
    ("LOOKED AT", Align::Right),
    ("MATCHES", Align::Right),
    ("OPENED", Align::Right),
    ("CLOSED", Align::Right),
    ("MESSAGES", Align::Right),
    ("SKIPPED", Align::Right),
    ("REFUSED", Align::Right),
    ("ASSIGNED", Align::Left),
];

fn rule_row(rule: &RuleReport) -> [(Style, String); 9] {
    let style = if rule.matches == 0 { Style::Dim } else { Style::Plain };
    let refused = if rule.refused > 0 { Style::Bad } else { style };
    [
        (style, rule.rule.clone()),
        (style, count(rule.events)),
        (style, count(rule.matches)),
        (style, count(rule.tickets_opened)),
        (style, count(rule.tickets_closed)),
        (style, count(rule.messages_sent)),
        (style, count(rule.skipped)),
        (refused, count(rule.refused)),
        (style, assigned(&rule.assigned)),
    ]
}

/// Why a rule did not apply, and runs of it.
fn tell_rule(session: &Session, rule: &RuleReport, examples: bool) -> Result<(), Failure> {
    heading(session, &rule.rule)?;
    for part in rule.not_matched.iter().take(5) {
        let line = Line::of(Style::Dim, format!("  false {} times: ", count(part.count)));
        session.out.line(&line.with(Style::Plain, clean(&part.condition)))?;
    }
    if rule.events == 0 {
        session.out.line(&Line::of(Style::Dim, "  nothing set it off"))?;
    }
    for (what, done) in
        [("webhooks would have been called", rule.webhooks_called), ("events published", rule.events_published)]
    {
        if done > 0 {
            session.out.line(&Line::of(Style::Dim, format!("  {} {what}", count(done))))?;
        }
    }
    for run in rule.examples.iter().filter(|_| examples) {
        let mut line = Line::of(Style::Dim, format!("  {}  ", words::minute(run.time.as_ref(), &session.zone)));
        line.push(Style::Dim, format!("{}  ", run.conversation_id));
        line.push(Style::Plain, format!("{}: ", outcome(run.outcome())));
        session.out.line(&line.with(Style::Plain, clean(&what(run))))?;
    }
    Ok(())
}

const AGAINST: [(&str, Align); 4] =
    [("", Align::Left), ("HAPPENED", Align::Right), ("WOULD HAVE", Align::Right), ("CHANGE", Align::Right)];

fn against(report: &v1::BacktestReport) -> Vec<[(Style, String); 4]> {
    let (actual, simulated) = (report.actual.clone().unwrap_or_default(), report.simulated.clone().unwrap_or_default());
    let mut rows = vec![
        ("tickets opened".to_owned(), actual.tickets_opened, simulated.tickets_opened),
        ("tickets closed".to_owned(), actual.tickets_closed, simulated.tickets_closed),
        ("messages of rules".to_owned(), actual.messages_sent, simulated.messages_sent),
    ];
    let of = |counts: &v1::BacktestCounts, who: &Option<v1::Assignee>| {
        counts.assigned.iter().find(|assigned| assigned.assignee == *who).map_or(0, |assigned| assigned.count)
    };
    let mut people: Vec<Option<v1::Assignee>> = Vec::new();
    for assigned in actual.assigned.iter().chain(&simulated.assigned) {
        if !people.contains(&assigned.assignee) {
            people.push(assigned.assignee.clone());
        }
    }
    rows.extend(people.iter().map(|who| {
        let name = format!("assigned to {}", words::assignee(who.as_ref()));
        (name, of(&actual, who), of(&simulated, who))
    }));
    let row = |(what, happened, would): (String, i64, i64)| {
        let (style, change) = match would - happened {
            0 => (Style::Dim, "=".to_owned()),
            more if more > 0 => (Style::Plain, format!("+{}", count(more))),
            less => (Style::Plain, format!("-{}", count(-less))),
        };
        [(style, what), (style, count(happened)), (style, count(would)), (style, change)]
    };
    rows.into_iter().filter(|(_, happened, would)| *happened != 0 || *would != 0).map(row).collect()
}

const DIFFERENT: [(&str, Align); 3] =
    [("CONVERSATION", Align::Whole), ("HAPPENED", Align::Left), ("WOULD HAVE", Align::Left)];

fn difference_row(difference: &v1::BacktestDifference) -> [(Style, String); 3] {
    [
        (Style::Plain, difference.conversation_id.clone()),
        (Style::Plain, in_words(difference.actual.as_ref())),
        (Style::Plain, in_words(difference.simulated.as_ref())),
    ]
}

/// "1 opened, 2 messages, ann 1".
fn in_words(counts: Option<&v1::BacktestCounts>) -> String {
    let counts = counts.cloned().unwrap_or_default();
    let mut parts = Vec::new();
    for (number, what) in [(counts.tickets_opened, "opened"), (counts.tickets_closed, "closed")] {
        if number > 0 {
            parts.push(format!("{} {what}", count(number)));
        }
    }
    if counts.messages_sent > 0 {
        parts.push(many(counts.messages_sent, "message"));
    }
    if !counts.assigned.is_empty() {
        parts.push(format!("to {}", assigned(&counts.assigned)));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// "ann@billing 3, ben@billing 2".
fn assigned(all: &[v1::AssignedCount]) -> String {
    let each = all.iter().map(|one| format!("{} {}", words::assignee(one.assignee.as_ref()), count(one.count)));
    each.collect::<Vec<_>>().join(", ")
}

fn heading(session: &Session, text: &str) -> Result<(), Failure> {
    session.out.text("")?;
    session.out.line(&Line::of(Style::Strong, clean(text)))
}

fn many(number: i64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

fn count(number: i64) -> String {
    HumanCount(u64::try_from(number).unwrap_or(0)).to_string()
}
