use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that came to its end.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command that is running. It is killed when dropped.
pub struct Process {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

struct Lines(Receiver<String>);

// === impl Finished ===

impl Finished {
    pub(crate) fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: code(output.status),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

// === impl Process ===

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        Ok(Self {
            child,
            stdout: Lines::of(stdout),
            stderr: Lines::of(stderr),
        })
    }

    /// Waits for a line of standard output that contains `text`; gives all lines up to it.
    ///
    /// # Errors
    ///
    /// If the process ends before, or a minute passes.
    pub fn printed(&self, text: &str) -> Result<String> {
        self.stdout.until(text).or_else(|error| {
            let stderr: Vec<_> = self.stderr.0.try_iter().collect();
            bail!("{error}; standard error: {}", stderr.join("\n"))
        })
    }

    /// Waits for a line of standard error that contains `text`; gives all lines up to it.
    ///
    /// # Errors
    ///
    /// If the process ends before, or a minute passes.
    pub fn complained(&self, text: &str) -> Result<String> {
        self.stderr.until(text)
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// If the process has ended.
    pub fn send(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Ends a server the usual way; gives everything it has printed and nobody read.
    ///
    /// # Errors
    ///
    /// If it says that something went wrong.
    pub fn stop(self) -> Result<String> {
        self.send(Signal::TERM)?;
        let end = self.finish()?;
        ensure!(end.code == 0, "{}", end.stderr);
        Ok(end.stdout + &end.stderr)
    }

    /// How many files and connections the process has open.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn descriptors(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.id()))?.count())
    }

    /// The resident memory of the process in KiB.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let figure = line.and_then(|line| line.split_whitespace().next());
        Ok(figure.context("no VmRSS")?.parse()?)
    }

    /// Waits for the end; gives the exit code and what was printed and not yet read.
    ///
    /// # Errors
    ///
    /// If the process cannot be waited for.
    pub fn finish(mut self) -> Result<Finished> {
        Ok(Finished {
            stdout: self.stdout.rest(),
            stderr: self.stderr.rest(),
            code: code(self.child.wait()?),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It fails if the process has ended, which is as well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

// === impl Lines ===

impl Lines {
    /// Reads on a thread, so that the process never waits for the test.
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }

    fn until(&self, text: &str) -> Result<String> {
        let mut lines = String::new();
        while !lines.contains(text) {
            let line = self.0.recv_timeout(PATIENCE);
            let line = line.with_context(|| format!("no line with '{text}' after: {lines}"))?;
            lines.push_str(&line);
            lines.push('\n');
        }
        Ok(lines)
    }

    fn rest(&self) -> String {
        self.0.iter().map(|line| line + "\n").collect()
    }
}
