//! Requests that are no message: text that is not UTF-8, bytes that break off.

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::Response;

use crate::status::invalid;

/// How the answer to such a request begins, as the code that was generated for it gives it.
const PREFIX: &str = "failed to decode Protobuf message: ";

/// Turns the answer to a request that could not be decoded, which by the book of gRPC is INTERNAL, into what it is
/// for a client: INVALID_ARGUMENT, by the path of the field.
pub(crate) fn explain(response: Response<Body>) -> Response<Body> {
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    match status.message().strip_prefix(PREFIX) {
        Some(told) if status.code() == tonic::Code::Internal => {
            let (path, problem) = path(told);
            invalid(&path, problem).into_http()
        }
        _ => response,
    }
}

/// From `Actor.id: SendMessageRequest.actor: problem` to `actor.id` and the problem: the innermost field stands first.
/// Alternatives of a `oneof` go by its name.
fn path(told: &str) -> (String, &str) {
    let (mut fields, mut rest) = (Vec::new(), told);
    while let Some((step, after)) = rest.split_once(": ")
        && let Some(field) = field(step)
    {
        fields.push(field);
        rest = after;
    }
    fields.reverse();
    (fields.join("."), rest)
}

/// The field in `Message.field`, whose name may be a word of Rust's: `r#type`.
fn field(step: &str) -> Option<&str> {
    let (message, field) = step.split_once('.')?;
    let field = field.strip_prefix("r#").unwrap_or(field);
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name(message) && is_name(field)).then_some(field)
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::{explain, path};

    #[test]
    fn the_path_leads_from_the_outermost_field() {
        let text = "invalid string value: data is not UTF-8 encoded";
        let told = |steps: &str| path(&format!("{steps}{text}")).0;
        assert_eq!(told("GetTicketRequest.workspace: "), "workspace");
        assert_eq!(told("Media.id: OutboundMedia.media: SendMessageRequest.content: "), "content.media.id");
        assert_eq!(told("OutboundMedia.r#type: SendMessageRequest.content: "), "content.type");
        assert_eq!(told(""), "");
        assert_eq!(path("A.b: unexpected end group tag").1, "unexpected end group tag");
    }

    #[test]
    fn only_what_could_not_be_decoded_is_explained() {
        let answer = |status: Status| Status::from_header_map(explain(status.into_http()).headers()).unwrap();
        let told = answer(Status::internal("failed to decode Protobuf message: GetTicketRequest.ticket_id: bad"));
        assert_eq!(told.code(), Code::InvalidArgument);
        assert_eq!(told.get_error_details().bad_request().unwrap().field_violations[0].field, "ticket_id");
        assert_eq!(answer(Status::internal("the store is broken")).code(), Code::Internal);
        assert_eq!(answer(Status::not_found("failed to decode Protobuf message: ")).code(), Code::NotFound);
    }
}
