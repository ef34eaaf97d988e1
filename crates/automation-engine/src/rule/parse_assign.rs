use super::parse::optional;
use super::read::{Map, Reader};
use super::yaml::{Node, Yaml};
use super::{Assign, Fallback, Strategy, StrategyName, nearest};

pub(super) const ASSIGN_KEYS: &[&str] = &["agent", "team", "strategy", "only_online", "capacity", "fallback"];

/// Whom to assign to.
pub(super) fn assign(reader: &mut Reader<'_>, node: &Node) -> Option<Assign> {
    let map = reader.map(node, "assign", ASSIGN_KEYS)?;
    let agent = optional(reader, &map, "agent", |reader, node| reader.text(node, "agent", 256));
    let team = optional(reader, &map, "team", |reader, node| reader.text(node, "team", 256));
    let by = optional(reader, &map, "strategy", |reader, node| reader.word(node, "strategy", &StrategyName::ALL));
    let only_online = optional(reader, &map, "only_online", |reader, node| reader.truth(node, "only_online"));
    let capacity = optional(reader, &map, "capacity", |reader, node| reader.number(node, "capacity", 1..=10_000));
    check_directory(reader, &map, agent, team, by);
    let strategy = strategy(reader, &map, agent, team, by)?;
    let named = matches!(strategy, Strategy::Team(_));
    if named && (only_online.is_some() || capacity.is_some() || map.get("fallback").is_some()) {
        reader.wrong(
            node,
            "only_online, capacity and fallback choose an agent: name an agent, or a strategy such as round_robin",
        );
        return None;
    }
    let fallback = fallback(reader, &map, &strategy)?;
    Some(Assign { strategy, only_online: only_online.unwrap_or(false), capacity, fallback })
}

fn strategy(
    reader: &mut Reader<'_>,
    map: &Map<'_>,
    agent: Option<&str>,
    team: Option<&str>,
    by: Option<StrategyName>,
) -> Option<Strategy> {
    // What is there but could not be read is told already.
    let given = |key: &str| map.get(key).is_some();
    if given("agent") && agent.is_none() || given("team") && team.is_none() || given("strategy") && by.is_none() {
        return None;
    }
    let team = team.map(str::to_owned);
    match (agent, team, by) {
        (Some(_), _, Some(_)) => {
            reader.wrong(map.node, "assign names an agent or a strategy, not both");
            None
        }
        (Some(agent), team, None) => Some(Strategy::Agent { agent: agent.to_owned(), team }),
        (None, Some(team), None) => Some(Strategy::Team(team)),
        (None, Some(team), Some(by)) => Some(Strategy::OfTeam { team, by }),
        (None, None, Some(StrategyName::Sticky)) => Some(Strategy::Sticky),
        (None, None, Some(by)) => {
            reader.wrong(map.node, format!("the strategy {} looks in a team: name it with `team`", by.name()));
            None
        }
        (None, None, None) => {
            reader.wrong(map.node, "assign needs `agent`, `team`, or `strategy: sticky`");
            None
        }
    }
}

fn check_directory(
    reader: &mut Reader<'_>,
    map: &Map<'_>,
    agent: Option<&str>,
    team: Option<&str>,
    by: Option<StrategyName>,
) {
    let known = reader.known;
    if let (Some(agent), Some(agents), Some(node)) = (agent, &known.agents, map.get("agent"))
        && !agents.contains(agent)
    {
        let hint = nearest(agent, agents.iter().map(String::as_str));
        let message = format!("there is no agent `{agent}`{hint}");
        reader.inside(".agent", |reader| reader.wrong(node, message));
    }
    let (Some(team), Some(teams), Some(node)) = (team, &known.teams, map.get("team")) else { return };
    let message = match teams.get(team) {
        None => Some(format!("there is no team `{team}`{}", nearest(team, teams.keys().map(String::as_str)))),
        Some(found) if agent.is_some_and(|agent| !found.agents.contains(agent)) => {
            Some(format!("team `{team}` has no agent `{}`", agent.unwrap_or_default()))
        }
        Some(found) if by == Some(StrategyName::Default) && !found.has_default => {
            Some(format!("team `{team}` has no default assignee: set one, or choose another strategy"))
        }
        Some(found) if found.agents.is_empty() && by.is_some() => {
            Some(format!("team `{team}` has no agents: add one, or assign to the team itself"))
        }
        Some(_) => None,
    };
    if let Some(message) = message {
        reader.inside(".team", |reader| reader.wrong(node, message));
    }
}

fn fallback(reader: &mut Reader<'_>, map: &Map<'_>, strategy: &Strategy) -> Option<Vec<Fallback>> {
    let team = match strategy {
        Strategy::Agent { team, .. } => team.is_some(),
        Strategy::Team(_) | Strategy::OfTeam { .. } => true,
        Strategy::Sticky => false,
    };
    let last = if team { Fallback::TeamQueue } else { Fallback::Unassigned };
    let Some(node) = map.get("fallback") else { return Some(vec![last]) };
    let chain = reader.inside(".fallback", |reader| chain(reader, node, team))?;
    let ends = matches!(chain.last(), Some(Fallback::TeamQueue | Fallback::Unassigned));
    Some(if ends { chain } else { chain.into_iter().chain([last]).collect() })
}

fn chain(reader: &mut Reader<'_>, node: &Node, team: bool) -> Option<Vec<Fallback>> {
    let items: Vec<&Node> = match &node.value {
        Yaml::List(list) => list.iter().collect(),
        _ => vec![node],
    };
    let mut words: Vec<(&str, Fallback)> =
        StrategyName::ALL.iter().map(|(word, by)| (*word, Fallback::Strategy(*by))).collect();
    words.extend([("team_queue", Fallback::TeamQueue), ("unassigned", Fallback::Unassigned)]);
    let mut chain: Vec<Fallback> = Vec::new();
    let mut fits = true;
    for item in items {
        let Some(found) = reader.word(item, "a fallback", &words) else {
            fits = false;
            continue;
        };
        let message = match found {
            _ if matches!(chain.last(), Some(Fallback::TeamQueue | Fallback::Unassigned)) => {
                Some("nothing comes after team_queue and unassigned: they always work".to_owned())
            }
            _ if chain.contains(&found) => Some("stands twice: leave one out".to_owned()),
            Fallback::Strategy(_) | Fallback::TeamQueue if !team => {
                Some("needs a team: name it with `team`".to_owned())
            }
            _ => None,
        };
        match message {
            Some(message) => {
                reader.wrong(item, message);
                fits = false;
            }
            None => chain.push(found),
        }
    }
    fits.then_some(chain)
}
