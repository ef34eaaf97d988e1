//! What a token is good for, and for how long.

use std::time::Duration;

use prost::Message;
use proto::v1;
use proto::v1::actor::Kind;
use proto::v1::token::Role;
use service::access::{NewToken, TokenError, TokenText};
use testkit::eventually;
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{DEADLINE, World, refusal};

const TAG: &str = "/threadmark.v1.ConversationService/AddTag";
const PRESENCE: &str = "/threadmark.v1.DirectoryService/SetPresence";

fn tag(kind: Kind, id: &str, name: &str) -> v1::AddTagRequest {
    let actor = v1::Actor { kind: kind.into(), id: id.to_owned(), display_name: name.to_owned() };
    v1::AddTagRequest { workspace: "acme".to_owned(), actor: Some(actor), ..v1::AddTagRequest::default() }
}

#[tokio::test]
async fn the_actor_comes_from_the_token_of_an_agent() {
    let world = World::start().await;
    let new = NewToken {
        workspace: "acme".to_owned(),
        role: Role::Agent,
        agent_id: "ana".to_owned(),
        agent_name: "Ana".to_owned(),
        ..NewToken::default()
    };
    let (_, ana) = world.tokens.create(new).await.unwrap();
    let nobody = v1::AddTagRequest { workspace: "acme".to_owned(), ..v1::AddTagRequest::default() };
    for asked in [tag(Kind::Agent, "ben", "The boss"), tag(Kind::System, "", ""), tag(Kind::Agent, "ana", "x"), nobody]
    {
        let seen = world.with_token(TAG, &asked, &ana).await.unwrap();
        let actor = v1::AddTagRequest::decode(&seen[..]).unwrap().actor.unwrap();
        assert_eq!((actor.kind(), &actor.id[..], &actor.display_name[..]), (Kind::Agent, "ana", "Ana"));
    }
}

#[tokio::test]
async fn an_admin_acts_as_any_agent_and_as_nobody_else() {
    let world = World::start().await;
    let admin = world.token("acme", Role::Admin).await;
    let seen = world.with_token(TAG, &tag(Kind::Agent, "ben", "Ben"), &admin).await.unwrap();
    assert_eq!(v1::AddTagRequest::decode(&seen[..]).unwrap(), tag(Kind::Agent, "ben", "Ben"));
    for kind in [Kind::Bot, Kind::System, Kind::Automation, Kind::Customer, Kind::Unspecified] {
        let (code, reason) = refusal(world.with_token(TAG, &tag(kind, "x", ""), &admin).await);
        assert_eq!((code, &reason[..]), (Code::PermissionDenied, "OTHER_ACTOR"), "{kind:?}");
    }
    let service = world.token("", Role::Service).await;
    assert!(world.with_token(TAG, &tag(Kind::Bot, "helper", ""), &service).await.is_ok());
}

#[tokio::test]
async fn an_agent_says_where_that_agent_is_and_nobody_else() {
    let world = World::start().await;
    let ana = world.token("acme", Role::Agent).await;
    let of = |agent: &str| v1::SetPresenceRequest {
        workspace: "acme".to_owned(),
        agent_id: agent.to_owned(),
        ..v1::SetPresenceRequest::default()
    };
    assert_eq!(refusal(world.with_token(PRESENCE, &of("ben"), &ana).await).0, Code::PermissionDenied);
    for agent in ["ana", ""] {
        let seen = world.with_token(PRESENCE, &of(agent), &ana).await.unwrap();
        assert_eq!(v1::SetPresenceRequest::decode(&seen[..]).unwrap().agent_id, "ana");
    }
    let admin = world.token("acme", Role::Admin).await;
    assert!(world.with_token(PRESENCE, &of("ben"), &admin).await.is_ok());
}

#[tokio::test]
async fn a_rotated_token_works_beside_the_new_one_until_it_expires() {
    let world = World::start().await;
    let (old, old_text) = world.made("acme", Role::Admin).await;
    let overlap = Duration::from_secs(3_600);
    assert!(matches!(world.tokens.rotate(Some("rival"), &old.id, overlap).await, Err(TokenError::Unknown)));
    let (new, new_text) = world.tokens.rotate(Some("acme"), &old.id, overlap).await.unwrap();
    assert_eq!((new.role(), &new.name, new.expire_time), (old.role(), &old.name, None));
    assert!(world.ask("acme", &old_text).await.is_ok() && world.ask("acme", &new_text).await.is_ok());
    world.tokens.rotate(Some("acme"), &old.id, Duration::ZERO).await.unwrap();
    let expired = async || (refusal(world.ask("acme", &old_text).await).1 == "TOKEN_EXPIRED").then_some(());
    let gone = async || if world.ask("acme", &old_text).await.is_ok() { None } else { expired().await };
    eventually("the old token to expire", DEADLINE, gone).await;
    assert!(world.ask("acme", &new_text).await.is_ok());
    assert!(matches!(world.tokens.rotate(None, &old.id, overlap).await, Err(TokenError::Ended)));
}

#[tokio::test]
async fn a_new_token_works_at_once_and_a_revoked_one_no_more() {
    let world = World::start().await;
    for _ in 0..10 {
        let (token, text) = world.made("acme", Role::Reader).await;
        world.ask("acme", &text).await.unwrap();
        world.tokens.revoke(Some("acme"), &token.id).await.unwrap();
        let refused = async || world.ask("acme", &text).await.err();
        let status = eventually("the token to be refused", DEADLINE, refused).await;
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    let all = world.tokens.list(Some("acme")).await.unwrap();
    assert!(all.len() == 10 && all.iter().all(|token| token.revoke_time.is_some()));
}

#[tokio::test]
async fn a_long_answer_ends_when_its_token_is_revoked() {
    let world = World::start().await;
    let (token, text) = world.made("acme", Role::Reader).await;
    let watch = async || {
        let request = v1::WatchTicketsRequest { workspace: "acme".to_owned(), ..v1::WatchTicketsRequest::default() };
        world.with_token("/threadmark.v1.TicketService/WatchTickets", &request, &text).await
    };
    let revoke = async || {
        let open = async || (world.reached.load(std::sync::atomic::Ordering::SeqCst) == 1).then_some(());
        eventually("the watch to begin", DEADLINE, open).await;
        world.tokens.revoke(None, &token.id).await.unwrap();
    };
    let (answer, ()) = tokio::join!(watch(), revoke());
    assert_eq!(refusal(answer), (Code::Unauthenticated, "TOKEN_REVOKED".to_owned()));
}

#[tokio::test]
async fn too_many_calls_are_told_when_to_come_again() {
    let world = World::with(|config| {
        config.access.per_second = 1;
        config.access.burst = 3;
    })
    .await;
    let reader = world.token("acme", Role::Reader).await;
    let mut refused = None;
    for _ in 0..50 {
        refused = refused.or(world.ask("acme", &reader).await.err());
    }
    let status = refused.unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_error_details().retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
    // Others are not held up by it, and services by nothing.
    let (other, service) = (world.token("acme", Role::Reader).await, world.token("", Role::Service).await);
    assert!(world.ask("acme", &other).await.is_ok());
    for _ in 0..50 {
        world.ask("acme", &service).await.unwrap();
    }
}

#[tokio::test]
async fn the_bucket_holds_no_secret() {
    let world = World::start().await;
    let (token, text) = world.made("acme", Role::Admin).await;
    let secret = TokenText::parse(text.expose()).unwrap().expose();
    let secret = secret.expose().rsplit_once('_').unwrap().1.to_owned();
    let stored =
        world.bus.bucket(bus::BucketName::Access).get::<v1::StoredToken>(&token.id).await.unwrap().value.unwrap();
    assert_eq!(stored.hash.len(), 32);
    let shown = format!("{stored:?} {text:?}");
    assert!(!shown.contains(&secret));
    let raw = stored.encode_to_vec();
    assert!(!raw.windows(secret.len()).any(|part| part == secret.as_bytes()));
}

#[tokio::test]
async fn tokens_are_believed_while_the_bus_is_away_for_a_moment() {
    let mut world = World::start().await;
    let reader = world.token("acme", Role::Reader).await;
    world.ask("acme", &reader).await.unwrap();
    world.nats.kill();
    world.ask("acme", &reader).await.unwrap();
}
