//! Whatever bytes come in, reading them neither panics nor takes what can't be kept.
//!
//! `cargo +nightly fuzz run webhook corpus seeds` in `crates/ingest/fuzz`.
#![no_main]

use ingest::limits::{MAX_SECONDS, MAX_TEXT_BYTES, is_id};
use ingest::whatsapp::{MAX_ITEMS, Update, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(items) = parse(body) else { return };
    assert!(items.len() <= MAX_ITEMS);
    for item in items {
        match item.update {
            Ok(Update::Chat(chat)) => {
                assert!(is_id(&chat.message.channel_message_id) && is_id(&chat.person.contact().id));
                assert!(item.phone_number_id.is_some_and(|id| is_id(&id)));
                assert!((0..=MAX_SECONDS).contains(&chat.seconds) && chat.message.text.len() <= MAX_TEXT_BYTES);
            }
            Ok(Update::Status(status)) => {
                assert!(is_id(&status.message_id) && is_id(&status.person.contact().id));
                assert!((0..=MAX_SECONDS).contains(&status.seconds));
            }
            Ok(Update::Other(other)) => assert!(!other.field.is_empty()),
            Err(reason) => assert!(!reason.to_string().is_empty()),
        }
    }
});
