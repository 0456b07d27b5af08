//! The store as its users see it, by kind of test.

mod damage;
mod kills;
mod properties;
mod round_trips;
mod same_bytes;
mod sample;
