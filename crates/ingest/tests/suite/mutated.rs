//! Whatever becomes of a valid body on the way, reading it never panics, and what is taken is within bounds.

use std::sync::LazyLock;

use ingest::limits::{MAX_SECONDS, MAX_TEXT_BYTES, is_id};
use ingest::whatsapp::{self, Update};
use proptest::prelude::*;
use serde_json::Value;

use crate::bodies;

static WHOLE: LazyLock<Value> = LazyLock::new(bodies::everything);
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| WHOLE.to_string().into_bytes());

/// What must hold of anything that was read.
fn check(body: &[u8]) {
    let Ok(items) = whatsapp::parse(body) else { return };
    for item in items {
        match item.update {
            Ok(Update::Chat(chat)) => {
                assert!(is_id(&chat.message.channel_message_id) && !chat.person.is_nobody());
                assert!(item.phone_number_id.is_some_and(|id| is_id(&id)));
                assert!(is_id(&chat.person.contact().id) && (0..=MAX_SECONDS).contains(&chat.seconds));
                assert!(chat.message.text.len() <= MAX_TEXT_BYTES && !chat.message.r#type.is_empty());
            }
            Ok(Update::Status(status)) => {
                assert!(is_id(&status.message_id) && !status.person.is_nobody());
                assert!((0..=MAX_SECONDS).contains(&status.seconds));
            }
            Ok(Update::Other(other)) => assert!(!other.field.is_empty() && !other.json.is_empty()),
            Err(reason) => assert!(!reason.to_string().is_empty()),
        }
    }
}

/// Every node of a value, counted depth first.
fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(nodes).sum(),
        Value::Object(map) => map.values().map(nodes).sum(),
        _ => 0,
    }
}

/// Puts `new` in the place of the `at`th node.
fn replace(value: &mut Value, at: &mut usize, new: &Value) {
    if *at == 0 {
        *value = new.clone();
    }
    let Some(next) = at.checked_sub(1) else { return *at = usize::MAX };
    *at = next;
    let children: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(map) => map.values_mut().collect(),
        _ => return,
    };
    for child in children {
        if *at == usize::MAX {
            return;
        }
        replace(child, at, new);
    }
}

fn other_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(Value::from("x".repeat(MAX_TEXT_BYTES + 1))),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
        Just(serde_json::json!([null, {"id": 1}])),
    ]
}

#[test]
fn the_fuzzers_seeds_are_webhooks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut seeds = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let body = std::fs::read(file.unwrap().path()).unwrap();
        assert!(whatsapp::parse(&body).is_ok_and(|items| !items.is_empty()));
        check(&body);
        seeds += 1;
    }
    assert!(seeds >= 6);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: u32::try_from(testkit::count("mutated-bodies", 500, 50_000)).unwrap(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut body = BYTES.clone();
        for (at, with) in flips {
            let at = at.index(body.len());
            body[at] ^= with;
        }
        check(&body);
    }

    #[test]
    fn truncated(at in any::<prop::sample::Index>(), tail in prop::collection::vec(any::<u8>(), 0..8)) {
        let mut body = BYTES.clone();
        body.truncate(at.index(body.len()));
        body.extend(tail);
        check(&body);
    }

    #[test]
    fn swapped_nodes(swaps in prop::collection::vec((any::<prop::sample::Index>(), other_value()), 1..4)) {
        let mut body = WHOLE.clone();
        for (at, new) in swaps {
            let mut at = at.index(nodes(&body));
            replace(&mut body, &mut at, &new);
        }
        check(body.to_string().as_bytes());
    }

    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..256)) {
        check(&body);
    }
}
