use super::{Content, Json};
use crate::condition::{Context, Fault};

/// What WhatsApp shows of a button's title, in characters.
pub(super) const MAX_TITLE_CHARS: usize = 20;
/// What WhatsApp shows of a header and of a footer, in characters.
pub(super) const MAX_LINE_CHARS: usize = 60;
/// What WhatsApp takes as the words above buttons, in characters.
pub(super) const MAX_BODY_CHARS: usize = 1024;
/// Longest `components` of a template, in bytes: what the contract takes.
const MAX_COMPONENTS_BYTES: usize = 16 * 1024;

/// What a rule says, with its fields filled, within the channel's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Plain words.
    Text(String),
    /// Words with reply buttons.
    Buttons {
        /// Empty for none.
        header: String,
        /// The words.
        text: String,
        /// Empty for none.
        footer: String,
        /// Id and title of each.
        buttons: Vec<(String, String)>,
    },
    /// A message that the channel approved beforehand.
    Template {
        /// Its name there.
        name: String,
        /// A language tag.
        language: String,
        /// The channel's `components` array; empty for none.
        components_json: String,
    },
}

impl Content {
    /// What is said in a context. What is too long for the channel is cut, and ends with `…`.
    ///
    /// # Errors
    /// [`Fault`] where a field without a default is absent, where nothing is left to say, and where the components are
    /// longer than 16 KiB.
    pub fn fill(&self, context: &Context) -> Result<Filled, Fault> {
        match self {
            Content::Text(text) => Ok(Filled::Text(said(text.fill(context)?)?)),
            Content::Buttons { header, text, footer, buttons } => {
                let line = |template: &Option<crate::template::Template>| {
                    template.as_ref().map_or(Ok(String::new()), |text| text.fill_within(context, MAX_LINE_CHARS))
                };
                let buttons = buttons.iter().map(|button| {
                    let title = said(button.title.fill_within(context, MAX_TITLE_CHARS)?)?;
                    Ok((button.id.clone(), title))
                });
                Ok(Filled::Buttons {
                    header: line(header)?,
                    text: said(text.fill_within(context, MAX_BODY_CHARS)?)?,
                    footer: line(footer)?,
                    buttons: buttons.collect::<Result<_, Fault>>()?,
                })
            }
            Content::Template(message) => Ok(Filled::Template {
                name: message.name.clone(),
                language: message.language.clone(),
                components_json: message
                    .components
                    .as_ref()
                    .map_or(Ok(String::new()), |json| components(json, context))?,
            }),
        }
    }
}

/// A message has to say something: a channel takes no empty one.
fn said(text: String) -> Result<String, Fault> {
    if text.trim().is_empty() { Err(Fault::Missing("anything to say".to_owned())) } else { Ok(text) }
}

fn components(json: &Json, context: &Context) -> Result<String, Fault> {
    let text = json.fill(context)?.to_string();
    match text.len() <= MAX_COMPONENTS_BYTES {
        true => Ok(text),
        false => Err(Fault::Conversion(format!("the components are longer than {MAX_COMPONENTS_BYTES} bytes"))),
    }
}
