//! What is decoded for the fold is the event, but for the parts that are left out.

use std::collections::BTreeSet;

use prost::Message as _;
use proto::v1;
use proto::v1::event::Event as Kind;

use super::super::decode;
use super::random::history;

#[test]
fn events_are_decoded_but_for_causes_and_states() {
    let mut kinds = BTreeSet::new();
    for (_, mut event) in (0..8).flat_map(|seed| history(seed, 400).events) {
        event.causation_id = "a cause".to_owned();
        event.correlation_id = "the first cause".to_owned();
        event.depth = 3;
        let decoded = decode(event.encode_to_vec().into()).unwrap();
        kinds.insert(proto::event_name(event.event.as_ref().unwrap()));
        if let Some(Kind::Decided(decided)) = &mut event.event {
            (decided.after, decided.closed) = (None, Vec::new());
        }
        let expected = v1::Event { causation_id: String::new(), correlation_id: String::new(), depth: 0, ..event };
        assert_eq!(decoded, expected);
    }
    assert_eq!(kinds.len(), 10, "every kind was among them: {kinds:?}");
}
