use std::collections::BTreeMap;

use conversation::Time;
use prost::Message as _;
use proto::v1;

use super::super::counters::{Dimension, TicketValues};
use super::super::error::Error;
use super::super::keys::{self, ConversationKey, TicketKey, WorkspaceKey, table};
use super::super::rows::{ActivityRow, ConversationRow, OpenRow, TicketRow, WindowRow};
use crate::store::{Batch, View, prefix_end};

/// A conversation in memory, with its open tickets.
pub(super) struct Conversation {
    pub(super) key: ConversationKey,
    pub(super) workspace: WorkspaceKey,
    pub(super) row: ConversationRow,
    /// In the order of opening, the primary first. Most have one or none: a vector of tickets takes room for four.
    #[allow(clippy::vec_box)]
    pub(super) open: Vec<Box<Ticket>>,
    /// Closed since the last batch.
    #[allow(clippy::vec_box)]
    pub(super) closed: Vec<Box<Ticket>>,
    /// Its row in the activity, as it is stored.
    activity: Option<(Vec<u8>, Vec<u8>)>,
}

/// A ticket in memory.
pub(super) struct Ticket {
    pub(super) row: TicketRow,
    pub(super) values: TicketValues,
    pub(super) changed: bool,
    /// The change revision under which it is stored; `None` if it is not yet.
    stored: Option<u64>,
}

impl Conversation {
    /// The conversation as it is stored; a new one if it is not.
    pub(super) fn load(rows: &dyn View, key: ConversationKey, workspace: &str, id: &str) -> Result<Self, Error> {
        let of = WorkspaceKey::of(workspace);
        let Some(row) = rows.get(&keys::conversation(key))? else {
            let row = ConversationRow { id: id.to_owned(), workspace: workspace.to_owned(), ..Default::default() };
            return Ok(Self { key, workspace: of, row, open: Vec::new(), closed: Vec::new(), activity: None });
        };
        let row = ConversationRow::decode(row).map_err(|_| Error::row(table::CONVERSATION))?;
        let mut conversation = Self { key, workspace: of, row, open: Vec::new(), closed: Vec::new(), activity: None };
        conversation.activity = Some(conversation.activity_row());
        for open in &conversation.row.open {
            let key = conversation.ticket_key(open.ordinal, Time(open.open_time));
            // A missing row does not decode to a ticket of this conversation.
            let row = rows.get(&key.row())?.ok_or_else(|| Error::row(table::TICKETS))?;
            conversation.open.push(Box::new(Ticket::stored(row)?));
        }
        Ok(conversation)
    }

    pub(super) fn ticket_key(&self, ordinal: u64, open_time: Time) -> TicketKey {
        TicketKey { workspace: self.workspace, open_time, conversation: self.key, ordinal }
    }

    /// The ordinals of the open tickets, the primary first.
    pub(super) fn open_ordinals(&self) -> Vec<u64> {
        self.open.iter().map(|ticket| ticket.row.ordinal).collect()
    }

    /// Every window there ever was, by ordinal.
    pub(super) fn windows(&self, rows: &dyn View) -> Result<BTreeMap<u64, WindowRow>, Error> {
        let prefix = keys::windows_prefix(self.key);
        let mut windows = BTreeMap::new();
        for row in rows.scan(&prefix, &prefix_end(&prefix)) {
            let (key, value) = row?;
            let ordinal = keys::window_ordinal(&key).ok_or_else(|| Error::row(table::WINDOWS))?;
            windows.insert(ordinal, WindowRow::decode(value).map_err(|_| Error::row(table::WINDOWS))?);
        }
        windows.extend(self.closed.iter().chain(&self.open).map(|ticket| (ticket.row.ordinal, ticket.window())));
        Ok(windows)
    }

    /// Puts all that changed into a batch.
    pub(super) fn write(&mut self, batch: &mut Batch) {
        let ticket_key = |row: &TicketRow| TicketKey {
            workspace: self.workspace,
            open_time: Time(row.open_time),
            conversation: self.key,
            ordinal: row.ordinal,
        };
        for mut ticket in self.closed.drain(..) {
            ticket.write(batch, &ticket_key(&ticket.row));
        }
        for ticket in self.open.iter_mut().filter(|ticket| ticket.changed) {
            ticket.write(batch, &ticket_key(&ticket.row));
        }
        self.row.open = self.open.iter().map(|ticket| ticket.open_row()).collect();
        batch.put(keys::conversation(self.key), self.row.encode_to_vec());
        self.write_activity(batch);
    }

    fn write_activity(&mut self, batch: &mut Batch) {
        let row = self.activity_row();
        if self.activity.as_ref() == Some(&row) {
            return;
        }
        if let Some((key, _)) = self.activity.take().filter(|(key, _)| *key != row.0) {
            batch.delete(key);
        }
        batch.put(row.0.clone(), row.1.clone());
        self.activity = Some(row);
    }

    fn activity_row(&self) -> (Vec<u8>, Vec<u8>) {
        let row = &self.row;
        let value = ActivityRow {
            assignee: row.assignee.clone(),
            open_count: u32::try_from(row.open.len()).unwrap_or(u32::MAX),
            bot_paused: row.bot_paused,
            channel: row.channel.clone(),
        };
        (keys::activity(self.workspace, row.held(), row.activity_time(), self.key), value.encode_to_vec())
    }

    /// Takes an open ticket out of the open ones.
    pub(super) fn take_open(&mut self, ordinal: u64) -> Option<Box<Ticket>> {
        let place = self.open.iter().position(|ticket| ticket.row.ordinal == ordinal)?;
        Some(self.open.remove(place))
    }

    pub(super) fn is_assigned_to(&self, assignee: Option<&v1::Assignee>) -> bool {
        self.row.assignee.as_ref() == assignee
    }
}

impl Ticket {
    /// One that was just opened.
    pub(super) fn opened(row: TicketRow) -> Self {
        Self { values: TicketValues::of(&row), row, changed: true, stored: None }
    }

    fn stored(row: bytes::Bytes) -> Result<Self, Error> {
        let row = TicketRow::decode(row).map_err(|_| Error::row(table::TICKETS))?;
        let stored = Some(row.change_revision);
        Ok(Self { values: TicketValues::of(&row), row, changed: false, stored })
    }

    fn window(&self) -> WindowRow {
        let TicketRow { open_time, close_time, .. } = self.row;
        WindowRow { open_time, close_time, nested: self.row.nested() }
    }

    fn open_row(&self) -> OpenRow {
        OpenRow { ordinal: self.row.ordinal, open_time: self.row.open_time, nested: self.row.nested() }
    }

    fn write(&mut self, batch: &mut Batch, key: &TicketKey) {
        let revision = self.row.change_revision;
        let row = self.row.encode_to_vec();
        if self.stored != Some(revision) {
            self.stored.iter().for_each(|stored| batch.delete(key.by_change(*stored)));
            batch.put(key.by_change(revision), keys::open_time_value(key.open_time));
        }
        let topic = self.values.get(Dimension::Topic);
        if self.stored.is_none() {
            batch.put(key.by_topic(table::TICKETS, topic, key.open_time), Vec::new());
        }
        match self.row.close_time {
            Some(close) => {
                batch.put(key.by_topic(table::BY_CLOSE, topic, Time(close)), Vec::new());
                batch.put(key.by_close(Time(close)), row.clone());
                self.stored.iter().for_each(|_| batch.delete(key.open_now()));
            }
            None if self.stored.is_none() => batch.put(key.open_now(), Vec::new()),
            None => {}
        }
        batch.put(key.row(), row);
        if self.stored.is_none() || self.row.close_time.is_some() {
            batch.put(keys::window(key.conversation, key.ordinal), self.window().encode_to_vec());
        }
        self.stored = Some(revision);
        self.changed = false;
    }
}
