//! Which conversation each contact of a body belongs to (W1): each distinct contact is resolved once.

use std::collections::{HashMap, HashSet};

use bus::{Added, Address, AddressKind, Bus, Keyring};
use conversation::ConversationId;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::item::Person;

/// Contacts resolved at once.
const AT_ONCE: usize = 32;

/// Where the contact's items go.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) conversation: ConversationId,
    pub(crate) keyring: Keyring,
    /// The older conversation that this one turned out to go on from.
    pub(crate) continues: Option<ConversationId>,
}

/// A contact on a channel of a workspace, and what it is to become.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seeker<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) channel: &'a str,
    /// The addresses that the item names, the strongest first.
    pub(crate) addresses: Vec<Address>,
    /// The addresses that the contact has from now on; empty if nothing changes.
    pub(crate) becomes: Vec<Address>,
}

/// The addresses of a person, the strongest first: a user id beats a number.
pub(crate) fn addresses(person: &Person) -> Vec<Address> {
    let address = |kind, value: &Option<String>| value.clone().map(|value| Address { kind, value });
    let user_id = address(AddressKind::UserId, &person.user_id);
    user_id.into_iter().chain(address(AddressKind::Number, &person.number)).collect()
}

/// The place of each seeker, in the same order.
///
/// # Errors
/// The bus is away; what was made until then is found again by the next try.
pub(crate) async fn find(bus: &Bus, seekers: &[Option<Seeker<'_>>]) -> Result<Vec<Option<Place>>, bus::Error> {
    // Nearly every contact wrote before, and nothing has to be awaited for those.
    let mut places: Vec<_> = seekers.iter().map(|seeker| known(bus, seeker.as_ref()?)).collect();
    let unknown =
        || seekers.iter().zip(&places).filter_map(|(seeker, place)| seeker.as_ref().filter(|_| place.is_none()));
    let found = look_up(bus, unknown().cloned().collect()).await?;
    for (place, seeker) in places.iter_mut().zip(seekers) {
        if let (None, Some(seeker)) = (&place, seeker) {
            *place = found.get(seeker).cloned();
        }
    }
    Ok(places)
}

fn known(bus: &Bus, seeker: &Seeker<'_>) -> Option<Place> {
    let stays = seeker.becomes.is_empty();
    let (conversation, keyring) = bus.known(seeker.workspace, seeker.channel, &seeker.addresses).filter(|_| stays)?;
    Some(Place { conversation, keyring, continues: None })
}

/// The place of each distinct seeker. Contacts that share an address are looked up one after the other, so that two
/// items of one body never make two conversations for one contact; the others side by side.
async fn look_up<'a>(bus: &Bus, seekers: Vec<Seeker<'a>>) -> Result<HashMap<Seeker<'a>, Place>, bus::Error> {
    // Boxed, since the compiler can't tell otherwise that what borrows may be sent to another thread.
    let looking: Vec<_> = groups(seekers).into_iter().map(|group| find_group(bus, group).boxed()).collect();
    let found: Vec<Vec<(Seeker, Place)>> = stream::iter(looking).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn find_group<'a>(bus: &Bus, mut group: Vec<Seeker<'a>>) -> Result<Vec<(Seeker<'a>, Place)>, bus::Error> {
    // Changes of address first: then a message from the new address finds the conversation of the old one.
    group.sort_by_key(|seeker| seeker.becomes.is_empty());
    let mut places = Vec::with_capacity(group.len());
    for seeker in group {
        let place = find_one(bus, &seeker).await?;
        places.push((seeker, place));
    }
    Ok(places)
}

async fn find_one(bus: &Bus, seeker: &Seeker<'_>) -> Result<Place, bus::Error> {
    let (workspace, channel) = (seeker.workspace, seeker.channel);
    let resolved = bus.resolve(workspace, channel, &seeker.addresses).await?;
    let (mut conversation, mut continues) = (resolved.conversation, resolved.continues);
    // W1: an address that has a conversation keeps it. The strongest says where the contact goes on, any other
    // conversation is the one that it goes on from.
    let mut settled = false;
    for address in &seeker.becomes {
        match bus.add_address(workspace, channel, &conversation, address).await? {
            Added::New | Added::Already => {}
            Added::Other(other) if settled => continues = Some(other),
            Added::Other(other) => continues = Some(std::mem::replace(&mut conversation, other)),
        }
        settled = true;
    }
    let keyring = bus.keyring(workspace, &conversation).await?;
    Ok(Place { conversation, keyring, continues })
}

/// Distinct seekers, those that share an address (directly or by others) together, in the order of coming.
fn groups(seekers: Vec<Seeker<'_>>) -> Vec<Vec<Seeker<'_>>> {
    let mut groups: Vec<Vec<Seeker>> = Vec::new();
    let mut group_of: HashMap<(&str, &str, Address), usize> = HashMap::new();
    let mut seen = HashSet::new();
    for seeker in seekers {
        if !seen.insert(seeker.clone()) {
            continue;
        }
        let key = |address: &Address| (seeker.workspace, seeker.channel, address.clone());
        let keys: Vec<_> = seeker.addresses.iter().chain(&seeker.becomes).map(key).collect();
        let mut known: Vec<usize> = keys.iter().filter_map(|key| group_of.get(key).copied()).collect();
        known.sort_unstable();
        known.dedup();
        let home = known.first().copied().unwrap_or(groups.len());
        if home == groups.len() {
            groups.push(Vec::new());
        }
        for other in known.into_iter().skip(1) {
            let moved = std::mem::take(&mut groups[other]);
            groups[home].extend(moved);
            group_of.values_mut().filter(|group| **group == other).for_each(|group| *group = home);
        }
        groups[home].push(seeker);
        group_of.extend(keys.into_iter().map(|key| (key, home)));
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeker<'a>(channel: &'a str, user_id: Option<&str>, number: Option<&str>) -> Seeker<'a> {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let person = Person { number: text(number), user_id: text(user_id), ..Person::default() };
        Seeker { workspace: "acme", channel, addresses: addresses(&person), becomes: Vec::new() }
    }

    #[test]
    fn who_shares_an_address_is_looked_up_in_one_group() {
        let all = vec![
            seeker("c", None, Some("1")),
            seeker("c", None, Some("2")),
            seeker("c", Some("u"), Some("2")),
            seeker("c", None, Some("1")),
            seeker("d", None, Some("1")),
            seeker("c", Some("u"), Some("1")),
        ];
        let sizes: Vec<usize> = groups(all).iter().map(Vec::len).collect();
        assert_eq!(sizes, [4, 1], "1, 2 and u are one contact on c; 1 on d is another");
    }

    #[test]
    fn a_user_id_is_the_stronger_address() {
        let kinds: Vec<AddressKind> = seeker("c", Some("u"), Some("1")).addresses.iter().map(|a| a.kind).collect();
        assert_eq!(kinds, [AddressKind::UserId, AddressKind::Number]);
    }
}
