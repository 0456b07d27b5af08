//! Reads a file and hashes what is read, so that the delivery's identity needs no second pass.

use std::{
    fs::File,
    io::{self, Read},
};

use sha2::{Digest, Sha256};

pub(crate) struct HashingReader {
    file: File,
    hasher: Sha256,
    bytes: u64,
    failed: bool,
}

impl HashingReader {
    pub(crate) fn new(file: File) -> Self {
        Self { file, hasher: Sha256::new(), bytes: 0, failed: false }
    }

    /// Bytes read so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the file itself, and not what is wrapped around it, gave an error.
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// The SHA-256 of everything read, in lower-case hexadecimal, and the number of bytes.
    pub(crate) fn finish(self) -> (String, u64) {
        (self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), self.bytes)
    }
}

impl Read for HashingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(read) => {
                self.hasher.update(&buffer[..read]);
                self.bytes += read as u64;
                Ok(read)
            }
            Err(error) => {
                self.failed = error.kind() != io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}
