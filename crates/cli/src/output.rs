//! Everything that is printed. A reader who wants no more (`| head`) ends the command quietly.

use std::io::{IsTerminal, Write, stderr, stdout};

use prost::Message;

use crate::draw::{Line, Style, Table};
use crate::failure::Failure;
use crate::json;

/// How wide a chat is drawn where nobody says how wide a line may be.
const WIDTH: usize = 100;

/// Where a command's results go.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    json: bool,
    color: bool,
    /// `None` where nobody says how wide a line may be.
    width: Option<usize>,
}

impl Output {
    /// As the command line and the terminal have it.
    pub(crate) fn new(json: bool, no_color: bool) -> Output {
        let terminal = stdout().is_terminal();
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = || terminal.then(|| console::Term::stdout().size_checked()).flatten();
        let width = columns.or_else(|| measured().map(|(_, width)| usize::from(width)));
        Output { json, color: color(terminal, no_color), width }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// How many cells a chat has from side to side.
    pub(crate) fn width(&self) -> usize {
        self.width.unwrap_or(WIDTH)
    }

    /// How many cells a row of a table has: into a pipe nothing is cut.
    pub(crate) fn table_width(&self) -> usize {
        self.width.unwrap_or(usize::MAX)
    }

    /// A message of the wire as a line of JSON.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub(crate) fn message(&self, name: &str, message: &impl Message) -> Result<(), Failure> {
        print(&json::line(name, message)?)
    }

    /// A JSON object on a line.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub(crate) fn object(&self, object: &impl serde::Serialize) -> Result<(), Failure> {
        print(&serde_json::to_string(object).map_err(|error| Failure::Failed(error.to_string()))?)
    }

    /// A line for people.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub(crate) fn line(&self, line: &Line) -> Result<(), Failure> {
        print(&line.render(self.color))
    }

    /// A line of plain words for people.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        print(text)
    }

    /// A table for people, or what to say instead when it is empty.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub(crate) fn table(&self, table: &Table, empty: &str) -> Result<(), Failure> {
        if table.is_empty() {
            return self.line(&Line::of(Style::Dim, empty));
        }
        table.lines(self.table_width()).iter().try_for_each(|line| self.line(line))
    }

    /// A remark beside the results.
    pub(crate) fn remark(&self, text: &str) {
        if !self.json {
            tell(&Line::of(Style::Dim, text).render(self.color && stderr().is_terminal()));
        }
    }

    /// Why there is no result.
    pub(crate) fn failure(&self, failure: &Failure) {
        match (failure, self.json) {
            (Failure::Closed, _) => {}
            (_, true) => tell(&failure.json()),
            (_, false) => failure.lines().iter().for_each(|line| tell(line)),
        }
    }
}

/// Bytes for people or programs, as they are.
///
/// # Errors
/// [`Failure::Closed`].
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    stdout().lock().write_all(bytes).and_then(|()| stdout().flush()).map_err(closed)
}

fn print(line: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(closed)
}

fn closed(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Failed(format!("can't write the output: {error}")),
    }
}

/// When even this can't be written there is nobody left to tell.
fn tell(line: &str) {
    let _ = writeln!(stderr().lock(), "{line}");
}

/// <https://no-color.org>: any value that is not empty means none.
fn color(terminal: bool, no_color: bool) -> bool {
    let asked_not_to = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    terminal && !no_color && !asked_not_to && !dumb
}
