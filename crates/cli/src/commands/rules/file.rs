use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use automation_engine::rule::{MAX_YAML_BYTES, Mistake};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::failure::{Failure, InFile};

/// A file of rules.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct File {
    /// A file of rules; - reads what is piped in
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
}

impl File {
    /// The text.
    ///
    /// # Errors
    /// [`Failure::NotFound`] and [`Failure::Usage`] for what can't be read.
    pub(super) fn read(&self) -> Result<String, Failure> {
        let read = match self.file.to_str() {
            Some("-") => bounded(std::io::stdin().lock()),
            _ => std::fs::File::open(&self.file).and_then(bounded),
        };
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::NotFound(format!("there is no file {self}")),
            std::io::ErrorKind::InvalidData => Failure::Usage(format!("{self} is no text in UTF-8")),
            _ => Failure::Usage(format!("{self} can't be read: {error}")),
        })
    }

    /// What is wrong with the text.
    pub(super) fn mistakes(&self, text: &str, mistakes: Vec<Mistake>) -> Failure {
        Failure::InFile(Box::new(InFile { file: self.to_string(), text: text.to_owned(), mistakes }))
    }

    /// What the server says is wrong with the text; any other failure as it is.
    pub(super) fn refused(&self, text: &str, status: Status, other: impl FnOnce(Status) -> Failure) -> Failure {
        let violations = status.get_details_bad_request().map(|request| request.field_violations).unwrap_or_default();
        let placed: Option<Vec<Mistake>> =
            violations.into_iter().map(|violation| place(&violation.field, violation.description)).collect();
        match placed {
            Some(mistakes) if !mistakes.is_empty() => self.mistakes(text, mistakes),
            _ => other(status),
        }
    }
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.to_str() {
            Some("-") => f.write_str("<stdin>"),
            _ => write!(f, "{}", self.file.display()),
        }
    }
}

/// One byte more than is taken, so that the check says so.
fn bounded(file: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    let most = u64::try_from(MAX_YAML_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_string(&mut text)?;
    Ok(text)
}

/// `3:14`, also with a path after another colon; `None` for fields that are no place.
fn place(field: &str, message: String) -> Option<Mistake> {
    let mut parts = field.splitn(3, ':');
    let (line, column) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Mistake { line, column, path: parts.next().unwrap_or_default().trim().to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_read_off_the_field() {
        let at = |field: &str| place(field, "wrong".to_owned()).map(|m| (m.line, m.column, m.path));
        assert_eq!(at("3:14"), Some((3, 14, String::new())));
        assert_eq!(at("3:14: rules[0].on"), Some((3, 14, "rules[0].on".to_owned())));
        assert_eq!((at("workspace"), at("3:x")), (None, None));
    }
}
