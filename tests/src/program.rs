use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::{Finished, Process};

/// A folder of its own to run `kes` and `minkms` in, removed at the end.
pub struct Folder {
    path: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Folder {
    /// An empty folder.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn new() -> Result<Self> {
        Ok(Self {
            path: TempDir::new()?,
            variables: Vec::new(),
        })
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.path.path()
    }

    /// Sets an environment variable for all commands from now on.
    pub fn export(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.push((name, value.into()));
    }

    /// Writes a file into the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        fs::write(self.path().join(name), content).context("writing a file")
    }

    /// Reads a file in the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, name: &str) -> Result<String> {
        fs::read_to_string(self.path().join(name)).context("reading a file")
    }

    /// The command `line`, split at blanks, with nothing in its environment but what was
    /// exported. Its first word is `kes` or `minkms`.
    ///
    /// # Errors
    ///
    /// If the program cannot be built.
    pub fn command(&self, line: &str) -> Result<Command> {
        let mut words = line.split_whitespace();
        let program = match words.next() {
            Some("kes") => kes()?,
            Some("minkms") => minkms()?,
            _ => bail!("neither a kes nor a minkms command: {line}"),
        };
        let mut command = Command::new(program);
        command
            .args(words)
            .env_clear()
            .env("HOME", self.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path());
        Ok(command)
    }

    /// Runs the command `line` to its end.
    ///
    /// # Errors
    ///
    /// If it cannot be started or prints something else than text.
    pub fn run(&self, line: &str) -> Result<Finished> {
        Finished::of(self.command(line)?.output()?)
    }

    /// Starts the command `line`.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(&self, line: &str) -> Result<Process> {
        Process::start(self.command(line)?)
    }

    /// Starts the server `line` and waits until it is up. Commands from now on talk to it.
    /// Gives its banner, too.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn serve(&mut self, line: &str) -> Result<(Process, String)> {
        let server = self.start(line)?;
        let banner = server.printed("=> Server is up and running...")?;
        let address = banner.split_once("· ").context("no address")?.1;
        let address = address.lines().next().context("no address")?;
        let variable = match line.starts_with("minkms") {
            true => "MINIO_KMS_SERVER",
            false => "KES_SERVER",
        };
        self.export(variable, address);
        Ok((server, banner))
    }
}

fn kes() -> Result<&'static Path> {
    static KES: OnceLock<PathBuf> = OnceLock::new();
    program(&KES, "kes", "KEYSTEAD_KES")
}

fn minkms() -> Result<&'static Path> {
    static MINKMS: OnceLock<PathBuf> = OnceLock::new();
    program(&MINKMS, "minkms", "KEYSTEAD_MINKMS")
}

/// A program: the one that `variable` names, or else built in the profile and folder of this
/// test.
fn program(found: &'static OnceLock<PathBuf>, name: &str, variable: &str) -> Result<&'static Path> {
    if let Some(program) = found.get() {
        return Ok(program);
    }
    if let Some(program) = env::var_os(variable) {
        return Ok(found.get_or_init(|| program.into()));
    }
    // TARGET/PROFILE/deps/TEST
    let test = env::current_exe()?;
    let profile = test.ancestors().nth(2).context("no profile folder")?;
    let target = profile.parent().context("no target folder")?;
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", name])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "{name} does not build");
    Ok(found.get_or_init(|| profile.join(name)))
}
