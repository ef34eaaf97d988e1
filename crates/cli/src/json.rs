//! Messages of the wire as JSON: the field names of `proto/`, RFC 3339 times, numbers as numbers.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use crate::failure::Failure;

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).ok());

/// A message as one line of JSON. Fields without a value are there with their default; messages that are not set and
/// choices that were not taken are not.
///
/// # Errors
/// [`Failure::Failed`] when `name` is no message of `threadmark.v1`, or not this one.
pub(crate) fn line(name: &str, message: &impl Message) -> Result<String, Failure> {
    let failed = |why: String| Failure::Failed(format!("can't write a {name} as JSON: {why}"));
    let descriptor = POOL.as_ref().and_then(|pool| pool.get_message_by_name(&format!("threadmark.v1.{name}")));
    let descriptor = descriptor.ok_or_else(|| failed("it is not in the contract".to_owned()))?;
    let bytes = message.encode_to_vec();
    let message = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(|error| failed(error.to_string()))?;
    let options =
        SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false).stringify_64_bit_integers(false);
    let mut line = serde_json::Serializer::new(Vec::new());
    message.serialize_with_options(&mut line, &options).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(line.into_inner()).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proto::v1;

    use super::line;

    #[test]
    fn names_are_those_of_the_contract_and_times_are_rfc_3339() {
        let ticket = v1::Ticket {
            id: "c-1".into(),
            state: v1::ticket::State::Open.into(),
            open_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 500_000_000 }),
            open_revision: 9_007_199_254_740_991,
            metrics: Some(v1::TicketMetrics {
                first_response: Some(prost_types::Duration { seconds: 90, nanos: 0 }),
                ..v1::TicketMetrics::default()
            }),
            ..v1::Ticket::default()
        };
        let json: serde_json::Value = serde_json::from_str(&line("Ticket", &ticket).unwrap()).unwrap();
        assert_eq!(json["state"], "OPEN");
        assert_eq!(json["open_time"], "2023-11-14T22:13:20.500Z");
        assert_eq!(json["open_revision"], 9_007_199_254_740_991_i64);
        assert_eq!(json["metrics"]["first_response"], "90s");
        assert_eq!(json["primary_id"], "");
        assert!(json.get("close_time").is_none());
    }

    #[test]
    fn every_answer_that_commands_print_is_in_the_contract() {
        for name in [
            "Conversation",
            "Ticket",
            "TimelineEntry",
            "CountTicketsResponse",
            "GetTicketStatsResponse",
            "VerifyProjectionResponse.Verdict",
        ] {
            assert!(super::line(name, &v1::Ticket::default()).is_ok(), "{name}");
        }
        assert!(super::line("Nothing", &v1::Ticket::default()).is_err());
    }
}
