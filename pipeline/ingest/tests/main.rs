//! Whole files through the public interface, by kind of test.

mod by_hand;
mod discovery;
mod fixture;
mod hostile;
mod identity;
mod properties;
