use std::collections::{BTreeMap, BTreeSet};

/// What the workspace has, so that rules can't name what it has not.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Agents by id; `None`: the directory is not at hand, any id will do.
    pub agents: Option<BTreeSet<String>>,
    /// Teams by id; `None`: the directory is not at hand, any id will do.
    pub teams: Option<BTreeMap<String, KnownTeam>>,
    /// Names of the rules that stay beside those that are parsed; `None`: not at hand, any name will do.
    pub rules: Option<BTreeSet<String>>,
}

/// What rules depend on of a team.
#[derive(Clone, Debug, Default)]
pub struct KnownTeam {
    /// The members' ids.
    pub agents: BTreeSet<String>,
    /// Whether it has a default assignee.
    pub has_default: bool,
}
