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
    pub(crate) async fn connect(server: &str, bearer: Bearer) -> Result<Client, Failure> {
        let channel = endpoint(server)?.connect().await.map_err(|_| Failure::Away(server.to_owned()))?;
        Ok(Client { server: server.to_owned(), channel: InterceptedService::new(channel, bearer) })
    }

    /// Connects at the first call, and again whenever the connection is lost.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an address that can't be.
    pub(crate) fn lazy(server: &str, bearer: Bearer) -> Result<Client, Failure> {
        let channel = InterceptedService::new(endpoint(server)?.connect_lazy(), bearer);
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

fn endpoint(server: &str) -> Result<Endpoint, Failure> {
    let wrong = || Failure::Usage(format!("{server:?} is no address of a server: say http://HOST:PORT"));
    let address = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    let endpoint = Endpoint::from_shared(address).map_err(|_| wrong())?;
    let uri = endpoint.uri();
    if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
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
        for server in ["", "http://", "ftp://x", "a b", "https://x"] {
            assert!(matches!(endpoint(server), Err(Failure::Usage(_))), "{server}");
        }
        assert!(endpoint("127.0.0.1:7070").is_ok() && endpoint("http://[::1]:7070").is_ok());
    }
}
