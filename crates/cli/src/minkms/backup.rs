//! `minkms backup`: a copy of all that a server knows, sealed by the server.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use keystead_client_kms::Download;

use crate::output::{self, Output};

use super::client::ClientArgs;

const MODE: u32 = 0o600;

#[derive(Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Overwrite the file
    #[arg(short, long)]
    force: bool,

    /// How the file is compressed
    #[arg(long, value_enum, default_value_t = Format::Gzip)]
    compress: Format,

    /// File to write [default: YYYYMMDD_HHMMSS_kms.db.gzip in this folder]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Gzip,
    Off,
}

/// Takes the bytes of a backup.
enum Sink {
    Gzip(GzEncoder<File>),
    Plain(File),
}

// === impl BackupArgs ===

impl BackupArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let file = match self.file {
            Some(file) => file,
            None => self.compress.default_name(Timestamp::now()),
        };
        if !self.force && file.try_exists()? {
            bail!("'{}' exists. Use '--force' to overwrite it", file.display());
        }
        self.client.run(async |client| {
            let backup = client.read_db().await?;
            write(backup, &file, self.compress).await?;
            if !output.json {
                output::print(&format!("{}\n", file.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Writes the whole backup or, if that is not possible, nothing: until it is complete it
/// stands under another name.
async fn write(mut backup: Download, file: &Path, format: Format) -> Result<()> {
    let failed = || format!("failed to write '{}'", file.display());
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(name);
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(MODE).open(&part);
    let mut sink = format.sink(opened.with_context(failed)?);
    let written = async {
        while let Some(piece) = backup.next().await? {
            sink.write(&piece).with_context(failed)?;
        }
        sink.finish().with_context(failed)?;
        fs::rename(&part, file).with_context(failed)
    };
    let written: Result<()> = written.await;
    if written.is_err() {
        fs::remove_file(&part).ok();
    }
    written
}

// === impl Format ===

impl Format {
    fn default_name(self, now: Timestamp) -> PathBuf {
        let end = match self {
            Self::Gzip => "kms.db.gzip",
            Self::Off => "kms.db",
        };
        PathBuf::from(format!("{}_{end}", now.strftime("%Y%m%d_%H%M%S")))
    }

    fn sink(self, file: File) -> Sink {
        match self {
            Self::Gzip => Sink::Gzip(GzEncoder::new(file, Compression::fast())),
            Self::Off => Sink::Plain(file),
        }
    }
}

// === impl Sink ===

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Plain(file) => file.write_all(bytes),
        }
    }

    /// Makes what was written last.
    fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Plain(file) => file,
        };
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_time() {
        let now = "2026-11-21T16:05:09Z".parse().unwrap();
        let name = Format::Gzip.default_name(now);
        assert_eq!(name, PathBuf::from("20261121_160509_kms.db.gzip"));
        let name = Format::Off.default_name(now);
        assert_eq!(name, PathBuf::from("20261121_160509_kms.db"));
    }
}
