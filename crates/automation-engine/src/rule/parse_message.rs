use super::fill::{MAX_BODY_CHARS, MAX_LINE_CHARS, MAX_TITLE_CHARS};
use super::parse::optional;
use super::parse_action::{Place, json};
use super::read::{Map, Reader};
use super::yaml::{Node, Yaml};
use super::{Button, Content, Json, TemplateMessage};
use crate::template::Template;

pub(super) const MESSAGE_KEYS: &[&str] = &["text", "buttons", "header", "footer", "template"];
pub(super) const BUTTON_KEYS: &[&str] = &["id", "title"];
pub(super) const TEMPLATE_KEYS: &[&str] = &["name", "language", "parameters", "components"];

/// What to say to the customer: words alone, or a mapping.
pub(super) fn content(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<Content> {
    if !matches!(node.value, Yaml::Map(_)) {
        return reader.template(node, "send_message", &place.scopes).map(Content::Text);
    }
    let map = reader.map(node, "send_message", MESSAGE_KEYS)?;
    if let Some(template) = map.get("template") {
        if MESSAGE_KEYS.iter().any(|key| *key != "template" && map.get(key).is_some()) {
            reader.wrong(node, "a template stands alone: its words are the channel's");
            return None;
        }
        return reader.inside(".template", |reader| approved(reader, template, place)).map(Content::Template);
    }
    if map.get("text").is_none() {
        reader.wrong(node, "send_message needs `text` or `template`");
        return None;
    }
    if map.get("buttons").is_none() {
        if map.get("header").is_some() || map.get("footer").is_some() {
            reader.wrong(node, "header and footer stand around buttons: add `buttons`, or put the words into `text`");
        }
        return line(reader, &map, "text", crate::template::MAX_CHARS, place).map(Content::Text);
    }
    let header = line(reader, &map, "header", MAX_LINE_CHARS, place);
    let text = line(reader, &map, "text", MAX_BODY_CHARS, place);
    let footer = line(reader, &map, "footer", MAX_LINE_CHARS, place);
    let buttons = optional(reader, &map, "buttons", |reader, node| buttons(reader, node, place));
    Some(Content::Buttons { header, text: text?, footer, buttons: buttons? })
}

/// Words with fields, whose fixed part is within a length.
fn line(reader: &mut Reader<'_>, map: &Map<'_>, key: &str, max: usize, place: &Place<'_>) -> Option<Template> {
    optional(reader, map, key, |reader, node| {
        let template = reader.template(node, key, &place.scopes)?;
        if template.is_fixed() && template.source().chars().count() > max {
            reader.wrong(node, format!("has at most {max} characters"));
            return None;
        }
        Some(template)
    })
}

fn buttons(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<Vec<Button>> {
    let list = reader.list(node, "buttons");
    if !(1..=3).contains(&list.len()) {
        reader.wrong(node, "a message has one to three buttons");
        return None;
    }
    let mut buttons: Vec<Button> = Vec::new();
    for (index, node) in list.iter().enumerate() {
        let button = reader.inside(format!("[{index}]"), |reader| button(reader, node, place))?;
        if buttons.iter().any(|known| known.id == button.id) {
            reader.wrong(node, format!("the id `{}` stands twice: answers could not be told apart", button.id));
            return None;
        }
        buttons.push(button);
    }
    Some(buttons)
}

/// A button: its title alone, which is then its id as well, or both.
fn button(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<Button> {
    let (id, title) = match &node.value {
        Yaml::Map(_) => {
            let map = reader.map(node, "a button", BUTTON_KEYS)?;
            let (id, title) = (reader.need(&map, "a button", "id"), reader.need(&map, "a button", "title"));
            (id?, title?)
        }
        _ => (node, node),
    };
    let id = reader.clear_text(id, "the id of a button", 256)?;
    let words = reader.template(title, "the title of a button", &place.scopes)?;
    if words.is_fixed() && words.source().chars().count() > MAX_TITLE_CHARS {
        reader.wrong(title, format!("the title of a button has at most {MAX_TITLE_CHARS} characters"));
        return None;
    }
    Some(Button { id, title: words })
}

fn approved(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<TemplateMessage> {
    let map = reader.map(node, "template", TEMPLATE_KEYS)?;
    let name = reader.need(&map, "template", "name");
    let name = name.and_then(|node| reader.clear_text(node, "name", 512));
    let language = reader.need(&map, "template", "language");
    let language = language.and_then(|node| reader.clear_text(node, "language", 32));
    let parameters = optional(reader, &map, "parameters", |reader, node| parameters(reader, node, place));
    let components = optional(reader, &map, "components", |reader, node| {
        reader.list(node, "components");
        json(reader, node, place, 0)
    });
    if map.get("parameters").is_some() && map.get("components").is_some() {
        reader.wrong(node, "parameters are the body's component: write them there");
        return None;
    }
    Some(TemplateMessage { name: name?, language: language?, components: parameters.or(components) })
}

/// The texts that fill the body: the channel's `components` for them.
fn parameters(reader: &mut Reader<'_>, node: &Node, place: &Place<'_>) -> Option<Json> {
    let list = reader.list(node, "parameters");
    let fixed = |text: &str| Json::Fixed(serde_json::Value::String(text.to_owned()));
    let mut texts = Vec::new();
    for (index, node) in list.iter().enumerate() {
        let step = format!("[{index}]");
        let text = reader.inside(step, |reader| reader.template(node, "a parameter", &place.scopes))?;
        texts.push(Json::Map(vec![("type".to_owned(), fixed("text")), ("text".to_owned(), Json::Text(text))]));
    }
    let body = vec![("type".to_owned(), fixed("body")), ("parameters".to_owned(), Json::List(texts))];
    Some(Json::List(vec![Json::Map(body)]))
}
