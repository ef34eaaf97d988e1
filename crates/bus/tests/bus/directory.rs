use std::time::Duration;

use bus::{Bus, Directory, DirectoryChange, Error, Roster, Unknown, now};
use proto::v1::presence::State;
use proto::v1::{Agent, Team};
use testkit::eventually;
use tokio::sync::watch;

use crate::common::{bus, connect};

const LONG: Duration = Duration::from_secs(60);

fn agent(id: &str) -> Agent {
    Agent { id: id.to_owned(), capacity: 3, ..Agent::default() }
}

fn team(id: &str, agents: &[&str]) -> Team {
    Team { id: id.to_owned(), agent_ids: agents.iter().map(|id| (*id).to_owned()).collect(), ..Team::default() }
}

async fn with_agents(bus: &Bus, ids: &[&str]) -> Roster {
    let roster = bus.roster();
    for id in ids {
        roster.upsert_agent("acme", agent(id), None).await.unwrap();
    }
    roster
}

fn follow(bus: &Bus) -> (Directory, watch::Sender<bool>) {
    let (stop, stopping) = watch::channel(false);
    let directory = Directory::new(bus.clone());
    let following = directory.clone();
    tokio::spawn(async move { following.follow(stopping).await });
    (directory, stop)
}

async fn team_of(roster: &Roster, id: &str) -> Option<Vec<String>> {
    roster.staff("acme").await.unwrap().team(id).map(|team| team.agent_ids)
}

#[tokio::test]
async fn a_team_takes_known_agents_alone_and_loses_those_who_are_deleted() {
    let (_server, bus) = bus().await;
    let odd = "ana <ana@shop.example> é";
    let roster = with_agents(&bus, &[odd, "ben"]).await;
    let unknown = roster.upsert_team("acme", team("t", &["ben", "x", odd, "y"]), None).await.unwrap();
    assert_eq!(unknown, Err(Unknown(vec![1, 3])));
    for name in ["a", "b"] {
        roster.upsert_team("acme", team(name, &["ben", odd]), None).await.unwrap().unwrap();
    }
    assert!(roster.delete_agent("acme", odd).await.unwrap());
    assert!(!roster.delete_agent("acme", odd).await.unwrap());
    assert_eq!(team_of(&roster, "a").await.unwrap(), ["ben"]);
    roster.upsert_agent("acme", agent(odd), None).await.unwrap();
    assert_eq!(team_of(&roster, "b").await.unwrap(), ["ben"], "made anew, in no team");
    assert!(roster.staff("beta").await.unwrap().agents().next().is_none(), "of another workspace");
}

#[tokio::test]
async fn an_etag_is_of_what_it_was_given_for() {
    let (_server, bus) = bus().await;
    let roster = bus.roster();
    assert!(matches!(roster.upsert_agent("acme", agent("ana"), Some(7)).await, Err(Error::Conflict)));
    let first = roster.upsert_agent("acme", agent("ana"), None).await.unwrap();
    let second = roster.upsert_agent("acme", agent("ana"), Some(first)).await.unwrap();
    assert!(matches!(roster.upsert_agent("acme", agent("ana"), Some(first)).await, Err(Error::Conflict)));
    assert!(second > first);
}

/// However a team's writing and an agent's deleting fall together, no team ever has an agent who is not there, and one
/// who is made anew is in none that was written before.
#[tokio::test]
async fn deleting_an_agent_while_teams_are_written_leaves_no_trace_of_it() {
    let (server, bus) = bus().await;
    let other = connect(&server.url()).await;
    for round in 0..testkit::count("directory-rounds", 20, 200) {
        let roster = with_agents(&bus, &["ana", "ben"]).await;
        let (writer, names) = (other.roster(), (0..6).map(|n| format!("t{n}-{round}")).collect::<Vec<_>>());
        let writing = async {
            for name in &names {
                let _ = writer.upsert_team("acme", team(name, &["ana", "ben"]), None).await.unwrap();
            }
        };
        let (deleted, ()) = tokio::join!(roster.delete_agent("acme", "ana"), writing);
        assert!(deleted.unwrap());
        roster.upsert_agent("acme", agent("ana"), None).await.unwrap();
        let staff = roster.staff("acme").await.unwrap();
        for name in names.iter().filter_map(|name| staff.team(name)) {
            assert_eq!(name.agent_ids, ["ben"]);
        }
    }
}

#[tokio::test]
async fn the_view_follows_what_is_written_and_tells_who_comes_and_goes() {
    let (mut server, bus) = bus().await;
    let (directory, _stop) = follow(&bus);
    directory.ready().await;
    let mut changes = directory.changes();
    let roster = with_agents(&bus, &["ana", "ben"]).await;
    roster.upsert_team("acme", team("t", &["ben", "ana"]), None).await.unwrap().unwrap();
    let known = async || directory.with("acme", |staff| staff.members("t").map(|ids| ids.len())).filter(|n| *n == 2);
    eventually("the team", LONG, known).await;
    let set =
        async |agent: &str, state, ttl| roster.set_presence("acme", agent, state, ttl, now()).await.unwrap().unwrap().0;
    let since = set("ana", State::Online, None).await.since_time;
    assert_eq!(set("ana", State::Online, None).await.since_time, since, "a heartbeat");
    set("ben", State::Online, Some(Duration::from_secs(1))).await;
    assert_eq!(next_presence(&mut changes).await, ("ana".to_owned(), true));
    assert_eq!(next_presence(&mut changes).await, ("ben".to_owned(), true));
    assert_eq!(next_presence(&mut changes).await, ("ben".to_owned(), false), "it lapses");
    server.kill();
    server.restart().await;
    let away = async || roster.set_presence("acme", "ana", State::Away, None, now()).await.ok();
    eventually("the server", LONG, away).await;
    assert_eq!(next_presence(&mut changes).await, ("ana".to_owned(), false));
    set("ana", State::Online, None).await;
    assert_eq!(next_presence(&mut changes).await, ("ana".to_owned(), true));
    roster.delete_agent("acme", "ana").await.unwrap();
    assert_eq!(next_presence(&mut changes).await, ("ana".to_owned(), false), "deleted");
    assert_eq!(directory.with("acme", |staff| staff.members("t").unwrap().len()), 1);
}

/// Who came or went next, and whether they came. The same may be told twice after a break.
async fn next_presence(changes: &mut bus::Changes) -> (String, bool) {
    let next = async {
        loop {
            match changes.next().await {
                DirectoryChange::Online { agent, .. } => break (agent, true),
                DirectoryChange::Offline { agent, .. } => break (agent, false),
                _ => {}
            }
        }
    };
    tokio::time::timeout(LONG, next).await.expect("somebody comes or goes")
}
