//! The bot as it might be, on what was recorded.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use proto::v1;
use proto::v1::ShadowActual as Actual;
use proto::v1::bot_turn::Deed;
use proto::v1::shadow_response::Part;
use tonic_types::StatusExt as _;

use super::knowledge::{format, read};
use crate::draw::{Align, Line, Style, Table, clean, words};
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark bot shadow --from 30d
  threadmark bot shadow --from 2026-10 --to 2026-11 --knowledge new-faq.csv handbook.md
Nothing is sent and nothing is changed. Customers, agents and rules did what they did; at each turn of a customer that
came while no human had the conversation, the bot is asked what it would have done. A language model that is configured
is asked too, within a budget of its own: each run may spend as many tokens as bot.llm.tokens_per_day, or 1,000,000
where that is 0, and none of them are the workspace's of the day. Once they are spent, the bot is tried without it.";

/// Intents that are listed.
const INTENTS: usize = 20;
/// Longest words of a disagreement, in characters.
const LONG: usize = 90;

/// Tries the bot on recorded conversations.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Shadow {
    /// The first moment of the period
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The moment at which the period has ended
    #[arg(long, value_name = "TIME", default_value = "now")]
    to: String,
    /// What the bot is to know instead of what it knows now: .md, .txt, .csv or .jsonl
    #[arg(long, value_name = "FILE", num_args = 1..)]
    knowledge: Vec<PathBuf>,
    /// Disagreements to show
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=100))]
    examples: i32,
}

impl Shadow {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let documents: Result<Vec<_>, Failure> = self.knowledge.iter().map(|file| document(file)).collect();
        // No deadline: it takes as long as there are turns, and says how far it has come.
        let request = v1::ShadowRequest {
            workspace: session.workspace.clone(),
            start_time: session.instant(Some(&self.from))?,
            end_time: session.instant(Some(&self.to))?,
            documents: documents?,
            max_examples: self.examples,
        };
        let refused = |status| refused(session, status);
        let mut answers = session.client.bot().shadow(request).await.map_err(refused)?.into_inner();
        let bar = bar(session);
        let mut report = None;
        while let Some(answer) = answers.message().await.map_err(refused)? {
            match answer.part {
                Some(Part::Progress(progress)) => {
                    bar.set_length(u64::try_from(progress.events_total).unwrap_or(0));
                    bar.set_position(u64::try_from(progress.events_done).unwrap_or(0));
                    let when = words::minute(progress.time.as_ref(), &session.zone);
                    bar.set_message(format!("{when}  {}", many(progress.turns, "turn")));
                }
                Some(Part::Report(found)) => report = Some(found),
                None => {}
            }
        }
        bar.finish_and_clear();
        let ended = || Failure::Failed("the server ended without a report: try again".to_owned());
        let report = report.ok_or_else(ended)?;
        match session.out.is_json() {
            true => session.out.message("ShadowReport", &report),
            false => tell(session, &report),
        }
    }
}

fn document(file: &Path) -> Result<v1::ShadowDocument, Failure> {
    let name = file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let name = name.ok_or_else(|| Failure::Usage(format!("{} is no name of a file", file.display())))?;
    Ok(v1::ShadowDocument { name, format: format(file, None)?.into(), data: read(file)?.into() })
}

/// What is wrong with the documents, a line for each mistake; any other failure as it is.
fn refused(session: &Session, status: tonic::Status) -> Failure {
    let violations = status.get_details_bad_request().map(|request| request.field_violations).unwrap_or_default();
    if violations.is_empty() || !violations.iter().all(|violation| violation.field.contains(':')) {
        return session.failure(status);
    }
    let lines = violations.iter().map(|it| format!("{}: {}", clean(&it.field), clean(&it.description)));
    Failure::Failed(format!("nothing was tried\n{}", lines.collect::<Vec<_>>().join("\n")))
}

fn bar(session: &Session) -> ProgressBar {
    if session.out.is_json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let template = "{msg:32} {bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn tell(session: &Session, report: &v1::ShadowReport) -> Result<(), Failure> {
    let out = &session.out;
    let mut table = Table::new(&MATRIX);
    matrix(report).into_iter().for_each(|row| table.row(row));
    out.table(&table, "no customer wrote while the bot might have answered")?;
    if report.compared > 0 {
        heading(session, &format!("agrees in {} of what can be compared", share(report.agreed, report.compared)))?;
    }
    if report.intents.iter().any(|intent| !intent.intent.is_empty()) {
        heading(session, "by intent")?;
        let mut table = Table::new(&BY_INTENT);
        report.intents.iter().take(INTENTS).for_each(|intent| table.row(intent_row(intent)));
        out.table(&table, "")?;
    }
    if !report.examples.is_empty() {
        heading(session, "some disagreements")?;
        for example in &report.examples {
            let place = format!("  {} {}  ", clean(&example.conversation_id), example.revision);
            let differs = format!("{}, really: {}", would(example.deed()), was(example.actual()));
            out.line(&Line::of(Style::Dim, place).with(Style::Plain, differs))?;
            out.line(&Line::of(Style::Dim, "    customer: ").with(Style::Plain, short(&example.text)))?;
            out.line(&Line::of(Style::Dim, "    bot: ").with(Style::Plain, short(&example.words)))?;
        }
    }
    if report.turns_with_humans > 0 {
        let turns = many(report.turns_with_humans, "turn");
        out.remark(&format!("{turns} came while humans had the conversation: the bot is silent there"));
    }
    if report.left_out > 0 {
        out.remark(&format!("{} can't be read any more, and were left out", many(report.left_out, "turn")));
    }
    report.notes.iter().for_each(|note| out.remark(&clean(note)));
    let took = report.took.and_then(|took| Duration::try_from(took).ok()).unwrap_or_default();
    let took = if took.as_secs() == 0 { format!("{} ms", took.as_millis()) } else { HumanDuration(took).to_string() };
    out.remark(&format!("{}, {} read, in {took}", many(report.turns, "turn"), many(report.events, "event")));
    Ok(())
}

const MATRIX: [(&str, Align); 5] = [
    ("THE BOT WOULD HAVE", Align::Left),
    ("REALLY", Align::Left),
    ("TURNS", Align::Right),
    ("SHARE", Align::Right),
    ("", Align::Left),
];

/// Most turns first.
fn matrix(report: &v1::ShadowReport) -> Vec<[(Style, String); 5]> {
    let mut cells: Vec<&v1::ShadowCell> = report.cells.iter().collect();
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.count));
    let row = |cell: &v1::ShadowCell| {
        let style = if cell.agrees { Style::Plain } else { Style::Dim };
        let verdict = match (cell.agrees, cell.actual()) {
            (true, _) => "agrees",
            (false, Actual::RuleActed) => "not compared",
            (false, _) => "",
        };
        [
            (style, would(cell.deed()).to_owned()),
            (style, was(cell.actual()).to_owned()),
            (style, count(cell.count)),
            (style, share(cell.count, report.turns)),
            (style, verdict.to_owned()),
        ]
    };
    cells.into_iter().map(row).collect()
}

const BY_INTENT: [(&str, Align); 3] = [("INTENT", Align::Whole), ("TURNS", Align::Right), ("HANDED OFF", Align::Right)];

fn intent_row(intent: &v1::ShadowIntent) -> [(Style, String); 3] {
    let name = if intent.intent.is_empty() { "(none)".to_owned() } else { intent.intent.clone() };
    let style = if intent.intent.is_empty() { Style::Dim } else { Style::Plain };
    [(style, name), (style, count(intent.turns)), (style, share(intent.handoffs, intent.turns))]
}

fn would(deed: Deed) -> &'static str {
    match deed {
        Deed::Replied => "replied",
        Deed::Clarified => "asked back",
        Deed::HandedOff => "handed off",
        Deed::Closed => "closed its ticket",
        Deed::Silent => "been silent",
        Deed::Joined | Deed::Unspecified => "done something else",
    }
}

fn was(actual: Actual) -> &'static str {
    match actual {
        Actual::Nobody => "nobody did anything",
        Actual::BotReplied => "the bot replied",
        Actual::BotHandedOff => "the bot handed off",
        Actual::BotClosed => "the bot closed its ticket",
        Actual::HumanAnswered => "a human answered",
        Actual::HumanActed => "a human acted without words",
        Actual::RuleActed => "rules acted",
        Actual::Unspecified => "something else",
    }
}

fn heading(session: &Session, text: &str) -> Result<(), Failure> {
    session.out.text("")?;
    session.out.line(&Line::of(Style::Strong, clean(text)))
}

/// One line, not too long.
fn short(text: &str) -> String {
    let line = clean(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// "12.5 %".
#[allow(clippy::cast_precision_loss)]
fn share(part: i64, all: i64) -> String {
    if all == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 / all as f64 * 100.0) }
}

fn many(number: i64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

fn count(number: i64) -> String {
    HumanCount(u64::try_from(number).unwrap_or(0)).to_string()
}
