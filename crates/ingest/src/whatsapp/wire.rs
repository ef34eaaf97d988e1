//! The objects of a webhook's body, as the Cloud API writes them.

use super::json::{Raw, Text, object};

object! {
    /// The body.
    Envelope { object: Text<'a> = "object", entry: Vec<Raw<'a>> = "entry", } dropped []
}

object! {
    /// What one business account has to tell.
    Entry { id: Text<'a> = "id", time: Text<'a> = "time", changes: Vec<Raw<'a>> = "changes", } dropped []
}

object! {
    /// One thing that happened, named by its field.
    Change { field: Text<'a> = "field", value: Raw<'a> = "value", } dropped []
}

object! {
    /// The value of a change that is about chat; of any other, which number it is about, if it says so.
    Value {
        metadata: Metadata<'a> = "metadata",
        contacts: Vec<Raw<'a>> = "contacts",
        messages: Vec<Raw<'a>> = "messages",
        statuses: Vec<Raw<'a>> = "statuses",
        message_echoes: Vec<Raw<'a>> = "message_echoes",
        history: Vec<Raw<'a>> = "history",
    } dropped ["messaging_product"]
}

object! {
    /// The number of the business.
    Metadata {
        display_phone_number: Text<'a> = "display_phone_number",
        phone_number_id: Text<'a> = "phone_number_id",
    } dropped []
}

object! {
    /// Who the messages beside it are from.
    Contact {
        wa_id: Text<'a> = "wa_id",
        user_id: Text<'a> = "user_id",
        profile: Profile<'a> = "profile",
    } dropped []
}

object! {
    /// What a contact calls itself.
    Profile { name: Text<'a> = "name", username: Text<'a> = "username", } dropped []
}

object! {
    /// A message; what it says stands in `rest`, under the name of its type.
    Message {
        id: Text<'a> = "id",
        from: Text<'a> = "from",
        from_user_id: Text<'a> = "from_user_id",
        to: Text<'a> = "to",
        to_user_id: Text<'a> = "to_user_id",
        timestamp: Text<'a> = "timestamp",
        kind: Text<'a> = "type",
        context: Context<'a> = "context",
        errors: Vec<Raw<'a>> = "errors",
        history_context: HistoryContext<'a> = "history_context",
    } dropped []
}

object! {
    /// What a message answers.
    Context {
        id: Text<'a> = "id",
        forwarded: bool = "forwarded",
        frequently_forwarded: bool = "frequently_forwarded",
    } dropped ["from", "from_user_id"]
}

object! {
    /// How far a message of the past had come.
    HistoryContext { status: Text<'a> = "status", } dropped []
}

object! {
    /// What a channel could not do.
    ErrorReport {
        code: i64 = "code",
        title: Text<'a> = "title",
        message: Text<'a> = "message",
        details: Text<'a> = "details",
        error_data: ErrorData<'a> = "error_data",
    } dropped ["href"]
}

object! {
    /// More about an error.
    ErrorData { details: Text<'a> = "details", } dropped ["messaging_product"]
}

object! {
    /// A text.
    TextBody { body: Text<'a> = "body", } dropped ["preview_url"]
}

object! {
    /// A file of any type.
    Media {
        id: Text<'a> = "id",
        mime_type: Text<'a> = "mime_type",
        filename: Text<'a> = "filename",
        caption: Text<'a> = "caption",
        url: Text<'a> = "url",
        link: Text<'a> = "link",
        voice: bool = "voice",
    } dropped ["sha256", "animated"]
}

object! {
    /// A place.
    Location {
        latitude: f64 = "latitude",
        longitude: f64 = "longitude",
        name: Text<'a> = "name",
        address: Text<'a> = "address",
    } dropped []
}

object! {
    /// A card that was shared.
    Card {
        name: CardName<'a> = "name",
        phones: Vec<CardPhone<'a>> = "phones",
        emails: Vec<CardEmail<'a>> = "emails",
    } dropped []
}

object! {
    /// The name on a card.
    CardName {
        formatted_name: Text<'a> = "formatted_name",
        first_name: Text<'a> = "first_name",
        last_name: Text<'a> = "last_name",
    } dropped ["middle_name", "prefix", "suffix"]
}

object! {
    /// A number on a card.
    CardPhone { phone: Text<'a> = "phone", wa_id: Text<'a> = "wa_id", } dropped ["type", "user_id"]
}

object! {
    /// An address on a card.
    CardEmail { email: Text<'a> = "email", } dropped ["type"]
}

object! {
    /// A choice that the customer made.
    Interactive {
        kind: Text<'a> = "type",
        button_reply: Choice<'a> = "button_reply",
        list_reply: Choice<'a> = "list_reply",
        nfm_reply: FormReply<'a> = "nfm_reply",
    } dropped []
}

object! {
    /// A button or a row of a list.
    Choice { id: Text<'a> = "id", title: Text<'a> = "title", description: Text<'a> = "description", } dropped []
}

object! {
    /// A form that was filled in.
    FormReply { name: Text<'a> = "name", body: Text<'a> = "body", response_json: Text<'a> = "response_json", } dropped []
}

object! {
    /// A button of a template.
    Button { text: Text<'a> = "text", payload: Text<'a> = "payload", } dropped []
}

object! {
    /// A reaction to a message.
    Reaction { message_id: Text<'a> = "message_id", emoji: Text<'a> = "emoji", } dropped []
}

object! {
    /// An order of goods; the goods themselves stay raw.
    Order { text: Text<'a> = "text", } dropped []
}

object! {
    /// A message that replaces another.
    Edit { original_message_id: Text<'a> = "original_message_id", message: Message<'a> = "message", } dropped []
}

object! {
    /// A message that takes another back.
    Revoke { original_message_id: Text<'a> = "original_message_id", } dropped []
}

object! {
    /// What the channel says about a contact. The new number has had three names over the years.
    System {
        kind: Text<'a> = "type",
        body: Text<'a> = "body",
        wa_id: Text<'a> = "wa_id",
        new_wa_id: Text<'a> = "new_wa_id",
        customer: Text<'a> = "customer",
        user_id: Text<'a> = "user_id",
        previous_user_id: Text<'a> = "previous_user_id",
    } dropped []
}

object! {
    /// What became of a message that was sent.
    Status {
        id: Text<'a> = "id",
        status: Text<'a> = "status",
        timestamp: Text<'a> = "timestamp",
        recipient_id: Text<'a> = "recipient_id",
        recipient_user_id: Text<'a> = "recipient_user_id",
        errors: Vec<Raw<'a>> = "errors",
    } dropped []
}

object! {
    /// A chunk of the past.
    HistoryChunk { threads: Vec<Raw<'a>> = "threads", } dropped ["metadata"]
}

object! {
    /// The past with one contact.
    Thread { id: Text<'a> = "id", context: ThreadContext<'a> = "context", messages: Vec<Raw<'a>> = "messages", } dropped []
}

object! {
    /// Who the contact of a thread is.
    ThreadContext {
        wa_id: Text<'a> = "wa_id",
        user_id: Text<'a> = "user_id",
        username: Text<'a> = "username",
    } dropped []
}
