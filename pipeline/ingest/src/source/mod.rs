//! From a path to blocks of text bytes that end where a record ends.

mod blocks;
mod container;
mod decoding;
mod hashing;

pub(crate) use blocks::{BlockReader, Chunk};
pub(crate) use container::{Source, SourceFault};
pub(crate) use decoding::{Decoded, decode};
