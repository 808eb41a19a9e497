//! Lines that end in their own checksum: the last says how many there were and what they hash to, so that whoever reads them knows whether
//! all of them are there, as they were written. Backups and replay cases are such files.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::BackupError;

/// Longest line. A tool is far below.
const MAX_LINE: u64 = 64 << 20;
/// How the last line begins.
const LAST: &str = "{\"end\":";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Lines, with the last.
    pub lines: u64,
    /// SHA-256 of all but the last, in hex.
    pub sha256: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Last {
    End(End),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct End {
    lines: u64,
    sha256: String,
}

/// Lines on their way out.
pub struct Writing<W> {
    out: W,
    hash: Sha256,
    lines: u64,
}

impl<W: std::fmt::Debug> std::fmt::Debug for Writing<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl<W: Write> Writing<W> {
    /// None yet.
    pub fn to(out: W) -> Self {
        Self { out, hash: Sha256::new(), lines: 0 }
    }

    /// The next line, which has no line end in it.
    ///
    /// # Errors
    /// `out` does not take it.
    pub fn line(&mut self, line: &str) -> Result<(), std::io::Error> {
        for part in [line.as_bytes(), b"\n"] {
            self.hash.update(part);
            self.out.write_all(part)?;
        }
        self.lines += 1;
        Ok(())
    }

    /// The same for what serialises to one.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn entry(&mut self, entry: &impl Serialize) -> Result<(), std::io::Error> {
        self.line(&serde_json::to_string(entry).map_err(std::io::Error::other)?)
    }

    /// Where it goes, to take away what is written so far.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// The last line.
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn end(mut self) -> Result<(Written, W), std::io::Error> {
        let sha256 = hex::encode(self.hash.finalize());
        let last = Last::End(End { lines: self.lines, sha256: sha256.clone() });
        writeln!(self.out, "{}", serde_json::to_string(&last).map_err(std::io::Error::other)?)?;
        self.out.flush()?;
        Ok((Written { lines: self.lines + 1, sha256 }, self.out))
    }
}

/// Lines on their way in.
pub struct Reading<R> {
    from: R,
    hash: Sha256,
    lines: u64,
    text: String,
}

impl<R: BufRead> Reading<R> {
    /// None yet.
    pub fn of(from: R) -> Self {
        Self { from, hash: Sha256::new(), lines: 0, text: String::new() }
    }

    /// The next line with its number from 1; `None` after the last, where all are as they were written.
    ///
    /// # Errors
    /// Not readable, cut off, changed. Of what was read before nothing is to be believed then.
    pub fn next_line(&mut self) -> Result<Option<(u64, &str)>, BackupError> {
        self.text.clear();
        let number = self.lines + 1;
        let wrong = |detail: String| BackupError::Line { line: number, detail };
        let read = std::io::Read::take(&mut self.from, MAX_LINE).read_line(&mut self.text).map_err(|e| wrong(e.to_string()))?;
        if read == 0 || !self.text.ends_with('\n') {
            return Err(BackupError::Cut { lines: self.lines });
        }
        if self.text.starts_with(LAST) {
            let Last::End(end) = serde_json::from_str(&self.text).map_err(|e| wrong(format!("is no last line: {e}")))?;
            let same = end.lines == self.lines && end.sha256 == hex::encode(self.hash.clone().finalize());
            return if same { Ok(None) } else { Err(BackupError::Changed) };
        }
        self.hash.update(self.text.as_bytes());
        self.lines = number;
        Ok(Some((number, self.text.trim_end_matches('\n'))))
    }
}

impl<R> std::fmt::Debug for Reading<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("lines", &self.lines).finish_non_exhaustive()
    }
}
