//! gRPC statuses with google.rpc details: which field, which precondition, which reason.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "threadmark";

/// Mistakes in the fields of a request, collected so that all are told at once.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<(String, String)>);

impl Mistakes {
    /// Notes a mistake in a field, by the field's path in the request ("message.occur_time").
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push((field.into(), description.into()));
    }

    /// Notes a mistake unless `fine`.
    pub fn unless(&mut self, fine: bool, field: &str, description: impl Into<String>) {
        if !fine {
            self.add(field, description);
        }
    }

    /// Ok when there are none.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with one violation each.
    #[allow(clippy::result_large_err)]
    pub fn done(self) -> Result<(), Status> {
        if self.0.is_empty() {
            return Ok(());
        }
        let text: Vec<String> = self.0.iter().map(|(field, description)| format!("{field}: {description}")).collect();
        let mut details = ErrorDetails::with_error_info("INVALID_ARGUMENT", DOMAIN, []);
        for (field, description) in self.0 {
            details.add_bad_request_violation(field, description);
        }
        Err(Status::with_error_details(Code::InvalidArgument, text.join("; "), details))
    }
}

/// INVALID_ARGUMENT for one field.
pub fn invalid(field: &str, description: impl Into<String>) -> Status {
    let mut mistakes = Mistakes::default();
    mistakes.add(field, description);
    mistakes.done().err().unwrap_or_else(|| Status::invalid_argument(field))
}

/// NOT_FOUND: `what` ("conversation") has no `id`.
pub fn not_found(what: &str, id: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(format!("{}_NOT_FOUND", what.to_uppercase()), DOMAIN, []);
    details.set_resource_info(what, id, "", "not found");
    let shown: String = id.chars().take(80).collect();
    Status::with_error_details(Code::NotFound, format!("{what} {shown:?} does not exist"), details)
}

/// A status with a reason that programs can tell apart. FAILED_PRECONDITION also names the precondition.
pub fn refused(code: Code, reason: &str, subject: &str, description: impl Into<String>) -> Status {
    let description = description.into();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    if code == Code::FailedPrecondition {
        details.add_precondition_failure_violation(reason, subject, description.clone());
    }
    Status::with_error_details(code, description, details)
}

/// RESOURCE_EXHAUSTED for a while, which RetryInfo tells.
pub fn later(wait: Duration, reason: &str, description: impl Into<String>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    details.set_retry_info(Some(wait));
    Status::with_error_details(Code::ResourceExhausted, description, details)
}

/// What a failure of the bus looks like to a client: UNAVAILABLE when trying again helps, FAILED_PRECONDITION
/// `CONTACT_ERASED` for what would be sealed for somebody who was erased meanwhile, else INTERNAL.
pub fn bus(error: &bus::Error) -> Status {
    if matches!(error, bus::Error::Erased) {
        return refused(Code::FailedPrecondition, "CONTACT_ERASED", "", error.to_string());
    }
    match error.kind() {
        bus::ErrorKind::Retry | bus::ErrorKind::Conflict => {
            refused(Code::Unavailable, "BUS_AWAY", "", "the bus is away: try again with the same command_id")
        }
        bus::ErrorKind::Refused | bus::ErrorKind::Fatal => {
            tracing::error!(%error, "the bus failed a request for good");
            refused(Code::Internal, "BUS_REFUSED", "", "the bus refused: the service's log says why")
        }
    }
}

/// Checks that `workspace` is a workspace's name and one that exists.
///
/// # Errors
/// INVALID_ARGUMENT, NOT_FOUND.
#[allow(clippy::result_large_err)]
pub fn check_workspace(workspace: &str, exists: impl Fn(&str) -> bool) -> Result<(), Status> {
    if !crate::is_workspace_name(workspace) {
        return Err(invalid("workspace", "has to be 1 to 63 of a-z, 0-9 and -"));
    }
    if exists(workspace) { Ok(()) } else { Err(not_found("workspace", workspace)) }
}
