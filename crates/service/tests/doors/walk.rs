//! Every method of the contract, with whatever should not get in.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prost::Message;
use proto::v1;
use proto::v1::token::Role;
use service::access::NewToken;
use tonic::Code;

use crate::world::{World, contract, refusal};

/// A request of any method that begins with its workspace, as all do.
fn of_workspace(name: &str) -> Vec<u8> {
    v1::ListTokensRequest { workspace: name.to_owned() }.encode_to_vec()
}

#[tokio::test]
async fn without_a_token_that_holds_nothing_is_reached() {
    let world = World::start().await;
    let (revoked, revoked_text) = world.made("acme", Role::Admin).await;
    world.tokens.revoke(None, &revoked.id).await.unwrap();
    let new = NewToken { role: Role::Service, ttl: Some(Duration::ZERO), ..NewToken::default() };
    let (_, expired) = world.tokens.create(new).await.unwrap();
    let good = world.token("acme", Role::Admin).await;
    let stranger = service::access::TokenText::draw().expose();
    // The id of one, and the secret of another.
    let id = good.expose().rsplit_once('_').unwrap().0;
    let mixed = format!("Bearer {id}_{}", stranger.expose().rsplit_once('_').unwrap().1);
    let bearer = |token: &service::Secret| format!("Bearer {}", token.expose());
    let cases = [
        (None, "TOKEN_MISSING"),
        (Some("".to_owned()), "TOKEN_MALFORMED"),
        (Some("Bearer".to_owned()), "TOKEN_MALFORMED"),
        (Some("Bearer tm_1_2".to_owned()), "TOKEN_MALFORMED"),
        (Some(good.expose().to_owned()), "TOKEN_MALFORMED"),
        (Some(format!("Basic {}", good.expose())), "TOKEN_MALFORMED"),
        (Some(bearer(&stranger)), "TOKEN_UNKNOWN"),
        (Some(mixed), "TOKEN_UNKNOWN"),
        (Some(bearer(&expired)), "TOKEN_EXPIRED"),
        (Some(bearer(&revoked_text)), "TOKEN_REVOKED"),
    ];
    for (path, _) in contract() {
        for (sent, reason) in &cases {
            let answer = world.call(&path, of_workspace("acme"), sent.as_deref()).await;
            let (code, told) = refusal(answer);
            // Strangers are looked up so many times a second, and are as unknown after that.
            assert_eq!((code, told.as_str()), (Code::Unauthenticated, *reason), "{path} with {reason}");
        }
    }
    assert_eq!(world.reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_token_of_one_workspace_reaches_nothing_of_another() {
    let world = World::start().await;
    let mut tried = 0;
    for role in [Role::Reader, Role::Agent, Role::Admin, Role::Service] {
        let token = format!("Bearer {}", world.token("acme", role).await.expose());
        for (path, fields) in contract().into_iter().filter(|(path, _)| !path.ends_with("WhoAmI")) {
            let asked = if fields.contains(&"workspace".to_owned()) {
                let both = |first: &str, last: &str| [of_workspace(first), of_workspace(last)].concat();
                vec![of_workspace("rival"), of_workspace(""), Vec::new(), both("rival", "acme"), both("acme", "rival")]
            } else {
                vec![Vec::new()]
            };
            for message in asked {
                let (code, _) = refusal(world.call(&path, message, Some(&token)).await);
                assert_eq!(code, Code::PermissionDenied, "{path} as {role:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
    assert_eq!(world.reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn each_role_reaches_what_the_table_gives_it_and_no_more() {
    let world = World::start().await;
    let mut reached = BTreeMap::new();
    for role in [Role::Reader, Role::Agent, Role::Admin, Role::Service] {
        let token = format!("Bearer {}", world.token("acme", role).await.expose());
        for (path, fields) in contract().into_iter().filter(|(path, _)| !path.ends_with("WatchTickets")) {
            let mut message = if fields.contains(&"workspace".to_owned()) { of_workspace("acme") } else { Vec::new() };
            if fields.contains(&"actor".to_owned()) {
                // An actor that anybody may be: field 3, and 4 in RunRuleRequest.
                let actor =
                    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: "ana".to_owned(), ..Default::default() };
                let number = if path.ends_with("RunRule") { 4_u8 } else { 3 };
                let actor = actor.encode_to_vec();
                message.extend([number << 3 | 2, u8::try_from(actor.len()).unwrap()]);
                message.extend(actor);
            }
            match world.call(&path, message, Some(&token)).await {
                Ok(_) => *reached.entry(role.as_str_name()).or_insert(0) += 1,
                Err(status) => assert_eq!(status.code(), Code::PermissionDenied, "{path} as {role:?}: {status}"),
            }
        }
    }
    // Of 55 methods that end: queries; what an agent does; settings; what is of all workspaces is for none of them.
    let all = contract().len() - 1;
    assert_eq!(reached["SERVICE"], all - 2, "{reached:?}");
    assert_eq!(reached["ADMIN"], all - 3, "{reached:?}");
    assert!(reached["READER"] < reached["AGENT"] && reached["AGENT"] < reached["ADMIN"], "{reached:?}");
}

#[tokio::test]
async fn what_the_table_does_not_name_is_refused_and_health_is_open() {
    let world = World::start().await;
    let token = format!("Bearer {}", world.token("", Role::Service).await.expose());
    let path = "/threadmark.v1.TicketService/DropEverything";
    assert_eq!(refusal(world.call(path, Vec::new(), Some(&token)).await).0, Code::PermissionDenied);
    assert_eq!(refusal(world.call(path, Vec::new(), None).await).0, Code::Unauthenticated);
    assert!(world.call("/grpc.health.v1.Health/Check", Vec::new(), None).await.is_ok());
}
