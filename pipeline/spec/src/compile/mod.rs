mod diagnostic;
pub use diagnostic::*;
