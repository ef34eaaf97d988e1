//! What the inbox shows: whose conversations, and how many there are.

use maud::{Markup, html};
use proto::v1;
use v1::list_conversations_request::View;

use crate::services::Staff;
use crate::session::{Who, encode};
use crate::words::{Fields, field};

/// One view of the inbox, with the words that are searched for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) view: View,
    pub(crate) team: String,
    pub(crate) words: String,
}

impl Choice {
    /// What an address asks for: "mine" unless it says otherwise.
    pub(crate) fn of(asked: &Fields) -> Choice {
        let (view, team) = match field(asked, "view").split_once(':') {
            Some(("team", team)) => (View::Team, team.to_owned()),
            _ => match field(asked, "view") {
                "unassigned" => (View::Unassigned, String::new()),
                "bot" => (View::Bot, String::new()),
                "all" => (View::All, String::new()),
                _ => (View::Mine, String::new()),
            },
        };
        Choice { view, team, words: field(asked, "q").trim().to_owned() }
    }

    /// How an address asks for it.
    pub(crate) fn query(&self) -> String {
        let view = match self.view {
            View::Unassigned => "unassigned".to_owned(),
            View::Bot => "bot".to_owned(),
            View::All => "all".to_owned(),
            View::Team => format!("team:{}", encode(&self.team)),
            View::Mine | View::Unspecified => "mine".to_owned(),
        };
        let words = if self.words.is_empty() { String::new() } else { format!("&q={}", encode(&self.words)) };
        format!("?view={view}{words}")
    }

    /// The value of the field `view` in a form.
    pub(crate) fn field(&self) -> String {
        match self.view {
            View::Team => format!("team:{}", self.team),
            View::Unassigned => "unassigned".to_owned(),
            View::Bot => "bot".to_owned(),
            View::All => "all".to_owned(),
            View::Mine | View::Unspecified => "mine".to_owned(),
        }
    }

    pub(crate) fn request(&self, who: &Who, page_token: &str) -> v1::ListConversationsRequest {
        v1::ListConversationsRequest {
            workspace: who.workspace.clone(),
            view: self.view.into(),
            agent_id: if self.view == View::Mine { who.agent.clone() } else { String::new() },
            team_id: self.team.clone(),
            query: self.words.clone(),
            page_token: page_token.to_owned(),
            ..v1::ListConversationsRequest::default()
        }
    }
}

/// The views with their counts, the chosen one marked.
pub(crate) fn tabs(choice: &Choice, who: &Who, staff: &Staff, counts: &v1::CountConversationsResponse) -> Markup {
    let plain = |view| Choice { view, team: String::new(), words: String::new() };
    let mut tabs = vec![
        (plain(View::Mine), who.t("Mine").to_owned(), of(counts, |assignee| assignee.agent_id == who.agent)),
        (plain(View::Unassigned), who.t("Unassigned").to_owned(), counts.unassigned_count),
        (plain(View::Bot), who.t("Bot").to_owned(), counts.bot_count),
    ];
    for team in staff.teams_of(&who.agent) {
        let choice = Choice { team: team.id.clone(), ..plain(View::Team) };
        tabs.push((choice, staff.team(&team.id), of(counts, |assignee| assignee.team_id == team.id)));
    }
    tabs.push((plain(View::All), who.t("All").to_owned(), counts.all_count));
    let more = if counts.more { "+" } else { "" };
    html! {
        nav.tabs.views aria-label=(who.t("Views")) {
            @for (tab, name, count) in tabs {
                @let chosen = tab.view == choice.view && tab.team == choice.team;
                a href={ "/inbox" (tab.query()) } aria-current=[chosen.then_some("page")] {
                    bdi { (name) } span.count { (count) (more) }
                }
            }
        }
    }
}

fn of(counts: &v1::CountConversationsResponse, is: impl Fn(&v1::Assignee) -> bool) -> i64 {
    let each = counts.assigned.iter().filter(|assigned| assigned.assignee.as_ref().is_some_and(&is));
    each.map(|assigned| assigned.count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_comes_back_from_its_address() {
        let cases = ["mine", "unassigned", "bot", "all", "team:billing"];
        for view in cases {
            let asked = vec![("view".to_owned(), view.to_owned()), ("q".to_owned(), "late parcel".to_owned())];
            let choice = Choice::of(&asked);
            assert_eq!(choice.field(), view);
            assert!(choice.query().ends_with("&q=late%20parcel"), "{}", choice.query());
        }
    }
}
