//! What the doors read in a request, and write into it.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use proto::v1;

/// Before each message of gRPC: whether it is compressed, and its length.
const HEADER: usize = 5;

/// The one message of a body; `None` when it is compressed, breaks off, or more follows.
pub(super) fn message(body: &Bytes) -> Option<Bytes> {
    let (header, rest) = body.split_at_checked(HEADER)?;
    let length = u32::from_be_bytes(header[1..].try_into().ok()?);
    let whole = header[0] == 0 && usize::try_from(length).is_ok_and(|length| length == rest.len());
    whole.then(|| body.slice(HEADER..))
}

/// The body that a message goes in.
pub(super) fn body(message: &[u8]) -> Bytes {
    let mut body = BytesMut::with_capacity(HEADER + message.len());
    body.put_u8(0);
    // Bodies are bounded far below 4 GiB.
    body.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    body.put_slice(message);
    body.freeze()
}

/// Everything that stands under a field, in order; `None` for what is no message. It is read as prost reads it, and a
/// field that is given twice is returned twice: whoever decodes it takes one of them, or joins them.
pub(super) fn occurrences(message: &Bytes, number: u32) -> Option<Vec<Bytes>> {
    let mut rest = message.clone();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (tag, wire_type) = decode_key(&mut rest).ok()?;
        if tag == number && wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            if length > rest.len() {
                return None;
            }
            found.push(rest.split_to(length));
        } else if tag == number {
            return None;
        } else {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default()).ok()?;
        }
    }
    Some(found)
}

/// The actor that a request names, as prost joins what is given of it.
pub(super) fn actor(message: &Bytes, number: u32) -> Option<v1::Actor> {
    let mut actor = v1::Actor::default();
    for part in occurrences(message, number)? {
        actor.merge(part).ok()?;
    }
    Some(actor)
}

/// A message with a field put behind everything else, where it overrides what stands before.
pub(super) fn with(message: &Bytes, number: u32, field: &[u8]) -> Bytes {
    let mut longer = BytesMut::with_capacity(message.len() + field.len() + 2 * HEADER);
    longer.put_slice(message);
    prost::encoding::encode_key(number, WireType::LengthDelimited, &mut longer);
    prost::encoding::encode_varint(field.len() as u64, &mut longer);
    longer.put_slice(field);
    longer.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_behind_overrides_all_of_what_stood_before() {
        let actor = |kind: v1::actor::Kind, id: &str| v1::Actor {
            kind: kind.into(),
            id: id.to_owned(),
            display_name: format!("The {id}"),
        };
        let asked = v1::AddTagRequest {
            workspace: "acme".to_owned(),
            actor: Some(actor(v1::actor::Kind::System, "root")),
            tag: "vip".to_owned(),
            ..v1::AddTagRequest::default()
        };
        let ana = actor(v1::actor::Kind::Agent, "ana");
        let changed = with(&asked.encode_to_vec().into(), 3, &ana.encode_to_vec());
        let changed = v1::AddTagRequest::decode(changed).unwrap();
        assert_eq!(changed, v1::AddTagRequest { actor: Some(ana), ..asked });
    }

    #[test]
    fn a_field_given_twice_is_seen_twice() {
        let twice = [&[0x0a, 1, b'a'][..], &[0x10, 7], &[0x0a, 1, b'b']].concat();
        assert_eq!(occurrences(&twice.into(), 1).unwrap(), ["a", "b"]);
        for broken in [&[0x0a, 9, b'a'][..], &[0x08, 1], &[0xff], &[0x0b]] {
            assert_eq!(occurrences(&Bytes::copy_from_slice(broken), 1), None, "{broken:?}");
        }
    }

    #[test]
    fn a_body_holds_one_message() {
        let one = body(b"abc");
        assert_eq!(message(&one).unwrap(), "abc");
        let two = Bytes::from([&one[..], &one[..]].concat());
        let compressed = Bytes::from([&[1], &one[1..]].concat());
        for bad in [two, compressed, one.slice(..4), one.slice(..7), Bytes::new()] {
            assert_eq!(message(&bad), None, "{bad:?}");
        }
    }
}
