//! Any method, called with any bytes.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::deployment::DEADLINE;

/// How long a watch may say nothing before it counts as an empty answer.
const SILENCE: Duration = Duration::from_millis(500);

/// The services on the path of a chat. What the directory and the rules refuse is tested in the crates that answer.
const SERVICES: [&str; 3] = ["ConversationService", "TicketService", "ProjectionService"];

/// Every method of the contract, in the order of the files.
pub(super) fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
    let services = pool.services().filter(|service| SERVICES.contains(&service.name()));
    let methods: Vec<MethodDescriptor> = services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    assert!(methods.iter().all(|method| method.full_name().starts_with("threadmark.v1.")));
    methods
}

/// Calls a method. Returns the first answer, or none of a stream that says nothing.
pub(super) async fn call(
    channel: &Channel,
    method: &MethodDescriptor,
    request: Bytes,
) -> Result<Option<DynamicMessage>, Status> {
    let patience = if method.name().starts_with("Watch") { SILENCE } else { DEADLINE };
    call_within(channel, method, request, patience).await
}

/// The same, waiting for an answer for so long.
pub(super) async fn call_within(
    channel: &Channel,
    method: &MethodDescriptor,
    request: Bytes,
    patience: Duration,
) -> Result<Option<DynamicMessage>, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let asked = client.server_streaming(Request::new(request), path.parse().unwrap(), Plain);
    let answered = async {
        let mut answers = asked.await?.into_inner();
        answers.message().await
    };
    let Ok(answer) = tokio::time::timeout(patience, answered).await else { return Ok(None) };
    Ok(answer?.map(|answer| DynamicMessage::decode(method.output(), answer).unwrap()))
}

/// Bytes as they are.
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Plain;
    type Decoder = Plain;

    fn encoder(&mut self) -> Plain {
        Plain
    }

    fn decoder(&mut self) -> Plain {
        Plain
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}
