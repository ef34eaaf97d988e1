//! The webhooks of Messenger, read: bytes in, items out.
//!
//! Architecture Invariant: this module is pure. It knows no bus, no clock and no configuration.

mod event;
mod message;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::item::{BodyError, Item, Other, Reject, Update};
use crate::limits::{MAX_ITEM_BYTES, MAX_ITEMS, is_id};

/// A piece of the body as it came.
type Raw<'a> = &'a RawValue;

#[derive(Deserialize)]
struct Envelope<'a> {
    object: Option<String>,
    #[serde(borrow)]
    entry: Option<Vec<Raw<'a>>>,
}

/// What one page has to tell.
#[derive(Deserialize)]
struct Entry<'a> {
    id: Option<String>,
    #[serde(borrow)]
    messaging: Option<Vec<Raw<'a>>>,
}

/// Every item of a webhook's body, in order. What can't be read becomes a rejected item and spoils no other.
///
/// # Errors
/// The body is no webhook at all, so that there is nothing to take apart.
pub fn parse(body: &[u8]) -> Result<Vec<Item<'_>>, BodyError> {
    let body = std::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)?;
    let whole: Raw<'_> = serde_json::from_str(body).map_err(|error| BodyError::NotJson(error.to_string()))?;
    let envelope: Envelope<'_> =
        serde_json::from_str(whole.get()).map_err(|_| BodyError::NotAWebhook("not an object with a list `entry`"))?;
    if envelope.object.as_deref() != Some("page") {
        return Err(BodyError::NotAWebhook("`object` is not \"page\""));
    }
    let mut items = Vec::new();
    for raw in envelope.entry.ok_or(BodyError::NotAWebhook("no array `entry`"))? {
        read_entry(raw, &mut items);
        if items.len() > MAX_ITEMS {
            return Err(BodyError::TooManyItems);
        }
    }
    Ok(items)
}

fn read_entry<'a>(raw: Raw<'a>, items: &mut Vec<Item<'a>>) {
    let push = |items: &mut Vec<Item<'a>>, page: Option<&String>, raw: Raw<'a>, update| {
        items.push(Item { phone_number_id: page.cloned(), raw: raw.get(), update });
    };
    let Ok(entry) = serde_json::from_str::<Entry<'a>>(raw.get()) else {
        return push(items, None, raw, Err(Reject::Shape("entry is not as documented")));
    };
    let page = entry.id.as_ref().filter(|id| is_id(id));
    let Some(messaging) = entry.messaging else {
        // Changes of the page, or what another app is talking about: no chat of ours.
        let other = Other { field: "page".to_owned(), time: String::new(), json: raw.get().to_owned() };
        return push(items, page, raw, Ok(Update::Other(Box::new(other))));
    };
    for raw in messaging {
        let too_large = raw.get().len() > MAX_ITEM_BYTES;
        match page {
            None => push(items, None, raw, Err(Reject::NoNumber)),
            Some(_) if too_large => push(items, page, raw, Err(Reject::TooLarge)),
            Some(id) => match event::read(raw.get(), id) {
                Ok(updates) => updates.into_iter().for_each(|update| push(items, page, raw, Ok(update))),
                Err(reject) => push(items, page, raw, Err(reject)),
            },
        }
    }
}
