//! Who did what, told by a real log through real doors.

use std::path::Path;

use bus::{Bus, Proposal, TraceParent};
use conversation::{
    Action, Actor, ActorKind, Assignee, Command, CommandKey, ConversationId, IfOpen, Settings, Time, Which,
};
use projection::{Engine, Options, Projection, QueryOptions};
use prost::Message as _;
use proto::v1;
use proto::v1::audit_service_client::AuditServiceClient;
use proto::v1::event::Event as Kind;
use proto::v1::token::Role;
use service::access::{Bearer, NewToken, TokenBook, Tokens};
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use testkit::NatsServer;
use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use v1::actor::Kind as ActedAs;
use v1::deed::Kind as Deed;

use crate::traffic::{WORKSPACE, connect};
use crate::view::LONG;

const SECRET_WORDS: &str = "my card is 4111";

type Client = AuditServiceClient<InterceptedService<Channel, Bearer>>;

struct World {
    _nats: NatsServer,
    bus: Bus,
    tokens: Tokens,
    channel: Channel,
    supervisor: Supervisor,
    commands: u64,
}

impl World {
    async fn start(dir: &Path) -> World {
        let nats = NatsServer::start().await;
        let bus = connect(&nats.url()).await;
        let queries = QueryOptions { heartbeat: std::time::Duration::from_millis(200), ..options() };
        let options = Options { dir: dir.to_owned(), engine: Engine::Sled, cache_bytes: 16 << 20, queries };
        let projection = Projection::open(bus.clone(), options).await.unwrap();
        let supervisor = Supervisor::new(Shutdown::new());
        let book = TokenBook::read(bus.clone(), &Config::load(None).unwrap().access).await.unwrap();
        book.follow(&supervisor);
        let mut grpc = Grpc::bind("127.0.0.1:0".parse().unwrap(), Doors::kept(book)).await.unwrap();
        grpc.add(projection.audit_service(supervisor.shutdown())).await;
        let channel = Channel::from_shared(format!("http://{}", grpc.address().unwrap())).unwrap().connect_lazy();
        supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
        World { tokens: Tokens::of(&bus), _nats: nats, bus, channel, supervisor, commands: 0 }
    }

    async fn client(&self, workspace: &str, role: Role) -> Client {
        let agent_id = if role == Role::Agent { "ana".to_owned() } else { String::new() };
        let new = NewToken { workspace: workspace.to_owned(), role, agent_id, ..NewToken::default() };
        let (_, secret) = self.tokens.create(new).await.unwrap();
        AuditServiceClient::with_interceptor(self.channel.clone(), Bearer::of(&secret, "the test").unwrap())
    }

    async fn decide(&mut self, workspace: &str, chat: &str, actor: Actor, actions: Vec<Action>) -> u64 {
        self.commands += 1;
        let key = CommandKey { command: self.commands, digest: self.commands, causation: 0 };
        let proposal = Proposal {
            workspace: workspace.to_owned(),
            conversation: ConversationId::parse(chat).unwrap(),
            channel: "web:shop".to_owned(),
            command: Command { actor, actions, key, expected_revision: None },
            settings: Settings::default(),
            causation_id: format!("command-{}", self.commands),
            correlation_id: String::new(),
            depth: 0,
            trace: trace(),
        };
        self.bus.decide(&proposal).await.unwrap().revision
    }

    async fn fact(&self, id: &str, actor: ActedAs, kind: Kind) -> u64 {
        let now = Some(proto::timestamp(bus::now()));
        let event = v1::Event {
            id: id.to_owned(),
            workspace: WORKSPACE.to_owned(),
            conversation: "chat1".to_owned(),
            actor: Some(v1::Actor { kind: actor.into(), id: "someone".to_owned(), ..v1::Actor::default() }),
            occur_time: now,
            record_time: now,
            event: Some(kind),
            ..v1::Event::default()
        };
        self.bus.publish_facts([event], &trace()).await.remove(0).unwrap()
    }
}

fn options() -> QueryOptions {
    QueryOptions::new([WORKSPACE.to_owned(), "globex".to_owned()])
}

fn trace() -> TraceParent {
    TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap()
}

fn ana() -> Actor {
    Actor { display_name: "Ana".to_owned(), ..Actor::new(ActorKind::Agent, "ana") }
}

fn of(workspace: &str) -> v1::ReadActsRequest {
    v1::ReadActsRequest { workspace: workspace.to_owned(), ..v1::ReadActsRequest::default() }
}

async fn read(client: &mut Client, request: v1::ReadActsRequest) -> Vec<v1::Act> {
    let mut stream = client.read_acts(request).await.unwrap().into_inner();
    let mut acts = Vec::new();
    while let Some(answer) = tokio::time::timeout(LONG, stream.message()).await.expect("it hangs").unwrap() {
        acts.extend(answer.act);
    }
    acts
}

fn revisions(acts: &[v1::Act]) -> Vec<u64> {
    acts.iter().map(|act| act.revision.unsigned_abs()).collect()
}

fn kinds(act: &v1::Act) -> Vec<Deed> {
    act.deeds.iter().map(v1::Deed::kind).collect()
}

fn sealed() -> Vec<u8> {
    SECRET_WORDS.as_bytes().to_vec()
}

#[tokio::test]
async fn every_kind_of_act_is_told_as_it_was_done_and_no_word_of_what_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(dir.path()).await;
    let mut client = world.client(WORKSPACE, Role::Admin).await;
    assert!(read(&mut client, of(WORKSPACE)).await.is_empty());

    let billing = Assignee::Team("billing".to_owned());
    let open = |topic: &str, if_open| Action::OpenTicket { topic: topic.to_owned(), assignee: None, if_open };
    let bot = Actor::new(ActorKind::Bot, "helper");
    let message = || Action::SendMessage { kind: "text".to_owned(), sealed: sealed() };
    let handoff =
        vec![open("refund", IfOpen::Nest), Action::Assign(billing), Action::AddNote { sealed: sealed() }, message()];
    let first = world.decide(WORKSPACE, "chat1", bot, handoff).await;
    let nested = world.decide(WORKSPACE, "chat1", ana(), vec![open("", IfOpen::Nest)]).await;
    let tags = vec![Action::AddTag("vip".to_owned()), Action::AddTag("late".to_owned())];
    let tagged = world.decide(WORKSPACE, "chat1", Actor::new(ActorKind::Automation, "tagger"), tags).await;
    let untagged = world.decide(WORKSPACE, "chat1", ana(), vec![Action::RemoveTag("vip".to_owned())]).await;
    let paused = world.decide(WORKSPACE, "chat1", Actor::new(ActorKind::System, ""), vec![Action::PauseBot]).await;
    let resumed = world.decide(WORKSPACE, "chat1", ana(), vec![Action::ResumeBot]).await;
    let closed = world.decide(WORKSPACE, "chat1", ana(), vec![Action::CloseTicket(Which::All)]).await;

    let (bytes, outbound) = (bytes::Bytes::from(sealed()), v1::Direction::Outbound.into());
    let customers = [
        Kind::MessageReceived(v1::MessageReceived { sealed: bytes.clone(), ..Default::default() }),
        Kind::ReactionChanged(v1::ReactionChanged { direction: v1::Direction::Inbound.into(), ..Default::default() }),
        Kind::MessageEdited(v1::MessageEdited { direction: v1::Direction::Inbound.into(), ..Default::default() }),
        Kind::MessageRevoked(v1::MessageRevoked { direction: v1::Direction::Inbound.into(), ..Default::default() }),
        Kind::MessageBackfilled(v1::MessageBackfilled { direction: outbound, ..Default::default() }),
        Kind::MessageStatusChanged(v1::MessageStatusChanged::default()),
        Kind::ContactChanged(v1::ContactChanged::default()),
        Kind::MessagesRead(v1::MessagesRead::default()),
    ];
    for (nth, kind) in customers.into_iter().enumerate() {
        world.fact(&format!("no-act-{nth}"), ActedAs::Customer, kind).await;
    }
    let echo = v1::MessageEchoed { r#type: "image".to_owned(), sealed: bytes.clone() };
    let ours = [
        (Kind::MessageEchoed(echo), Deed::MessageSent),
        (
            Kind::ReactionChanged(v1::ReactionChanged {
                direction: outbound,
                sealed: bytes.clone(),
                ..Default::default()
            }),
            Deed::Reacted,
        ),
        (
            Kind::MessageEdited(v1::MessageEdited { direction: outbound, sealed: bytes.clone(), ..Default::default() }),
            Deed::MessageEdited,
        ),
        (
            Kind::MessageRevoked(v1::MessageRevoked { direction: outbound, sealed: bytes, ..Default::default() }),
            Deed::MessageRevoked,
        ),
        (Kind::ContactErased(v1::ContactErased {}), Deed::ContactErased),
    ];
    let mut expected = vec![first, nested, tagged, untagged, paused, resumed, closed];
    let mut fact_kinds = Vec::new();
    for (nth, (kind, deed)) in ours.into_iter().enumerate() {
        expected.push(world.fact(&format!("act-{nth}"), ActedAs::Agent, kind).await);
        fact_kinds.push(deed);
    }

    let acts = read(&mut client, of(WORKSPACE)).await;
    assert_eq!(revisions(&acts), expected);
    let dids: Vec<Vec<Deed>> = acts.iter().map(kinds).collect();
    let decided = [
        vec![Deed::TicketOpened, Deed::Assigned, Deed::NoteAdded, Deed::MessageSent],
        vec![Deed::TicketOpened],
        vec![Deed::TagAdded, Deed::TagAdded],
        vec![Deed::TagRemoved],
        vec![Deed::BotPaused],
        vec![Deed::BotResumed],
        vec![Deed::TicketClosed, Deed::TicketClosed, Deed::Unassigned],
    ];
    assert_eq!(dids[..7], decided);
    assert_eq!(dids[7..].concat(), fact_kinds);

    let handoff = &acts[0];
    let opened = &handoff.deeds[0];
    assert_eq!((handoff.actor.as_ref().unwrap().kind(), opened.topic.as_str()), (ActedAs::Bot, "refund"));
    assert_eq!(handoff.deeds[1].assignee.as_ref().unwrap().team_id, "billing");
    assert_eq!(handoff.deeds[3].message_type, "text");
    assert!(!handoff.deeds[3].message_id.is_empty());
    assert_eq!(acts[1].deeds[0].primary_id, opened.ticket_id);
    assert_eq!(acts[6].deeds.iter().filter(|deed| deed.ticket_id == opened.ticket_id).count(), 1);
    assert_eq!(acts[2].deeds.iter().map(|deed| deed.tag.as_str()).collect::<Vec<_>>(), ["late", "vip"]);
    assert_eq!(acts[1].actor.as_ref().unwrap().display_name, "Ana");
    assert_eq!((handoff.conversation_id.as_str(), handoff.channel.as_str()), ("chat1", "web:shop"));
    assert_eq!(handoff.causation_id, "command-1");
    assert!(acts.iter().all(|act| act.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736" && act.time.is_some()));
    for act in &acts {
        let told = act.encode_to_vec();
        let said = told.windows(SECRET_WORDS.len()).any(|part| part == SECRET_WORDS.as_bytes());
        assert!(!said, "words in {act:?}");
    }
    world.supervisor.shutdown().begin();
    assert!(world.supervisor.finish().await);
}

#[tokio::test]
async fn acts_are_filtered_and_followed() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(dir.path()).await;
    let mut client = world.client(WORKSPACE, Role::Admin).await;
    let tag = |name: &str| vec![Action::AddTag(name.to_owned())];
    let bot = || Actor::new(ActorKind::Bot, "helper");
    let one = world.decide(WORKSPACE, "chat1", ana(), tag("a")).await;
    let two = world.decide(WORKSPACE, "chat2", bot(), tag("b")).await;
    world.decide("globex", "chat1", ana(), tag("c")).await;
    let between = proto::timestamp(bus::now());
    let three = world.decide(WORKSPACE, "chat1", ana(), vec![Action::PauseBot]).await;
    let four = world.decide(WORKSPACE, "chat1", Actor::new(ActorKind::Agent, "ben"), tag("d")).await;

    let acme = || of(WORKSPACE);
    let tagged = vec![Deed::TagAdded.into(), Deed::TicketOpened.into()];
    let cases = [
        ("all", acme(), vec![one, two, three, four]),
        ("kind", v1::ReadActsRequest { actor_kind: ActedAs::Agent.into(), ..acme() }, vec![one, three, four]),
        ("actor", v1::ReadActsRequest { actor_id: "ana".to_owned(), ..acme() }, vec![one, three]),
        ("chat", v1::ReadActsRequest { conversation_id: "chat2".to_owned(), ..acme() }, vec![two]),
        ("deeds", v1::ReadActsRequest { kinds: tagged, ..acme() }, vec![one, two, four]),
        ("since", v1::ReadActsRequest { start_time: Some(between), ..acme() }, vec![three, four]),
        ("until", v1::ReadActsRequest { end_time: Some(between), ..acme() }, vec![one, two]),
        ("after", v1::ReadActsRequest { after_revision: three.cast_signed(), ..acme() }, vec![four]),
        (
            "since and after",
            v1::ReadActsRequest { start_time: Some(between), after_revision: three.cast_signed(), ..acme() },
            vec![four],
        ),
    ];
    for (name, request, expected) in cases {
        assert_eq!(revisions(&read(&mut client, request).await), expected, "{name}");
    }

    // From here on: what happened before is not told, and nothing of another workspace.
    for by_time in [false, true] {
        let start = by_time.then(|| proto::timestamp(bus::now()));
        let after = if !by_time { world.bus.events_info().await.unwrap().state.last_sequence } else { 0 };
        let request =
            v1::ReadActsRequest { follow: true, start_time: start, after_revision: after.cast_signed(), ..acme() };
        let mut stream = client.read_acts(request).await.unwrap().into_inner();
        let quiet = tokio::time::timeout(LONG, stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(quiet.act, None, "a heartbeat");
        world.decide("globex", "chat1", ana(), vec![Action::PauseBot]).await;
        world.decide("globex", "chat1", ana(), vec![Action::ResumeBot]).await;
        let tag = format!("new {by_time}");
        let new = world.decide(WORKSPACE, "chat3", ana(), vec![Action::AddTag(tag)]).await;
        let told = loop {
            let answer = tokio::time::timeout(LONG, stream.message()).await.expect("it hangs").unwrap().unwrap();
            if let Some(act) = answer.act {
                break act;
            }
        };
        assert_eq!((told.revision.unsigned_abs(), told.deeds[0].kind()), (new, Deed::TagAdded));
    }

    for (field, bad) in [
        ("follow", v1::ReadActsRequest { follow: true, end_time: Some(between), ..acme() }),
        ("after_revision", v1::ReadActsRequest { after_revision: -1, ..acme() }),
        ("actor_kind", v1::ReadActsRequest { actor_kind: 99, ..acme() }),
        ("kinds", v1::ReadActsRequest { kinds: vec![0], ..acme() }),
        ("conversation_id", v1::ReadActsRequest { conversation_id: "a.b > *".to_owned(), ..acme() }),
        (
            "end_time",
            v1::ReadActsRequest { start_time: Some(between), end_time: Some(proto::timestamp(Time(0))), ..acme() },
        ),
    ] {
        let refused = client.read_acts(bad).await.unwrap_err();
        assert!(refused.code() == Code::InvalidArgument && refused.message().contains(field), "{field}: {refused}");
    }
}

#[tokio::test]
async fn an_audit_is_for_admins_of_that_workspace() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(dir.path()).await;
    world.decide(WORKSPACE, "chat1", ana(), vec![Action::PauseBot]).await;
    for role in [Role::Reader, Role::Agent] {
        let refused = world.client(WORKSPACE, role).await.read_acts(of(WORKSPACE)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role:?}");
    }
    let mut other = world.client("globex", Role::Admin).await;
    assert_eq!(other.read_acts(of(WORKSPACE)).await.unwrap_err().code(), Code::PermissionDenied);
    assert!(read(&mut other, of("globex")).await.is_empty());
    let mut own = world.client(WORKSPACE, Role::Admin).await;
    assert_eq!(read(&mut own, of(WORKSPACE)).await.len(), 1);
}
