//! What is around a file's content: nothing, gzip or zstd, seen from the first bytes and not from the name.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::hashing::HashingReader;
use crate::{
    error::{IngestError, RefusalCause},
    limits::{Limits, ZSTD_WINDOW_LOG_MAX},
    note::Note,
};

const BUFFER_BYTES: usize = 1 << 17;
const BLOCK_BYTES: usize = 1 << 20;
/// The content of a packed file that cannot be read as a stream.
const UNPACKED: &str = "unpacked";

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether bytes begin a zstd file. One that several threads packed begins with a frame that is passed over, 0x184D2A50 to 5F.
fn is_zstd(bytes: &[u8]) -> bool {
    bytes.starts_with(ZSTD) || matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// What unpacked bytes are when they are plainly no text in one of the three encodings.
pub(crate) fn foreign_format(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"PAR1", "a Parquet file"),
        (b"$FL2", "an SPSS file"),
        (b"$FL3", "an SPSS file"),
        (b"\xff\xfe", "text in UTF-16"),
        (b"\xfe\xff", "text in UTF-16"),
        (b"PK\x03\x04", "a ZIP archive or Excel workbook"),
        (GZIP, "compressed twice"),
        (ZSTD, "compressed twice"),
    ];
    known.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, what)| *what)
}

type Raw = BufReader<HashingReader>;

enum Layers {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
    Zstd(ZstdDecoder<'static, Raw>),
}

/// The text of a file, unpacked as it is read.
pub(crate) struct Source {
    layers: Layers,
    text_bytes: u64,
    limits: Limits,
}

/// Why no more could be read.
pub(crate) enum SourceFault {
    Io(io::Error),
    Refused(RefusalCause),
    Error(IngestError),
}

impl From<RefusalCause> for SourceFault {
    fn from(cause: RefusalCause) -> Self {
        Self::Refused(cause)
    }
}

impl From<IngestError> for SourceFault {
    fn from(error: IngestError) -> Self {
        Self::Error(error)
    }
}

/// Opens a regular file; links, folders, pipes and devices are refused before they are opened.
fn open_file(path: &Path) -> Result<Result<File, RefusalCause>, IngestError> {
    let kind = std::fs::symlink_metadata(path).map_err(IngestError::io("find", path))?.file_type();
    let what = match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_symlink() => Some("a link"),
        () => Some("a pipe or device"),
    };
    if let Some(what) = what {
        return Ok(Err(RefusalCause::NotAFile { what }));
    }
    File::open(path).map(Ok).map_err(IngestError::io("open", path))
}

/// A file that is read here and there, after it was read through once for its hash. A packed one is unpacked beside the tables that
/// are written of it, and what was unpacked goes with this.
pub(crate) struct SeekableFile {
    pub(crate) file: File,
    /// SHA-256 and size of the file as it was delivered.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// Size of what is read.
    pub(crate) content_bytes: u64,
    pub(crate) compression: Option<&'static str>,
    pub(crate) unpacked: Option<Unpacked>,
}

/// A file for a while, readable by the owner alone.
pub(crate) struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        // The folder is pending: what cannot be removed here goes with it.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl SeekableFile {
    pub(crate) fn open(path: &Path, out: &Path, limits: Limits) -> Result<Self, SourceFault> {
        let file = open_file(path)??;
        let mut source = Source::of(file.try_clone().map_err(SourceFault::Io)?, path, limits)??;
        let compression = source.compression();
        let (file, unpacked) = match compression {
            None => (file, None),
            Some(_) => source.unpack(&out.join(UNPACKED)).map(|(file, unpacked)| (file, Some(unpacked)))?,
        };
        let (sha256, bytes) = source.finish().map_err(SourceFault::Io)?;
        let content_bytes = file.metadata().map_err(SourceFault::Io)?.len();
        if content_bytes == 0 {
            return Err(RefusalCause::Empty.into());
        }
        Ok(Self { file, sha256, bytes, content_bytes, compression, unpacked })
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.compression.map(|format| Note::Compressed { format }).into_iter().collect()
    }
}

impl Source {
    /// Opens a regular file and what is wrapped around its text.
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<Result<Self, RefusalCause>, IngestError> {
        match open_file(path)? {
            Ok(file) => Self::of(file, path, limits),
            Err(cause) => Ok(Err(cause)),
        }
    }

    fn of(file: File, path: &Path, limits: Limits) -> Result<Result<Self, RefusalCause>, IngestError> {
        let mut raw = BufReader::with_capacity(BUFFER_BYTES, HashingReader::new(file));
        let magic = raw.fill_buf().map_err(IngestError::io("read", path))?;
        if magic.is_empty() {
            return Ok(Err(RefusalCause::Empty));
        }
        let layers = if magic.starts_with(GZIP) {
            Layers::Gzip(Box::new(MultiGzDecoder::new(raw)))
        } else if is_zstd(magic) {
            let mut decoder = ZstdDecoder::with_buffer(raw).map_err(IngestError::io("unpack", path))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(IngestError::io("unpack", path))?;
            Layers::Zstd(decoder)
        } else {
            Layers::Plain(raw)
        };
        Ok(Ok(Self { layers, text_bytes: 0, limits }))
    }

    /// `gzip` or `zstd`, where the file is packed.
    pub(crate) fn compression(&self) -> Option<&'static str> {
        match self.layers {
            Layers::Plain(_) => None,
            Layers::Gzip(_) => Some("gzip"),
            Layers::Zstd(_) => Some("zstd"),
        }
    }

    /// Appends text to `buffer` until it holds `target` bytes; `true` when the text has ended.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, target: usize) -> Result<bool, SourceFault> {
        let mut filled = buffer.len();
        buffer.resize(target.max(filled), 0);
        let mut ended = false;
        while filled < buffer.len() {
            let read = match &mut self.layers {
                Layers::Plain(reader) => reader.read(&mut buffer[filled..]),
                Layers::Gzip(reader) => reader.read(&mut buffer[filled..]),
                Layers::Zstd(reader) => reader.read(&mut buffer[filled..]),
            };
            match read {
                Ok(0) => {
                    ended = true;
                    break;
                }
                Ok(read) => {
                    filled += read;
                    self.text_bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(error)),
            }
        }
        buffer.truncate(filled);
        self.check_expansion()?;
        Ok(ended)
    }

    /// Writes all that follows to a new file.
    fn unpack(&mut self, to: &Path) -> Result<(File, Unpacked), SourceFault> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(to).map_err(IngestError::io("create", to))?;
        let unpacked = Unpacked(to.to_path_buf());
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        loop {
            let ended = self.fill(&mut block, BLOCK_BYTES)?;
            file.write_all(&block).map_err(IngestError::io("write", to))?;
            block.clear();
            if ended {
                return Ok((file, unpacked));
            }
        }
    }

    fn raw(&self) -> &HashingReader {
        match &self.layers {
            Layers::Plain(reader) => reader.get_ref(),
            Layers::Gzip(reader) => reader.get_ref().get_ref(),
            Layers::Zstd(reader) => reader.get_ref().get_ref(),
        }
    }

    fn fault(&self, error: io::Error) -> SourceFault {
        match self.compression() {
            Some(format) if !self.raw().failed() => SourceFault::Refused(RefusalCause::BrokenCompression { format }),
            _ => SourceFault::Io(error),
        }
    }

    /// Refuses text that unfolds out of all proportion to the file.
    fn check_expansion(&self) -> Result<(), SourceFault> {
        let Some(format) = self.compression() else { return Ok(()) };
        let Limits { expansion_max, expansion_free_bytes, text_bytes_max, .. } = self.limits;
        let unfolds =
            self.text_bytes > expansion_free_bytes && self.text_bytes / expansion_max.max(1) > self.raw().bytes();
        if unfolds || self.text_bytes > text_bytes_max {
            let cause = RefusalCause::Bomb { format, ratio: expansion_max, bytes_max: text_bytes_max };
            return Err(SourceFault::Refused(cause));
        }
        Ok(())
    }

    /// SHA-256 and size of the file as it was delivered; reads what may stand behind the packed text.
    pub(crate) fn finish(self) -> io::Result<(String, u64)> {
        let mut raw = match self.layers {
            Layers::Plain(reader) => reader,
            Layers::Gzip(reader) => reader.into_inner(),
            Layers::Zstd(reader) => reader.finish(),
        };
        io::copy(&mut raw, &mut io::sink())?;
        Ok(raw.into_inner().finish())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has found something")]
mod tests {
    use super::*;

    #[test]
    fn what_is_unpacked_is_private_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.zst");
        let packed = zstd::encode_all(&b"content"[..], 3).unwrap();
        // Packed by several threads: the size of the frame that follows stands in one that is passed over.
        let several = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 16, 0, 0, 0][..], &packed].concat();
        for packed in [packed, several] {
            std::fs::write(&path, &packed).unwrap();
            let found = SeekableFile::open(&path, folder.path(), Limits::default()).unwrap_or_else(|_| unreachable!());
            let unpacked = folder.path().join(UNPACKED);
            assert_eq!(std::fs::read(&unpacked).unwrap(), b"content");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                assert_eq!(unpacked.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            }
            assert_eq!((found.bytes, found.content_bytes), (packed.len() as u64, 7));
            drop(found);
            assert!(!unpacked.exists());
        }
    }
}
