use std::pin::Pin;
use std::sync::{Arc, Mutex};

use proto::v1;
use proto::v1::ticket_service_server::{TicketService, TicketServiceServer};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status};

type Stream<T> = Pin<Box<dyn tokio_stream::Stream<Item = Result<T, Status>> + Send>>;
type Answer<T> = Result<Response<T>, Status>;

/// A TicketService that answers by what it is asked for.
#[derive(Clone, Default)]
pub(crate) struct StandIn {
    /// Where each watch began: revision and index.
    pub(crate) watches: Arc<Mutex<Vec<(i64, u32)>>>,
}

impl StandIn {
    /// Starts one; returns it and its address.
    pub(crate) async fn start() -> (StandIn, String) {
        let stand_in = StandIn::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = TicketServiceServer::new(stand_in.clone());
        let incoming = TcpListenerStream::new(listener);
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        (stand_in, address)
    }
}

/// An entry of the chat that is watched.
fn entry(revision: i64) -> v1::TimelineEntry {
    let message = v1::Message {
        direction: v1::Direction::Inbound.into(),
        r#type: "text".to_owned(),
        text: format!("message {revision}"),
        ..v1::Message::default()
    };
    v1::TimelineEntry {
        revision,
        change_revision: revision,
        time: Some(prost_types::Timestamp { seconds: 1_700_000_000 + revision, nanos: 0 }),
        entry: Some(v1::timeline_entry::Entry::Message(message)),
        ..v1::TimelineEntry::default()
    }
}

#[tonic::async_trait]
impl TicketService for StandIn {
    async fn get_ticket(&self, request: Request<v1::GetTicketRequest>) -> Answer<v1::Ticket> {
        let request = request.into_inner();
        match request.ticket_id.as_str() {
            "there" => Ok(Response::new(v1::Ticket {
                id: request.ticket_id,
                workspace: request.workspace,
                topic: "refund".to_owned(),
                state: v1::ticket::State::Open.into(),
                open_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
                ..v1::Ticket::default()
            })),
            "refused" => Err(service::status::refused(Code::FailedPrecondition, "TICKET_NOT_OPEN", "", "not open")),
            "wrong" => Err(service::status::invalid("ticket_id", "is wrong")),
            "bus" => Err(service::status::refused(Code::Unavailable, "BUS_AWAY", "", "the bus is away")),
            id => Err(service::status::not_found("ticket", id)),
        }
    }

    async fn list_tickets(&self, _: Request<v1::ListTicketsRequest>) -> Answer<v1::ListTicketsResponse> {
        let ticket = |id: i32| v1::Ticket { id: id.to_string(), ..v1::Ticket::default() };
        Ok(Response::new(v1::ListTicketsResponse { tickets: (0..10_000).map(ticket).collect(), ..Default::default() }))
    }

    async fn count_tickets(&self, request: Request<v1::CountTicketsRequest>) -> Answer<v1::CountTicketsResponse> {
        let request = request.into_inner();
        let group = |topic: &str, primary_count, nested_count| v1::count_tickets_response::Group {
            topic: topic.to_owned(),
            primary_count,
            nested_count,
            ..Default::default()
        };
        let grouped = !request.group_by.is_empty();
        Ok(Response::new(v1::CountTicketsResponse {
            primary_count: 12,
            nested_count: 3,
            groups: if grouped { vec![group("refund", 9, 3), group("", 3, 0)] } else { Vec::new() },
        }))
    }

    async fn get_ticket_stats(&self, _: Request<v1::GetTicketStatsRequest>) -> Answer<v1::GetTicketStatsResponse> {
        Err(Status::unimplemented(""))
    }

    type WatchTicketsStream = Stream<v1::WatchTicketsResponse>;

    async fn watch_tickets(&self, _: Request<v1::WatchTicketsRequest>) -> Answer<Self::WatchTicketsStream> {
        Err(Status::unimplemented(""))
    }

    async fn get_conversation(&self, _: Request<v1::GetConversationRequest>) -> Answer<v1::Conversation> {
        Err(Status::unimplemented(""))
    }

    async fn list_conversations(
        &self,
        _: Request<v1::ListConversationsRequest>,
    ) -> Answer<v1::ListConversationsResponse> {
        let conversation = |id: &str, name: &str| v1::Conversation {
            id: id.to_owned(),
            contact: Some(v1::Contact { display_name: name.to_owned(), ..v1::Contact::default() }),
            ..v1::Conversation::default()
        };
        let conversations = vec![conversation("c1", "Maya"), conversation("c2", "Ben"), conversation("c3", "Ben")];
        Ok(Response::new(v1::ListConversationsResponse { conversations, ..Default::default() }))
    }

    async fn count_conversations(
        &self,
        _: Request<v1::CountConversationsRequest>,
    ) -> Answer<v1::CountConversationsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn list_timeline(&self, request: Request<v1::ListTimelineRequest>) -> Answer<v1::ListTimelineResponse> {
        let entries = if request.into_inner().conversation_id == "c1" { vec![entry(2), entry(1)] } else { Vec::new() };
        Ok(Response::new(v1::ListTimelineResponse { entries, ..Default::default() }))
    }

    type WatchTimelineStream = Stream<v1::WatchTimelineResponse>;

    /// Tells the next two entries, a heartbeat, and is cut off.
    async fn watch_timeline(&self, request: Request<v1::WatchTimelineRequest>) -> Answer<Self::WatchTimelineStream> {
        use v1::watch_timeline_response::Event;
        let request = request.into_inner();
        self.watches.lock().unwrap().push((request.after_revision, request.after_index));
        let told = |revision: i64, event| v1::WatchTimelineResponse { event: Some(event), revision, index: 0 };
        let after = request.after_revision;
        let news = [
            Ok(told(after + 1, Event::Entry(entry(after + 1)))),
            Ok(told(after + 2, Event::Entry(entry(after + 2)))),
            Ok(told(after + 5, Event::Heartbeat(v1::Heartbeat::default()))),
            Err(Status::unavailable("cut off")),
        ];
        Ok(Response::new(Box::pin(tokio_stream::iter(news))))
    }
}
