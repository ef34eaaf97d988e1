use std::error::Error as _;
use std::time::Duration;

use proto::v1::access_service_client::AccessServiceClient;
use proto::v1::audit_service_client::AuditServiceClient;
use proto::v1::automation_service_client::AutomationServiceClient;
use proto::v1::bot_service_client::BotServiceClient;
use proto::v1::contact_service_client::ContactServiceClient;
use proto::v1::conversation_service_client::ConversationServiceClient;
use proto::v1::directory_service_client::DirectoryServiceClient;
use proto::v1::projection_service_client::ProjectionServiceClient;
use proto::v1::ticket_service_client::TicketServiceClient;
use proto::v1::webhook_service_client::WebhookServiceClient;
use service::Certificates;
use service::access::Bearer;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::health_client::HealthClient;

use crate::failure::Failure;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin: the server itself gives up after 20 s.
const ANSWER: Duration = Duration::from_secs(30);
/// How often a connection is asked whether it lives, and how long it may take to say so.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// The longest answer: a page of 1,000 entries of the longest texts.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// A connection on which a token is shown.
pub(crate) type Line = InterceptedService<Channel, Bearer>;

/// What is shown to a server, and how it is known.
#[derive(Clone, Debug)]
pub struct Access {
    /// The token.
    pub bearer: Bearer,
    /// Certificates, for servers at `https://`.
    pub certificates: Certificates,
}

impl From<Bearer> for Access {
    fn from(bearer: Bearer) -> Access {
        Access { bearer, certificates: Certificates::default() }
    }
}

/// The services behind one address. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    server: String,
    channel: Line,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an address that can't be, [`Failure::Away`].
    pub(crate) async fn connect(server: &str, access: impl Into<Access>) -> Result<Client, Failure> {
        let Access { bearer, certificates } = access.into();
        let channel = endpoint(server, &certificates)?.connect().await.map_err(|error| away(server, &error))?;
        Ok(Client { server: server.to_owned(), channel: InterceptedService::new(channel, bearer) })
    }

    /// Connects at the first call, and again whenever the connection is lost.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an address that can't be.
    pub(crate) fn lazy(server: &str, access: impl Into<Access>) -> Result<Client, Failure> {
        let Access { bearer, certificates } = access.into();
        let channel = InterceptedService::new(endpoint(server, &certificates)?.connect_lazy(), bearer);
        Ok(Client { server: server.to_owned(), channel })
    }

    /// A failed call.
    pub(crate) fn failure(&self, status: tonic::Status) -> Failure {
        Failure::of_call(&self.server, status)
    }

    /// Tokens.
    pub(crate) fn access(&self) -> AccessServiceClient<Line> {
        AccessServiceClient::new(self.channel.clone())
    }

    /// Who did what.
    pub(crate) fn audit(&self) -> AuditServiceClient<Line> {
        AuditServiceClient::new(self.channel.clone())
    }

    /// Commands.
    pub(crate) fn conversations(&self) -> ConversationServiceClient<Line> {
        ConversationServiceClient::new(self.channel.clone())
    }

    /// What is held about contacts, and their end.
    pub(crate) fn contacts(&self) -> ContactServiceClient<Line> {
        ContactServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Queries.
    pub(crate) fn tickets(&self) -> TicketServiceClient<Line> {
        TicketServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Agents, teams and presence.
    pub(crate) fn directory(&self) -> DirectoryServiceClient<Line> {
        DirectoryServiceClient::new(self.channel.clone())
    }

    /// Rules and what they did.
    pub(crate) fn automation(&self) -> AutomationServiceClient<Line> {
        AutomationServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES)
    }

    /// Knowledge, and answers on trial.
    pub(crate) fn bot(&self) -> BotServiceClient<Line> {
        BotServiceClient::new(self.channel.clone())
    }

    /// Who is told of events.
    pub(crate) fn webhooks(&self) -> WebhookServiceClient<Line> {
        WebhookServiceClient::new(self.channel.clone())
    }

    /// Whether it is well.
    pub(crate) fn health(&self) -> HealthClient<Line> {
        HealthClient::new(self.channel.clone())
    }

    /// What the view is worth.
    pub(crate) fn projection(&self) -> ProjectionServiceClient<Line> {
        ProjectionServiceClient::new(self.channel.clone())
    }
}

/// Why no connection came about: whether nobody is there, or it is not who it should be.
fn away(server: &str, error: &tonic::transport::Error) -> Failure {
    let mut causes = std::iter::successors(error.source(), |&error| error.source());
    match causes.find_map(|cause| Some(cause.to_string()).filter(|why| why.to_lowercase().contains("certificate"))) {
        Some(why) => Failure::Failed(format!("{server}: {why}. --ca names the authority that its certificate is of")),
        None => Failure::Away(server.to_owned()),
    }
}

fn endpoint(server: &str, certificates: &Certificates) -> Result<Endpoint, Failure> {
    let wrong = || Failure::Usage(format!("{server:?} is no address of a server: say http://HOST:PORT, or https://"));
    let address = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    let endpoint = Endpoint::from_shared(address).map_err(|_| wrong())?;
    let uri = endpoint.uri();
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    let endpoint = certificates
        .secure(endpoint)
        .map_err(|error| Failure::Usage(format!("the certificates can't be used: {error}")))?;
    // No limit on the whole call: a watch never ends. Calls that do end have their own.
    Ok(endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .keep_alive_while_idle(true))
}

/// A request that has to be answered in time.
pub(crate) fn timely<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(ANSWER);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_told_so() {
        let at = |server: &str| endpoint(server, &Certificates::default());
        for server in ["", "http://", "ftp://x", "a b"] {
            assert!(matches!(at(server), Err(Failure::Usage(_))), "{server}");
        }
        assert!(at("127.0.0.1:7070").is_ok() && at("https://x:7070").is_ok());
    }
}
