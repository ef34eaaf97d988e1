//! Agents, teams and presence.

use std::time::Duration;

use proto::v1;
use proto::v1::presence::State;
use testkit::eventually;
use tonic::{Code, Status};

use crate::asks::{fields, reason};
use crate::world::{ACME, World};

fn agent(id: &str) -> v1::Agent {
    v1::Agent { id: id.to_owned(), display_name: "Somebody".to_owned(), capacity: 3, presence: None }
}

fn team(id: &str, agents: &[&str]) -> v1::Team {
    let agent_ids = agents.iter().map(|id| (*id).to_owned()).collect();
    v1::Team { id: id.to_owned(), agent_ids, ..v1::Team::default() }
}

impl World {
    async fn agent(&self, id: &str, etag: &str) -> Result<v1::UpsertAgentResponse, Status> {
        let request =
            v1::UpsertAgentRequest { workspace: ACME.to_owned(), agent: Some(agent(id)), etag: etag.to_owned() };
        self.directory.clone().upsert_agent(request).await.map(tonic::Response::into_inner)
    }

    async fn team(&self, team: v1::Team, etag: &str) -> Result<v1::UpsertTeamResponse, Status> {
        let request = v1::UpsertTeamRequest { workspace: ACME.to_owned(), team: Some(team), etag: etag.to_owned() };
        self.directory.clone().upsert_team(request).await.map(tonic::Response::into_inner)
    }

    async fn presence(&self, agent: &str, state: State, ttl: Option<u64>) -> Result<v1::Presence, Status> {
        let request = v1::SetPresenceRequest {
            workspace: ACME.to_owned(),
            agent_id: agent.to_owned(),
            state: state.into(),
            ttl: ttl.map(|seconds| proto::duration(Duration::from_secs(seconds))),
        };
        Ok(self.directory.clone().set_presence(request).await?.into_inner().presence.unwrap())
    }

    async fn agents(&self, page_size: i32, page_token: &str) -> Result<v1::ListAgentsResponse, Status> {
        let page_token = page_token.to_owned();
        let request = v1::ListAgentsRequest { workspace: ACME.to_owned(), page_size, page_token };
        self.directory.clone().list_agents(request).await.map(tonic::Response::into_inner)
    }

    async fn teams(&self) -> Vec<v1::Team> {
        let request = v1::ListTeamsRequest { workspace: ACME.to_owned(), ..Default::default() };
        self.directory.clone().list_teams(request).await.unwrap().into_inner().teams
    }

    async fn delete_agent(&self, id: &str) -> Result<(), Status> {
        let request = v1::DeleteAgentRequest { workspace: ACME.to_owned(), agent_id: id.to_owned() };
        self.directory.clone().delete_agent(request).await.map(|_| ())
    }
}

#[tokio::test]
async fn agents_are_made_replaced_listed_by_id_and_deleted() {
    let world = World::start().await;
    let long = "é".repeat(128);
    for id in ["cem", "ana", long.as_str(), "b.c d"] {
        assert_eq!(world.agent(id, "").await.unwrap().agent.unwrap().presence.unwrap().state(), State::Offline);
    }
    let mut listed = Vec::new();
    let mut token = String::new();
    loop {
        let page = world.agents(1, &token).await.unwrap();
        assert_eq!(page.agents.len(), 1);
        listed.extend(page.agents.into_iter().map(|agent| agent.id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, ["ana", "b.c d", "cem", long.as_str()]);
    let replaced = v1::Agent { capacity: 9, ..agent("ana") };
    let request = v1::UpsertAgentRequest { workspace: ACME.to_owned(), agent: Some(replaced), ..Default::default() };
    world.directory.clone().upsert_agent(request).await.unwrap();
    assert_eq!(world.agents(0, "").await.unwrap().agents[0].capacity, 9);
    world.delete_agent("ana").await.unwrap();
    assert_eq!(world.agents(0, "").await.unwrap().agents.len(), 3);
    assert_eq!(reason(&world.delete_agent("ana").await.unwrap_err()), (Code::NotFound, "AGENT_NOT_FOUND".to_owned()));
    let request = v1::ListAgentsRequest { workspace: "beta".to_owned(), ..Default::default() };
    assert!(world.directory.clone().list_agents(request).await.unwrap().into_inner().agents.is_empty());
    assert!(world.events().await.is_empty(), "the directory is no event");
}

#[tokio::test]
async fn teams_have_known_agents_alone() {
    let world = World::start().await;
    for id in ["ana", "ben"] {
        world.agent(id, "").await.unwrap();
    }
    let status = world.team(team("billing", &["ana", "x", "y"]), "").await.unwrap_err();
    assert_eq!(fields(&status), ["team.agent_ids[1]", "team.agent_ids[2]"]);
    let status = world.team(team("billing", &["ana", "", "ana"]), "").await.unwrap_err();
    assert_eq!(fields(&status), ["team.agent_ids[1]", "team.agent_ids[2]"], "no id, and one twice");
    let other = v1::Team { default_assignee: "ben".to_owned(), ..team("billing", &["ana"]) };
    assert_eq!(fields(&world.team(other, "").await.unwrap_err()), ["team.default_assignee"]);
    assert!(world.teams().await.is_empty(), "nothing half-made");
    let billing = v1::Team { default_assignee: "ben".to_owned(), ..team("billing", &["ben", "ana"]) };
    let etag = world.team(billing.clone(), "").await.unwrap().etag;
    assert_eq!(world.teams().await, [billing]);
    world.delete_agent("ben").await.unwrap();
    assert_eq!(world.teams().await, [team("billing", &["ana"])]);
    let status = world.team(team("billing", &["ana", "ben"]), &etag).await.unwrap_err();
    assert_eq!(fields(&status), ["team.agent_ids[1]"]);
    let request = v1::DeleteTeamRequest { workspace: ACME.to_owned(), team_id: "billing".to_owned() };
    world.directory.clone().delete_team(request.clone()).await.unwrap();
    let status = world.directory.clone().delete_team(request).await.unwrap_err();
    assert_eq!(reason(&status), (Code::NotFound, "TEAM_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn an_etag_replaces_only_what_it_was_given_for() {
    let world = World::start().await;
    let moved_on = (Code::Aborted, "MOVED_ON".to_owned());
    assert_eq!(reason(&world.agent("ana", "7").await.unwrap_err()), moved_on, "there is none");
    let first = world.agent("ana", "").await.unwrap().etag;
    let second = world.agent("ana", &first).await.unwrap().etag;
    assert_eq!(reason(&world.agent("ana", &first).await.unwrap_err()), moved_on);
    assert_eq!(fields(&world.agent("ana", "nonsense").await.unwrap_err()), ["etag"]);
    world.delete_agent("ana").await.unwrap();
    assert_eq!(reason(&world.agent("ana", &second).await.unwrap_err()), moved_on, "it was deleted");
    let first = world.team(team("t", &[]), "").await.unwrap().etag;
    world.team(team("t", &[]), &first).await.unwrap();
    assert_eq!(reason(&world.team(team("t", &[]), &first).await.unwrap_err()), moved_on);
}

#[tokio::test]
async fn presence_holds_until_it_lapses_or_is_set_again() {
    let world = World::start().await;
    let missing = world.presence("ana", State::Online, None).await.unwrap_err();
    assert_eq!(reason(&missing), (Code::NotFound, "AGENT_NOT_FOUND".to_owned()));
    world.agent("ana", "").await.unwrap();
    let now = async || world.agents(0, "").await.unwrap().agents[0].presence.unwrap();
    let set = world.presence("ana", State::Away, None).await.unwrap();
    assert_eq!(now().await, set);
    let online = world.presence("ana", State::Online, Some(1)).await.unwrap();
    assert!(online.expire_time.is_some() && online.since_time != set.since_time);
    let lapsed = async || Some(now().await).filter(|presence| presence.state() == State::Offline);
    let lapsed = eventually("the presence to lapse", Duration::from_secs(30), lapsed).await;
    assert_eq!((lapsed.since_time, lapsed.expire_time), (online.expire_time, None));
    world.presence("ana", State::Online, None).await.unwrap();
    world.agent("ana", "").await.unwrap();
    assert_eq!(now().await.state(), State::Online, "replacing an agent leaves presence as it is");
    world.delete_agent("ana").await.unwrap();
    world.agent("ana", "").await.unwrap();
    assert_eq!(now().await.state(), State::Offline, "made anew");
}

#[tokio::test]
async fn every_mistake_is_told_by_its_field() {
    let world = World::start().await;
    let mut grpc = world.directory.clone();
    let head = |workspace: &str| (workspace.to_owned(), "x".repeat(257));
    let (workspace, long) = head("Acme");
    let bad = v1::Agent { display_name: long.clone(), ..v1::Agent::default() };
    let request = v1::UpsertAgentRequest { workspace: workspace.clone(), agent: Some(bad), etag: "x".to_owned() };
    let status = grpc.upsert_agent(request).await.unwrap_err();
    assert_eq!(fields(&status), ["workspace", "agent.id", "agent.display_name", "etag"]);
    let request = v1::UpsertAgentRequest { workspace: ACME.to_owned(), ..Default::default() };
    assert_eq!(fields(&grpc.upsert_agent(request).await.unwrap_err()), ["agent"]);
    let request = v1::UpsertTeamRequest { workspace: ACME.to_owned(), ..Default::default() };
    assert_eq!(fields(&grpc.upsert_team(request).await.unwrap_err()), ["team"]);
    let crowd = v1::Team { agent_ids: vec!["ana".to_owned(); 1_001], ..team("t", &[]) };
    assert_eq!(fields(&world.team(crowd, "").await.unwrap_err()), ["team.agent_ids"]);
    let ttls = [(0, 1), (0, 0), (7 * 86_400, 1), (-5, 0), (i64::MAX, 0), (1, -1)];
    for (seconds, nanos) in ttls {
        let request = v1::SetPresenceRequest {
            workspace: workspace.clone(),
            agent_id: "a\nb".to_owned(),
            state: 9,
            ttl: Some(prost_types::Duration { seconds, nanos }),
        };
        let status = grpc.set_presence(request).await.unwrap_err();
        assert_eq!(fields(&status), ["workspace", "agent_id", "state", "ttl"], "{seconds} s {nanos} ns");
    }
    assert_eq!(fields(&world.agents(-1, "nonsense").await.unwrap_err()), ["page_size", "page_token"]);
    let request = v1::ListTeamsRequest { workspace: "nobody".to_owned(), ..Default::default() };
    let status = grpc.list_teams(request).await.unwrap_err();
    assert_eq!(reason(&status), (Code::NotFound, "WORKSPACE_NOT_FOUND".to_owned()));
    world.agent("a", "").await.unwrap();
    world.agent("b", "").await.unwrap();
    let token = world.agents(1, "").await.unwrap().next_page_token;
    let request = v1::ListTeamsRequest { workspace: ACME.to_owned(), page_token: token, page_size: 1 };
    assert_eq!(fields(&grpc.list_teams(request).await.unwrap_err()), ["page_token"], "of another list");
}
