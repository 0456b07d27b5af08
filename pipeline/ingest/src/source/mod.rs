//! From a path to bytes: unpacked and hashed, and where they are text, in blocks that end where a record ends.

mod blocks;
mod container;
mod decoding;
mod hashing;

pub(crate) use blocks::{BINARY, BlockReader, Framing};
pub(crate) use container::{SeekableFile, Source, SourceFault, Unpacked, foreign_format};
pub(crate) use decoding::{Decoded, decode};
