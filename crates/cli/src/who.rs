//! Actors and assignees as people type them.

use proto::v1;

/// `agent:ana`, `team:billing`, or `ana@billing` for an agent of a team.
///
/// # Errors
/// What it could have been instead.
pub(crate) fn assignee(text: &str) -> Result<v1::Assignee, String> {
    let (agent_id, team_id) = match text.split_once(':') {
        Some(("agent", agent)) => (agent, ""),
        Some(("team", team)) => ("", team),
        Some((kind, _)) => return Err(format!("{kind:?} is no kind of assignee: say agent:ID, team:ID or AGENT@TEAM")),
        None => match text.rsplit_once('@') {
            Some((agent, team)) if !agent.is_empty() && !team.is_empty() => (agent, team),
            _ => return Err(format!("say agent:{text} or team:{text}, or AGENT@TEAM")),
        },
    };
    if agent_id.is_empty() && team_id.is_empty() {
        return Err("the id is missing: say agent:ID, team:ID or AGENT@TEAM".to_owned());
    }
    Ok(v1::Assignee { agent_id: agent_id.to_owned(), team_id: team_id.to_owned() })
}

/// `agent:ana`, `bot:helper` or `rule:refunds`.
///
/// # Errors
/// What it could have been instead.
pub(crate) fn actor(text: &str) -> Result<v1::Actor, String> {
    let forms = "say agent:ID, bot:ID or rule:ID";
    let (kind, id) = text.split_once(':').ok_or_else(|| forms.to_owned())?;
    let kind = match kind {
        "agent" => v1::actor::Kind::Agent,
        "bot" => v1::actor::Kind::Bot,
        "rule" => v1::actor::Kind::Automation,
        other => return Err(format!("{other:?} is no kind of actor that can act here: {forms}")),
    };
    if id.is_empty() {
        return Err(format!("the id is missing: {forms}"));
    }
    Ok(v1::Actor { kind: kind.into(), id: id.to_owned(), display_name: String::new() })
}

/// Who acts on a conversation, and under which conditions.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Who acts")]
pub(crate) struct Acting {
    /// The agent who acts [default: $USER, else "cli"]
    #[arg(long, value_name = "ID", env = "THREADMARK_AGENT")]
    agent: Option<String>,
    /// The name that stamps show
    #[arg(long, value_name = "NAME", env = "THREADMARK_AGENT_NAME")]
    agent_name: Option<String>,
    /// Act as agent:ID, bot:ID or rule:ID instead
    #[arg(long, value_name = "KIND:ID", value_parser = actor)]
    actor: Option<v1::Actor>,
    /// Decide once, however often this is repeated
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(crate) command_id: String,
    /// Refuse when a later decision than this exists
    #[arg(long, value_name = "REVISION")]
    pub(crate) expected_revision: Option<i64>,
}

impl Acting {
    /// The actor of a request.
    pub(crate) fn actor(&self) -> v1::Actor {
        let agent = || v1::Actor { kind: v1::actor::Kind::Agent.into(), id: self.agent_id(), ..v1::Actor::default() };
        let actor = self.actor.clone().unwrap_or_else(agent);
        v1::Actor { display_name: self.agent_name.clone().unwrap_or_default(), ..actor }
    }

    fn agent_id(&self) -> String {
        me(self.agent.as_deref())
    }
}

/// The agent who sits here: the one named, else the user, else "cli".
pub(crate) fn me(named: Option<&str>) -> String {
    let user = || std::env::var("USER").ok().filter(|user| !user.is_empty());
    named.map(str::to_owned).or_else(user).unwrap_or_else(|| "cli".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignees() {
        let cases = [
            ("agent:ana", Ok(("ana", ""))),
            ("team:billing", Ok(("", "billing"))),
            ("ana@billing", Ok(("ana", "billing"))),
            ("agent:ana@shop.example", Ok(("ana@shop.example", ""))),
            ("ana@shop.example@billing", Ok(("ana@shop.example", "billing"))),
            ("ana", Err("agent:ana")),
            ("agent:", Err("id is missing")),
            ("@billing", Err("AGENT@TEAM")),
            ("robot:x", Err("robot")),
        ];
        for (text, expect) in cases {
            match (assignee(text), expect) {
                (Ok(found), Ok((agent, team))) => {
                    assert_eq!((found.agent_id.as_str(), found.team_id.as_str()), (agent, team), "{text}");
                }
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn actors() {
        assert_eq!(actor("bot:helper").unwrap().kind(), v1::actor::Kind::Bot);
        assert_eq!(actor("rule:a:b").unwrap().id, "a:b");
        for text in ["ana", "customer:x", "agent:"] {
            assert!(actor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn who_acts_is_the_actor_named_else_the_agent() {
        let acting = Acting { agent: Some("ana".into()), agent_name: Some("Ana".into()), ..Acting::default() };
        let ana = acting.actor();
        assert_eq!((ana.kind(), ana.id.as_str(), ana.display_name.as_str()), (v1::actor::Kind::Agent, "ana", "Ana"));
        let bot = Acting { actor: Some(actor("bot:helper").unwrap()), ..acting }.actor();
        assert_eq!((bot.kind(), bot.id.as_str()), (v1::actor::Kind::Bot, "helper"));
    }
}
