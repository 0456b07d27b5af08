//! numpy on the same matrix: a Python process that answers one line for each that it is sent.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running `peers/numpy_xtx.py`.
#[derive(Debug)]
pub struct Numpy {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Its version, as it says itself.
    pub version: String,
}

impl Numpy {
    /// Starts Python on `matrix`: 64-bit floats, column after column, `rows` each; `threads` for its BLAS.
    ///
    /// # Errors
    /// When there is no `python3`, or it has no numpy.
    pub fn start(matrix: &Path, rows: usize, threads: usize) -> Result<Numpy, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/numpy_xtx.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg(matrix)
            .arg(rows.to_string())
            .env("OPENBLAS_NUM_THREADS", threads.to_string())
            .env("OMP_NUM_THREADS", threads.to_string())
            .env("MKL_NUM_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().ok_or("python3 takes no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("python3 gives no output")?);
        let mut numpy = Numpy { child, input, output, version: String::new() };
        numpy.version = numpy.line()?;
        Ok(numpy)
    }

    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("numpy did not answer".into());
        }
        Ok(line.trim().to_string())
    }

    /// Seconds of one X'X over the first `columns` columns.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn seconds(&mut self, columns: usize) -> Result<f64, Box<dyn Error>> {
        writeln!(self.input, "{columns}")?;
        self.input.flush()?;
        Ok(self.line()?.parse()?)
    }
}

impl Drop for Numpy {
    fn drop(&mut self) {
        // Its input ends, and so does it; if not, it is stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
