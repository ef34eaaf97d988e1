//! Who may call what: one table, and the fields of the contract's requests that the doors look at.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost::Message as _;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};
use proto::v1::token::Role;

const PACKAGE: &str = "threadmark.v1";

/// The least role that each method takes. What stands in no row is refused.
const TABLE: &[(&str, Role, &[&str])] = &[
    ("AccessService", Role::Reader, &["WhoAmI"]),
    ("AccessService", Role::Admin, &["CreateToken", "ListTokens", "RevokeToken", "RotateToken"]),
    // Who did what in all conversations.
    ("AuditService", Role::Admin, &["ReadActs"]),
    ("AutomationService", Role::Reader, &["ListRules", "ListRuns"]),
    ("AutomationService", Role::Agent, &["BacktestRules", "RunRule"]),
    ("AutomationService", Role::Admin, &["ApplyRules", "DeleteRule"]),
    ("BotService", Role::Reader, &["ListKnowledge"]),
    // It may cost tokens of a model.
    ("BotService", Role::Agent, &["Answer"]),
    ("BotService", Role::Admin, &["DeleteKnowledge", "ImportKnowledge", "Shadow"]),
    ("ConversationService", Role::Reader, &["GetMedia"]),
    (
        "ConversationService",
        Role::Agent,
        &[
            "AddNote",
            "AddTag",
            "AssignConversation",
            "CloseTicket",
            "MarkRead",
            "OpenTicket",
            "PauseBot",
            "RemoveTag",
            "ResumeBot",
            "SendMessage",
            "UnassignConversation",
            "UploadMedia",
        ],
    ),
    // Whoever hands in messages says who the customer is.
    ("ConversationService", Role::Service, &["ReceiveMessage"]),
    ("DirectoryService", Role::Reader, &["ListAgents", "ListTeams"]),
    ("DirectoryService", Role::Agent, &["SetPresence"]),
    ("DirectoryService", Role::Admin, &["DeleteAgent", "DeleteTeam", "UpsertAgent", "UpsertTeam"]),
    // Of no workspace: for operators.
    ("ProjectionService", Role::Service, &["GetProjectionStatus", "VerifyProjection"]),
    (
        "TicketService",
        Role::Reader,
        &[
            "CountConversations",
            "CountTickets",
            "GetConversation",
            "GetTicket",
            "GetTicketStats",
            "ListConversations",
            "ListTickets",
            "ListTimeline",
            "WatchTickets",
            "WatchTimeline",
        ],
    ),
    // Everything about a person, and its end.
    ("ContactService", Role::Admin, &["EraseContact", "ExportContact"]),
    // Their URLs may hold secrets.
    (
        "WebhookService",
        Role::Admin,
        &[
            "CreateWebhook",
            "DeleteWebhook",
            "ListWebhookDeliveries",
            "ListWebhooks",
            "ReplayWebhook",
            "TestWebhook",
            "UpdateWebhook",
        ],
    ),
];

/// Methods without a workspace that a token of one may call: they answer of the token itself.
const OF_THE_TOKEN: &str = "/threadmark.v1.AccessService/WhoAmI";
/// Where `agent_id` says who acts, and not whom it is done to.
const OF_THE_AGENT: &str = "/threadmark.v1.DirectoryService/SetPresence";

/// What the doors have to know of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// The least role.
    pub(super) role: Role,
    pub(super) scope: Scope,
    /// The field that says who acts.
    pub(super) actor: Option<u32>,
    /// The field that names the agent who acts.
    pub(super) agent: Option<u32>,
    /// Whether its answer may go on for long.
    pub(super) streams: bool,
}

/// What a method reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The workspace that this field names.
    Workspace(u32),
    /// Nothing but the token.
    Token,
    /// All workspaces.
    Everything,
}

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(methods);

/// The method of a path such as `/threadmark.v1.TicketService/GetTicket`.
pub(super) fn method(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// Joins the table with the contract. Should the contract not be readable, nothing may be called.
fn methods() -> HashMap<String, Method> {
    let files = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap_or_default().file;
    let ours = || files.iter().filter(|file| file.package() == PACKAGE);
    let messages: HashMap<String, &DescriptorProto> = ours()
        .flat_map(|file| &file.message_type)
        .map(|message| (format!(".{PACKAGE}.{}", message.name()), message))
        .collect();
    let mut methods = HashMap::new();
    for service in ours().flat_map(|file| &file.service) {
        for method in &service.method {
            let path = format!("/{PACKAGE}.{}/{}", service.name(), method.name());
            let Some(request) = messages.get(method.input_type()) else { continue };
            let Some(role) = role(service.name(), method.name()) else { continue };
            // Only one request is looked at.
            if method.client_streaming() {
                continue;
            }
            let scope = match field(request, "workspace", Type::String) {
                Some(number) => Scope::Workspace(number),
                None if path == OF_THE_TOKEN => Scope::Token,
                None => Scope::Everything,
            };
            let agent = (path == OF_THE_AGENT).then(|| field(request, "agent_id", Type::String)).flatten();
            let actor = field(request, "actor", Type::Message);
            methods.insert(path, Method { role, scope, actor, agent, streams: method.server_streaming() });
        }
    }
    methods
}

fn role(service: &str, method: &str) -> Option<Role> {
    let row = TABLE.iter().find(|(of, _, methods)| *of == service && methods.contains(&method));
    row.map(|(_, role, _)| *role)
}

/// The number of a field that is no list and no alternative.
fn field(message: &DescriptorProto, name: &str, kind: Type) -> Option<u32> {
    let field = message.field.iter().find(|field| field.name() == name && field.r#type() == kind)?;
    let is_plain = field.oneof_index.is_none() && field.label() != prost_types::field_descriptor_proto::Label::Repeated;
    is_plain.then(|| field.number().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn contract() -> Vec<(String, prost_types::MethodDescriptorProto, DescriptorProto)> {
        let files = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap().file;
        let ours: Vec<_> = files.iter().filter(|file| file.package() == PACKAGE).collect();
        let messages: Vec<_> = ours.iter().flat_map(|file| &file.message_type).collect();
        let services = ours.iter().flat_map(|file| &file.service);
        let methods = services.flat_map(|service| {
            service
                .method
                .iter()
                .map(move |method| (format!("/{PACKAGE}.{}/{}", service.name(), method.name()), method))
        });
        let of = |kind: &str| messages.iter().find(|m| kind == format!(".{PACKAGE}.{}", m.name())).unwrap();
        methods.map(|(path, method)| (path, method.clone(), (**of(method.input_type())).clone())).collect()
    }

    #[test]
    fn every_method_has_one_row_and_every_row_a_method() {
        let contract: BTreeSet<String> = contract().into_iter().map(|(path, ..)| path).collect();
        let rows: Vec<String> = TABLE
            .iter()
            .flat_map(|(service, _, methods)| methods.iter().map(move |m| format!("/{PACKAGE}.{service}/{m}")))
            .collect();
        let table: BTreeSet<String> = rows.iter().cloned().collect();
        assert_eq!(rows.len(), table.len(), "a method stands in two rows");
        assert_eq!(contract, table, "say in methods::TABLE who may call it");
        assert!(contract.iter().all(|path| method(path).is_some()));
        assert!(contract.len() > 40);
    }

    #[test]
    fn the_workspace_and_the_actor_of_every_request_are_found() {
        let mut without = BTreeSet::new();
        for (path, descriptor, request) in contract() {
            let method = method(&path).unwrap();
            let has = |name: &str| request.field.iter().any(|field| field.name() == name);
            assert!(!descriptor.client_streaming(), "{path}: only the first request would be looked at");
            assert_eq!(has("workspace"), matches!(method.scope, Scope::Workspace(_)), "{path}");
            assert_eq!(has("actor"), method.actor.is_some(), "{path}");
            if !has("workspace") {
                without.insert(path.rsplit('/').next().unwrap().to_owned());
            }
            let acts =
                path.contains("ConversationService") && method.role == Role::Agent && !path.ends_with("UploadMedia");
            assert!(!acts || has("actor"), "{path}: who acts?");
        }
        let known = ["GetProjectionStatus", "VerifyProjection", "WhoAmI"].map(str::to_owned);
        assert_eq!(without, BTreeSet::from(known), "a request of no workspace is for services alone");
        assert_eq!(method(OF_THE_AGENT).unwrap().agent, Some(2));
    }
}
