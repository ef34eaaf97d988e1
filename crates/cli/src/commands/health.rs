use clap::Args;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::client::timely;
use crate::failure::Failure;
use crate::session::Session;

const HELP: &str = "\
Ends with 0 when it answers and says that it serves, with 1 when it says that it does not, with 3 when nothing answers:
what a container's health check wants to know.

Examples:
  threadmark health
  threadmark health --server http://projection:7070 threadmark.v1.TicketService";

/// Asks whether a server is well.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Health {
    /// One of its services, by its full name [default: the whole server]
    #[arg(value_name = "SERVICE", default_value = "", hide_default_value = true)]
    service: String,
}

impl Health {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = timely(HealthCheckRequest { service: self.service });
        let answer = session.client.health().check(request).await.map_err(|status| session.failure(status))?;
        let status = answer.into_inner().status();
        let word = status.as_str_name().to_ascii_lowercase().replace('_', " ");
        match status {
            ServingStatus::Serving if session.out.is_json() => {
                session.out.object(&serde_json::json!({ "status": word }))
            }
            ServingStatus::Serving => session.out.text(&word),
            _ => Err(Failure::Failed(format!("the server says that it is {word}: its log tells why"))),
        }
    }
}
