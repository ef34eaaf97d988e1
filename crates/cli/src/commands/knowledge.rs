//! What the bot knows.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use proto::v1;
use proto::v1::knowledge_document::Format;
use tonic_types::StatusExt as _;

use super::page::Amount;
use super::{answer, facts};
use crate::client::timely;
use crate::draw::{Align, Style, Table, clean};
use crate::failure::Failure;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  threadmark knowledge import faq.csv                   the name is the file's; the format comes from its ending
  threadmark knowledge import handbook.md --name handbook
  threadmark knowledge import - --name faq --format jsonl < rows.jsonl
  threadmark knowledge list
  threadmark bot answer \"where is my order?\"            what the bot would say

CSV names its columns in the first line: question or text, answer, intent. A line of JSONL is
{\"text\", \"intent\"?, \"question\"?, \"answer\"?}. A document of the same name is replaced, all of it or nothing.";

/// Longest document, in bytes; one more is read, so that the server says what is too much.
const MOST: u64 = 10 * 1024 * 1024 + 1;

/// What the bot knows: documents of questions, intents and passages.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Knowledge {
    /// Put a document in force: all of it or nothing
    Import(Import),
    /// List what is known, by name
    List(List),
    /// Forget a document
    Delete(Delete),
}

/// Puts a document in force.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The document; - reads what is piped in
    file: PathBuf,
    /// What it is called [default: the file's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// [default: by the file's ending]
    #[arg(long, value_enum)]
    format: Option<Written>,
    /// Check everything and change nothing
    #[arg(long)]
    check: bool,
    /// Import only where the knowledge has this etag
    #[arg(long, value_name = "ETAG", default_value = "", hide_default_value = true)]
    etag: String,
}

/// How a document is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Written {
    Markdown,
    Text,
    Csv,
    Jsonl,
}

/// Lists what is known.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    amount: Amount,
}

/// Forgets a document.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// What it is called
    name: String,
}

impl Knowledge {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Knowledge::Import(import) => import.run(session).await,
            Knowledge::List(list) => list.run(session).await,
            Knowledge::Delete(delete) => delete.run(session).await,
        }
    }
}

impl Import {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::ImportKnowledgeRequest {
            workspace: session.workspace.clone(),
            name: self.named()?,
            format: format(&self.file, self.format)?.into(),
            data: read(&self.file)?.into(),
            validate_only: self.check,
            etag: self.etag.clone(),
        };
        let imported = session.client.bot().import_knowledge(timely(request)).await;
        let imported = imported.map_err(|status| self.refused(session, status))?.into_inner();
        let document = imported.document.clone().unwrap_or_default();
        let words = format!(
            "{} version {}: {} examples of {} intents, {} passages{}",
            clean(&document.name),
            document.version,
            document.example_count,
            document.intent_count,
            document.passage_count,
            if self.check { "; nothing was changed" } else { "" },
        );
        answer(session, "ImportKnowledgeResponse", &imported, &words)
    }

    fn is_piped(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn named(&self) -> Result<String, Failure> {
        let file = || self.file.file_name().filter(|_| !self.is_piped())?.to_str().map(str::to_owned);
        let nameless = || Failure::Usage("say what it is called: --name NAME".to_owned());
        self.name.clone().or_else(file).ok_or_else(nameless)
    }

    /// What is wrong with the document, a line for each mistake; any other failure as it is.
    fn refused(&self, session: &Session, status: tonic::Status) -> Failure {
        let violations = status.get_details_bad_request().map(|request| request.field_violations).unwrap_or_default();
        let is_place = |field: &str| field.starts_with(|c: char| c.is_ascii_digit());
        if violations.is_empty() || !violations.iter().all(|violation| is_place(&violation.field)) {
            return session.failure(status);
        }
        let file = self.file.display();
        let lines = violations.iter().map(|it| format!("{file}:{}: {}", it.field, clean(&it.description)));
        Failure::Failed(format!("nothing was imported\n{}", lines.collect::<Vec<_>>().join("\n")))
    }
}

/// How a file is written, if nothing else says so.
pub(super) fn format(file: &Path, said: Option<Written>) -> Result<Format, Failure> {
    let ending = file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match (said, ending.as_deref()) {
        (Some(Written::Markdown), _) | (None, Some("md" | "markdown")) => Ok(Format::Markdown),
        (Some(Written::Text), _) | (None, Some("txt" | "text")) => Ok(Format::Text),
        (Some(Written::Csv), _) | (None, Some("csv" | "tsv")) => Ok(Format::Csv),
        (Some(Written::Jsonl), _) | (None, Some("jsonl" | "ndjson")) => Ok(Format::Jsonl),
        (None, _) => Err(Failure::Usage("say how it is written: --format markdown, text, csv or jsonl".to_owned())),
    }
}

/// A document, or what is piped in for `-`.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut data = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().take(MOST).read_to_end(&mut data),
        false => std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut data)),
    };
    let shown = file.display();
    read.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::NotFound(format!("there is no file {shown}")),
        _ => Failure::Usage(format!("{shown} can't be read: {error}")),
    })?;
    Ok(data)
}

impl List {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut table = Table::new(&[
            ("DOCUMENT", Align::Whole),
            ("VERSION", Align::Right),
            ("FORMAT", Align::Left),
            ("EXAMPLES", Align::Right),
            ("INTENTS", Align::Right),
            ("PASSAGES", Align::Right),
            ("IMPORTED", Align::Left),
        ]);
        let (mut have, mut page_token) = (0, String::new());
        while let Some(page_size) = self.amount.next(have) {
            let request = v1::ListKnowledgeRequest { workspace: session.workspace.clone(), page_size, page_token };
            let answer = session.client.bot().list_knowledge(timely(request)).await;
            let page = answer.map_err(|status| session.failure(status))?.into_inner();
            have += page.documents.len();
            for document in &page.documents {
                if session.out.is_json() {
                    session.out.message("KnowledgeDocument", document)?;
                } else {
                    table.row([
                        (Style::Plain, document.name.clone()),
                        (Style::Plain, document.version.to_string()),
                        (Style::Plain, document.format().as_str_name().to_lowercase()),
                        (Style::Plain, document.example_count.to_string()),
                        (Style::Plain, document.intent_count.to_string()),
                        (Style::Plain, document.passage_count.to_string()),
                        (Style::Dim, session.recent(document.import_time.as_ref())),
                    ]);
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let none = "the bot knows nothing: teach it with 'knowledge import'";
        if session.out.is_json() { Ok(()) } else { session.out.table(&table, none) }
    }
}

impl Delete {
    async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = v1::DeleteKnowledgeRequest { workspace: session.workspace.clone(), name: self.name.clone() };
        let done = session.client.bot().delete_knowledge(timely(request)).await;
        let done = done.map_err(|status| session.failure(status))?.into_inner();
        answer(session, "DeleteKnowledgeResponse", &done, &format!("{} is forgotten", clean(&self.name)))
    }
}

/// Asks the bot without a conversation.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  threadmark bot answer \"where is my order?\"
  threadmark bot answer --json \"that didn't help\" --said \"where is it?\" --said bot:\"On its way.\"")]
pub(crate) struct Answer {
    /// What the customer says
    text: String,
    /// What was said before, oldest first; bot: or agent: before the words says by whom
    #[arg(long, value_name = "WORDS")]
    said: Vec<String>,
}

impl Answer {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        use proto::v1::answer_response::Outcome;
        let request = v1::AnswerRequest {
            workspace: session.workspace.clone(),
            text: self.text,
            history: self.said.iter().map(|words| said(words)).collect(),
        };
        let found = session.client.bot().answer(timely(request)).await;
        let found = found.map_err(|status| session.failure(status))?.into_inner();
        if session.out.is_json() {
            return session.out.message("AnswerResponse", &found);
        }
        let (does, sources) = match &found.outcome {
            Some(Outcome::Reply(reply)) if reply.text.is_empty() => {
                ("replies, but knows no words for it".to_owned(), vec![])
            }
            Some(Outcome::Reply(reply)) => (format!("replies: {}", reply.text), reply.sources.clone()),
            Some(Outcome::Handoff(handoff)) => {
                let reason = handoff.reason().as_str_name().to_lowercase().replace('_', " ");
                (format!("hands off: {reason}"), vec![])
            }
            None => (String::new(), vec![]),
        };
        let source =
            |source: &v1::Source| format!("{} version {}, line {}", source.document, source.version, source.line);
        let sources: Vec<String> = sources.iter().map(source).collect();
        facts(
            &session.out,
            &[
                ("bot", does),
                ("score", format!("{:.2}", found.score)),
                ("intent", found.intent.clone()),
                ("source", sources.join("; ")),
            ],
        )
    }
}

fn said(words: &str) -> v1::Said {
    use proto::v1::actor::Kind;
    let (by, text) = match words.split_once(':') {
        Some(("bot", text)) => (Kind::Bot, text),
        Some(("agent", text)) => (Kind::Agent, text),
        _ => (Kind::Customer, words),
    };
    v1::Said { by: by.into(), text: text.trim().to_owned() }
}
