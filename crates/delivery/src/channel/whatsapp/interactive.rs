//! Buttons and lists, as they look to the Cloud API.

use proto::v1;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Interactive<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header<'a>>,
    body: Words<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<Words<'a>>,
    action: Action<'a>,
}

#[derive(Serialize)]
struct Header<'a> {
    r#type: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Words<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Action<'a> {
    Buttons { buttons: Vec<Button<'a>> },
    List { button: &'a str, sections: Vec<Section<'a>> },
}

#[derive(Serialize)]
struct Button<'a> {
    r#type: &'static str,
    reply: Choice<'a>,
}

#[derive(Serialize)]
struct Section<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    rows: Vec<Choice<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

pub(super) fn interactive(interactive: &v1::Interactive) -> Interactive<'_> {
    let v1::Interactive { header, body, footer, buttons, list_button, list_sections } = interactive;
    let (r#type, action) = if list_sections.is_empty() {
        let buttons = buttons.iter().map(|button| Button {
            r#type: "reply",
            reply: Choice { id: &button.id, title: &button.title, description: "" },
        });
        ("button", Action::Buttons { buttons: buttons.collect() })
    } else {
        ("list", Action::List { button: list_button, sections: list_sections.iter().map(section).collect() })
    };
    Interactive {
        r#type,
        header: (!header.is_empty()).then_some(Header { r#type: "text", text: header }),
        body: Words { text: body },
        footer: (!footer.is_empty()).then_some(Words { text: footer }),
        action,
    }
}

fn section(section: &v1::ListSection) -> Section<'_> {
    let rows = section.rows.iter();
    let rows = rows.map(|row| Choice { id: &row.id, title: &row.title, description: &row.description });
    Section { title: &section.title, rows: rows.collect() }
}
