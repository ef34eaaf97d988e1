//! Which conversation is meant: by its id, or by its contact.

use proto::v1;

use crate::client::timely;
use crate::draw::{clean, words};
use crate::failure::Failure;
use crate::session::Session;

/// The length of the ids that are given to conversations: `c` and 22 letters and digits.
const ID_LENGTH: usize = 23;
/// A page of the search, and how many are looked through: enough to find one, and to name several.
const PAGE: i32 = 100;
const PAGES: usize = 20;
/// How many are named when it could be any of them.
const NAMED: usize = 8;

/// How surely a conversation has to be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// To look at it: a part of a name or number will do.
    Looking,
    /// To do something to it: the number, user id, handle or name, or a whole word of the name.
    Acting,
}

/// The id of the conversation that `text` means: its id, or the number, user id, handle or name of its contact.
///
/// # Errors
/// [`Failure::NotFound`] when there is none, [`Failure::Usage`] naming them when there are several.
pub(crate) async fn conversation(session: &Session, text: &str, care: Care) -> Result<String, Failure> {
    if is_id(text) {
        return Ok(text.to_owned());
    }
    let found = search(session, text).await?;
    pick(text, care, &found)
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.starts_with('c') && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

async fn search(session: &Session, text: &str) -> Result<Vec<v1::Conversation>, Failure> {
    let mut found = Vec::new();
    let mut page_token = String::new();
    for _ in 0..PAGES {
        let request = v1::ListConversationsRequest {
            workspace: session.workspace.clone(),
            query: number(text).unwrap_or_else(|| text.trim().to_owned()),
            page_size: PAGE,
            page_token,
            ..v1::ListConversationsRequest::default()
        };
        let answer = session.client.tickets().list_conversations(timely(request)).await;
        let page = answer.map_err(|status| session.failure(status))?.into_inner();
        found.extend(page.conversations);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A telephone number as channels write it; `None` when the text is none.
fn number(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '.');
    let rest = text.trim().strip_prefix('+').unwrap_or(text.trim());
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (rest.chars().all(plain) && digits.len() >= 3).then_some(digits)
}

/// The one whose contact is called so; else the one whose name has it as a word; else, to look at, the one whose name or
/// number has it within. The search also finds what was said: that is not who it is.
fn pick(text: &str, care: Care, found: &[v1::Conversation]) -> Result<String, Failure> {
    let wanted = number(text).unwrap_or_else(|| text.trim().to_lowercase());
    let is = |name: String| name == wanted;
    let has_word = |name: String| name.split_whitespace().any(|word| word == wanted);
    let has = |name: String| care == Care::Looking && name.contains(&wanted);
    let matches: [&dyn Fn(String) -> bool; 3] = [&is, &has_word, &has];
    for matches in matches {
        let several: Vec<_> = found.iter().filter(|conversation| names(conversation).any(matches)).collect();
        match several.as_slice() {
            [] => {}
            [one] => return Ok(one.id.clone()),
            several => return Err(Failure::Usage(ambiguous(text, several))),
        }
    }
    Err(Failure::NotFound(format!(
        "no conversation has the id, and no contact the name or number {:?}: 'threadmark conversations' lists them",
        clean(text)
    )))
}

fn names(conversation: &v1::Conversation) -> impl Iterator<Item = String> {
    let contact = conversation.contact.clone().unwrap_or_default();
    let names = [contact.display_name, contact.id, contact.user_id, contact.username];
    names.into_iter().filter(|name| !name.is_empty()).map(|name| name.to_lowercase())
}

fn ambiguous(text: &str, several: &[&v1::Conversation]) -> String {
    let named = several.iter().take(NAMED).map(|conversation| {
        format!(
            "\n  {}  {}  {}",
            conversation.id,
            words::contact(conversation.contact.as_ref()),
            clean(&conversation.channel)
        )
    });
    let more = several.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    format!("{:?} could be several conversations, say which by its id:{}{more}", clean(text), named.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(id: &str, name: &str, number: &str) -> v1::Conversation {
        let contact = v1::Contact { id: number.into(), display_name: name.into(), ..v1::Contact::default() };
        v1::Conversation { id: id.into(), contact: Some(contact), ..v1::Conversation::default() }
    }

    fn check(text: &str, care: Care, expect: &str) {
        let found = [
            conversation("a", "Maria", "34600111222"),
            conversation("b", "Maria Lopez", "34600111333"),
            conversation("c", "Ben", "12125550100"),
            conversation("d", "Ben", "12125550101"),
        ];
        let picked = match pick(text, care, &found) {
            Ok(id) => id,
            Err(failure) => format!("{} {failure}", failure.exit_code()),
        };
        assert!(picked.starts_with(expect), "{text}: {picked}");
    }

    #[test]
    fn a_contact_is_found_by_name_or_number() {
        for care in [Care::Looking, Care::Acting] {
            check("maria", care, "a");
            check("lopez", care, "b");
            check("Maria Lopez", care, "b");
            check("+34 600 111-333", care, "b");
        }
    }

    #[test]
    fn a_part_will_do_to_look_at_it_and_not_to_act() {
        check("lop", Care::Looking, "b");
        check("100", Care::Looking, "c");
        check("lop", Care::Acting, "4 ");
        check("100", Care::Acting, "4 ");
    }

    #[test]
    fn none_and_several_are_told_apart() {
        let several = "2 \"Ben\" could be several conversations, say which by its id:\n  c  Ben (12125550100)";
        check("Ben", Care::Acting, several);
        check("34600", Care::Looking, "2 ");
        check("Chloé", Care::Looking, "4 no conversation");
    }

    #[test]
    fn ids_are_taken_as_they_are() {
        assert!(is_id("cGzKp2b7QwXyZ0123456789") && !is_id("maria") && !is_id("cGzKp2b7QwXyZ012345678-"));
    }
}
