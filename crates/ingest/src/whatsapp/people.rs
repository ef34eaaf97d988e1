//! Whose message it is: contacts are matched to messages by id, never by position.

use std::collections::HashMap;

use super::content::owned;
use super::json::{Raw, Text, each};
use super::wire;
use crate::item::{Person, Reject};
use crate::limits::{MAX_NAME_BYTES, clip, is_id};

/// A number and a user id, either of which may be missing.
pub(crate) type Addresses = (Option<String>, Option<String>);

/// The contacts that stand beside the messages of a change.
pub(crate) struct People {
    people: Vec<Person>,
    by_number: HashMap<String, usize>,
    by_user_id: HashMap<String, usize>,
    /// The only contact, where only one sender wrote: they are the same even if their ids differ.
    only: Option<usize>,
}

impl People {
    /// Of the contacts of a change. `senders` are the number and the user id of each message that someone wrote.
    pub(crate) fn new<'m>(
        contacts: Option<&[Raw<'_>]>,
        senders: impl Iterator<Item = (Option<&'m str>, Option<&'m str>)>,
    ) -> People {
        let people: Vec<Person> =
            each::<wire::Contact>(contacts.unwrap_or_default()).0.into_iter().map(person).collect();
        let index = |address: fn(&Person) -> Option<&String>| {
            let mut index = HashMap::with_capacity(people.iter().filter_map(address).count());
            index.extend(people.iter().enumerate().filter_map(|(at, person)| Some((address(person)?.clone(), at))));
            index
        };
        let (by_number, by_user_id) = (index(|p| p.number.as_ref()), index(|p| p.user_id.as_ref()));
        let mut people = People { people, by_number, by_user_id, only: None };
        people.only = people.only_of(senders);
        people
    }

    fn only_of<'m>(&self, mut senders: impl Iterator<Item = (Option<&'m str>, Option<&'m str>)>) -> Option<usize> {
        let first = senders.next()?;
        (self.people.len() == 1 && senders.all(|sender| sender == first)).then_some(0)
    }

    /// Who has these addresses, with what the contacts say about them.
    pub(crate) fn find(&self, (number, user_id): Addresses) -> Person {
        let by_user_id = user_id.as_ref().and_then(|id| self.by_user_id.get(id));
        let by_number = number.as_ref().and_then(|number| self.by_number.get(number));
        let known = by_user_id.or(by_number).or(self.only.as_ref()).and_then(|at| self.people.get(*at));
        let Some(known) = known else {
            return Person { number, user_id, ..Person::default() };
        };
        // A contact that stands beside the message under another number says its name, not its number.
        let known_number = if number.is_none() { known.number.clone() } else { None };
        Person {
            number: number.or(known_number),
            user_id: user_id.or_else(|| known.user_id.clone()),
            name: known.name.clone(),
            username: known.username.clone(),
        }
    }
}

/// A contact of the channel; an address that can't be kept counts as absent, the message itself says whether it
/// can go without.
fn person(contact: wire::Contact<'_>) -> Person {
    let profile = contact.profile.unwrap_or_default();
    Person {
        number: address(contact.wa_id, "wa_id").ok().flatten(),
        user_id: address(contact.user_id, "user_id").ok().flatten(),
        name: clip(&owned(profile.name), MAX_NAME_BYTES).to_owned(),
        username: clip(&owned(profile.username), MAX_NAME_BYTES).to_owned(),
    }
}

/// An address that can be kept; an empty one counts as absent.
pub(crate) fn address(text: Option<Text<'_>>, field: &'static str) -> Result<Option<String>, Reject> {
    match text {
        Some(text) if text.as_str().is_empty() => Ok(None),
        Some(text) if is_id(text.as_str()) => Ok(Some(text.0.into_owned())),
        Some(_) => Err(Reject::Id(field)),
        None => Ok(None),
    }
}
