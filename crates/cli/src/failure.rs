use automation_engine::rule::Mistake;
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Why a command ends without success, and what its user can do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line asks for what can't be.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers.
    #[error("can't reach the server at {0}: is it running? start it with 'threadmark up'")]
    Away(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The server refused.
    #[error("{}", .0.message())]
    Refused(Box<Status>),
    /// A file has mistakes.
    #[error("{} has {} mistake{}", .0.file, .0.mistakes.len(), if .0.mistakes.len() == 1 { "" } else { "s" })]
    InFile(Box<InFile>),
    /// It went wrong.
    #[error("{0}")]
    Failed(String),
    /// Whoever read our output wants no more.
    #[error("the output was closed")]
    Closed,
}

/// Mistakes in a file, each at its place.
#[derive(Debug)]
pub(crate) struct InFile {
    /// As it was named.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) text: String,
    /// In its order.
    pub(crate) mistakes: Vec<Mistake>,
}

impl InFile {
    /// Each mistake as `file:line:column: what`, with the line that it stands in and a caret below its place.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for mistake in &self.mistakes {
            let Mistake { line, column, message, .. } = mistake;
            lines.push(format!("{}:{line}:{column}: {}", self.file, crate::draw::clean(message)));
            let Some(source) = self.text.lines().nth(line.saturating_sub(1)) else { continue };
            // Tabs and other controls are one cell wide, so that the caret stands where it should.
            let shown: String = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let before: String = shown.chars().take(column.saturating_sub(1)).collect();
            lines.push(format!("  {shown}"));
            lines.push(format!("  {}^", " ".repeat(crate::draw::width(&before))));
        }
        lines
    }

    fn json(&self) -> serde_json::Value {
        let mistakes = self.mistakes.iter().map(|mistake| {
            json!({ "line": mistake.line, "column": mistake.column, "path": mistake.path, "message": mistake.message })
        });
        json!({ "file": self.file, "mistakes": mistakes.collect::<Vec<_>>() })
    }
}

impl Failure {
    /// A failed call: to a server that is away, or an answer that refuses.
    pub(crate) fn of_call(server: &str, status: Status) -> Failure {
        // Without details of ours the status is not the server's: the connection failed.
        let ours = status.get_details_error_info().is_some();
        if status.code() == Code::Unavailable && !ours { Failure::Away(server.to_owned()) } else { status.into() }
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Closed => 0,
            Failure::Failed(_) => 1,
            Failure::Usage(_) | Failure::InFile(_) => 2,
            Failure::Away(_) => 3,
            Failure::NotFound(_) => 4,
            Failure::Refused(status) => match status.code() {
                Code::InvalidArgument | Code::OutOfRange => 2,
                Code::Unavailable | Code::DeadlineExceeded => 3,
                Code::NotFound => 4,
                _ => 1,
            },
        }
    }

    /// What people read: one line, mistakes in fields one on each further line, and what to do next.
    pub(crate) fn lines(&self) -> Vec<String> {
        let status = match self {
            Failure::Refused(status) => status,
            Failure::InFile(file) => return [file.lines(), vec![format!("error: {self}")]].concat(),
            _ => return vec![format!("error: {self}")],
        };
        let violations = violations(status);
        let mut lines = match violations.is_empty() {
            true => vec![format!("error: {}", lower_case(status))],
            false => vec!["error: the server can't take these values:".to_owned()],
        };
        lines.extend(violations.into_iter().map(|(field, description)| format!("  {field}: {description}")));
        lines.extend(hint(status).map(|hint| format!("  {hint}")));
        lines
    }

    /// What programs read, on one line.
    pub(crate) fn json(&self) -> String {
        let mut error = json!({ "message": self.to_string(), "exit_code": self.exit_code() });
        if let Failure::Refused(status) = self {
            let fields = violations(status).into_iter();
            let fields: Vec<_> = fields.map(|(field, text)| json!({ "field": field, "description": text })).collect();
            error["code"] = json!(code_name(status.code()));
            error["reason"] = json!(reason(status));
            error["violations"] = json!(fields);
        }
        if let Failure::InFile(file) = self {
            error["in_file"] = file.json();
        }
        json!({ "error": error }).to_string()
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Refused(Box::new(status))
    }
}

fn lower_case(status: &Status) -> String {
    match status.message() {
        "" => format!("the server answered {} without a word", code_name(status.code())),
        message => crate::draw::clean(message),
    }
}

/// Which fields of the request are wrong, and how.
fn violations(status: &Status) -> Vec<(String, String)> {
    let violations = status.get_details_bad_request().map(|request| request.field_violations).unwrap_or_default();
    violations.into_iter().map(|violation| (violation.field, violation.description)).collect()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// What to do next.
fn hint(status: &Status) -> Option<&'static str> {
    let hint = match (status.code(), reason(status).as_str()) {
        (_, "TICKET_NOT_OPEN") => "'threadmark tickets CONVERSATION --nested --state open' lists what is open",
        (_, "MOVED_ON") => "look at 'threadmark timeline CONVERSATION', then decide again",
        (_, "BOT_DOES_NOT_HOLD") => "act as an agent with --agent, or close what is open first",
        (_, "CONVERSATION_NOT_FOUND") => "'threadmark conversations' lists the conversations of the workspace",
        (_, "TICKET_NOT_FOUND") => "'threadmark tickets --nested' lists the tickets of the workspace",
        (_, "WORKSPACE_NOT_FOUND") => "choose another with --workspace, or name it in the server's configuration",
        (_, "VIEW_BEHIND") => "'threadmark status' says how far behind the view is",
        (Code::Unauthenticated, _) => "say who you are with --token-file or THREADMARK_TOKEN",
        (Code::Unimplemented, _) => "the server does not know this call: is it older than this threadmark?",
        (Code::DeadlineExceeded, _) => "the server took too long: try again",
        // What a server behind TLS makes of a call in the clear, or of one without a certificate.
        (Code::Cancelled, _) => {
            "the connection broke. If the server is behind TLS: say https://, --ca, and where it asks for one --cert and --key"
        }
        _ => return None,
    };
    Some(hint)
}

/// The code as gRPC writes it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use service::status::{Mistakes, not_found, refused};

    use super::*;

    #[test]
    fn each_mistake_in_a_field_has_its_line() {
        let mut mistakes = Mistakes::default();
        mistakes.add("end_time", "has to be after start_time");
        mistakes.add("time_zone", "is unknown");
        let failure = Failure::from(mistakes.done().unwrap_err());
        assert_eq!(failure.exit_code(), 2);
        assert_eq!(
            failure.lines(),
            [
                "error: the server can't take these values:",
                "  end_time: has to be after start_time",
                "  time_zone: is unknown",
            ]
        );
        let json: serde_json::Value = serde_json::from_str(&failure.json()).unwrap();
        assert_eq!(json["error"]["code"], "INVALID_ARGUMENT");
        assert_eq!(json["error"]["violations"][1]["field"], "time_zone");
    }

    #[test]
    fn exit_codes_tell_what_kind_of_failure_it_is() {
        let cases = [
            (Failure::of_call("there", not_found("conversation", "x")), 4),
            (Failure::of_call("there", refused(Code::FailedPrecondition, "TICKET_NOT_OPEN", "", "no")), 1),
            (Failure::of_call("there", refused(Code::Unavailable, "BUS_AWAY", "", "the bus is away")), 3),
            (Failure::of_call("there", Status::unavailable("tcp connect error")), 3),
            (Failure::of_call("there", Status::internal("")), 1),
            (Failure::Usage(String::new()), 2),
            (Failure::NotFound(String::new()), 4),
            (Failure::Failed(String::new()), 1),
            (Failure::Closed, 0),
        ];
        for (failure, code) in cases {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do_next() {
        let failure = Failure::of_call("there", not_found("workspace", "x"));
        let lines = failure.lines();
        assert!(lines[0].starts_with("error: workspace \"x\" does not exist"), "{lines:?}");
        assert!(lines[1].contains("--workspace"), "{lines:?}");
        let away = Failure::of_call("http://127.0.0.1:1", Status::unavailable("tcp connect error")).lines();
        assert!(away[0].contains("http://127.0.0.1:1") && away[0].contains("threadmark up"), "{away:?}");
    }
}
