use std::collections::BTreeMap;

use proto::v1;
use v1::count_conversations_response::Assigned;

use super::read::decode;
use crate::store::{View, prefix_end};
use crate::view::error::Error;
use crate::view::keys::{self, WorkspaceKey};
use crate::view::rows::ActivityRow;

/// Conversations of one half of the activity that are looked at: the contract says so, too.
const MOST: usize = 20_000;

/// How many conversations each view holds: one scan of the activity, each half up to [`MOST`] rows.
pub(crate) fn count(view: &dyn View, workspace: &str) -> Result<v1::CountConversationsResponse, Error> {
    let workspace = WorkspaceKey::of(workspace);
    let mut counts = v1::CountConversationsResponse::default();
    let mut assigned: BTreeMap<(String, String), i64> = BTreeMap::new();
    for held in [false, true] {
        let prefix = keys::activity_prefix(workspace, held);
        let mut rows = view.scan_back(&prefix, &prefix_end(&prefix));
        for row in rows.by_ref().take(MOST) {
            let (key, value) = row?;
            let row: ActivityRow = decode(&key, value)?;
            counts.all_count += 1;
            match row.assignee {
                Some(assignee) => *assigned.entry((assignee.agent_id, assignee.team_id)).or_default() += 1,
                None if row.open_count > 0 => counts.unassigned_count += 1,
                None if !row.bot_paused => counts.bot_count += 1,
                None => {}
            }
        }
        counts.more |= rows.next().transpose()?.is_some();
    }
    let shown = |((agent_id, team_id), count)| Assigned { assignee: Some(v1::Assignee { agent_id, team_id }), count };
    counts.assigned = assigned.into_iter().map(shown).collect();
    Ok(counts)
}
