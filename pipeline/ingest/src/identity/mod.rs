//! What must never be stored: national identity numbers, e-mail addresses, telephone numbers.

mod contact;
mod guard;
mod national;
mod written;

pub(crate) use guard::{Context, Counts, Finding, Guard, Scope, is_sensitive};
pub use national::is_identity_number;
pub(crate) use written::without_identity;
