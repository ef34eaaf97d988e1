use std::collections::BTreeSet;

use bus::{Added, Address, AddressKind, Bus, Resolved};
use futures::future::join_all;

use crate::common::{bus, connect};

fn number(value: &str) -> Address {
    Address { kind: AddressKind::Number, value: value.to_owned() }
}

fn user(value: &str) -> Address {
    Address { kind: AddressKind::UserId, value: value.to_owned() }
}

async fn resolve(bus: &Bus, addresses: &[Address]) -> Resolved {
    bus.resolve("acme", "whatsapp:1", addresses).await.unwrap()
}

#[tokio::test]
async fn w1_a_contact_has_one_conversation_however_many_ask_at_once() {
    let (server, bus) = bus().await;
    let others = [connect(&server.url()).await, connect(&server.url()).await, bus.clone()];
    let asked = join_all((0..60).map(|n| {
        let bus = &others[n % 3];
        async move {
            match n % 4 {
                0 => resolve(bus, &[number("491")]).await,
                _ => resolve(bus, &[user("CC.1"), number("491")]).await,
            }
        }
    }));
    let found: BTreeSet<_> = asked.await.into_iter().map(|resolved| resolved.conversation).collect();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn w1_a_user_id_seen_later_joins_the_conversation_of_the_number_and_beats_it() {
    let (_server, bus) = bus().await;
    let by_number = resolve(&bus, &[number("491")]).await;
    assert_eq!(resolve(&bus, &[user("CC.1"), number("491")]).await, by_number);
    assert_eq!(resolve(&bus, &[user("CC.1")]).await, by_number);
    // The same user with a new number.
    assert_eq!(resolve(&bus, &[user("CC.1"), number("492")]).await, by_number);
    assert_eq!(resolve(&bus, &[number("492")]).await, by_number);
}

#[tokio::test]
async fn w1_two_addresses_with_conversations_of_their_own_stay_two_and_are_linked() {
    let (_server, bus) = bus().await;
    let (old, new) = (resolve(&bus, &[number("491")]).await, resolve(&bus, &[user("CC.1")]).await);
    assert_ne!(old, new);
    let both = resolve(&bus, &[user("CC.1"), number("491")]).await;
    assert_eq!(both.conversation, new.conversation, "the user id beats the number");
    assert_eq!(both.continues, Some(old.conversation.clone()));
    let added = bus.add_address("acme", "whatsapp:1", &old.conversation, &user("CC.1")).await.unwrap();
    assert_eq!(added, Added::Other(new.conversation));
    let added = bus.add_address("acme", "whatsapp:1", &old.conversation, &number("493")).await.unwrap();
    assert_eq!(added, Added::New);
}

#[tokio::test]
async fn channels_and_workspaces_are_apart() {
    let (_server, bus) = bus().await;
    let here = resolve(&bus, &[number("491")]).await.conversation;
    let channel = bus.resolve("acme", "whatsapp:2", &[number("491")]).await.unwrap().conversation;
    let workspace = bus.resolve("other", "whatsapp:1", &[number("491")]).await.unwrap().conversation;
    assert_eq!(BTreeSet::from([&here, &channel, &workspace]).len(), 3);
    assert!(bus.conversation("acme", here.as_str()).await.unwrap().is_some());
    assert!(bus.conversation("other", here.as_str()).await.unwrap().is_none(), "unknown in the other workspace");
    assert!(bus.conversation("acme", "c0").await.unwrap().is_none());
    assert!(bus.conversation("acme", "*.>").await.unwrap().is_none(), "no subject to be smuggled in");
}

#[tokio::test]
async fn what_one_process_seals_another_opens() {
    let (server, bus) = bus().await;
    let conversation = resolve(&bus, &[number("491")]).await.conversation;
    let note = proto::v1::SealedNote { text: "hush".to_owned() };
    let sealed = bus.keyring("acme", &conversation).await.unwrap().seal(&note);
    let other = connect(&server.url()).await;
    let keyring = other.conversation("acme", conversation.as_str()).await.unwrap().unwrap();
    assert_eq!(keyring.open::<proto::v1::SealedNote>(&sealed).unwrap(), note);
    let (here, there) = (bus.workspace("acme").await.unwrap(), other.workspace("acme").await.unwrap());
    assert_eq!(here.message_ref("whatsapp:1", "wamid.1"), there.message_ref("whatsapp:1", "wamid.1"));
    let elsewhere = other.workspace("other").await.unwrap();
    assert_ne!(here.message_ref("whatsapp:1", "wamid.1"), elsewhere.message_ref("whatsapp:1", "wamid.1"));
}
