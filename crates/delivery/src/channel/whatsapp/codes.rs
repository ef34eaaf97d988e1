//! What the error codes of the Cloud API ask for.

use crate::channel::Advice::{Retry, Reword, SlowNumber, SlowPair, StopChannel, Unreachable};
use crate::channel::graph::{GraphError, Meaning};

/// What a code asks for, and what a human can do; `None` for a code that is not known. Never by title: those change.
pub(super) fn meaning(error: &GraphError) -> Option<Meaning> {
    let meaning = match error.code {
        131_056 => (SlowPair, "This customer got too many messages of late: what is for them waits."),
        4 | 80_007 | 130_429 | 133_016 | 613 => (SlowNumber, "The number sends too fast: it goes on more slowly."),
        131_048 => {
            (SlowNumber, "Too many of the number's messages were blocked or called spam: look at its quality rating.")
        }
        1 | 2 | 131_000 | 131_016 | 131_057 => (Retry, "The channel has a fault: it is tried again."),
        131_053 => (
            Retry,
            "The channel could not take the file: it is tried again. See that it has a type and size that the channel takes.",
        ),
        131_047 => (Reword, "More than 24 hours have passed since the customer last wrote: send a template."),
        132_000 => (Reword, "The template takes another number of parameters."),
        132_001 => (Reword, "There is no such template in this language, or it is not approved."),
        132_012 => (Reword, "A parameter of the template has another form than was approved."),
        132_015 => (Reword, "The template is paused for low quality: use another one."),
        132_016 => (Reword, "The template is disabled for low quality for good: use another one."),
        131_051 => (Reword, "The channel does not take messages of this type."),
        131_008 | 131_009 | 100 => {
            (Reword, "The channel does not take this message as it is: the details say what is wrong with it.")
        }
        131_026 => (Unreachable, "The customer can't be reached: no WhatsApp at this number, or an old one."),
        131_049 => (Unreachable, "The channel limits marketing to this customer: try again in a day, not before."),
        131_050 => (Unreachable, "The customer wants no marketing of this business."),
        130_472 => (Unreachable, "The customer takes part in an experiment of the channel, and gets no marketing."),
        131_021 => (Unreachable, "The number can't write to itself."),
        131_030 => (Unreachable, "The number is for tests: add the customer to the recipients that it may write to."),
        130_497 => (Unreachable, "The business may not write to customers of this country."),
        0 | 190 => (StopChannel, "The token is not taken any more: nothing goes out until access_token is mended."),
        3 | 10 | 200..=299 | 131_005 => (
            StopChannel,
            "The token lacks a permission: nothing goes out until access_token has whatsapp_business_messaging.",
        ),
        368 | 131_031 => {
            (StopChannel, "The account is blocked or locked: nothing goes out until that is settled with Meta.")
        }
        131_042 => (StopChannel, "Paying failed: nothing goes out until the account's payment method is mended."),
        33 | 131_045 | 133_010 => (StopChannel, "The number is not registered: nothing goes out until it is."),
        _ => return None,
    };
    Some(meaning)
}
