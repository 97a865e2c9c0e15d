//! Runs the commands in README.md and below docs, so that none of them can rot.
//!
//! A ```` ```console ```` block holds commands (`$ …`, continued by a trailing `\` or a
//! `> …` line) and below each the output lines that must appear, in that order;
//! `[..]` matches anything. A command ending in `&` stays in the background, and the
//! next one waits for its listed output. A block marked `file=NAME` is written to
//! that file. A document runs top to bottom in one shell and one scratch folder.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use keystead_doubles::{Moto, OpenBao};

use crate::appliance::Appliances;
use crate::azure::Cloud;
use crate::imports::root;

#[test]
fn every_documented_command_works() -> Result<()> {
    let mut commands = 0;
    let bao = OpenBao::program()?;
    let moto = Moto::program()?;
    for document in documents()? {
        let text = std::fs::read_to_string(&document)?;
        let lacks = |command: &str, peer: &Option<PathBuf>| {
            text.contains(&format!("\n$ {command} ")) && peer.is_none()
        };
        if parse(&text)?.is_empty() || lacks("bao", &bao) || lacks("moto_server", &moto) {
            continue;
        }
        let mut shell = Shell::start([&bao, &moto])?;
        let appliances = Appliances::of(&text, shell.folder.path())?;
        let text = appliances.fill_in(&text);
        let cloud = Cloud::of(&text, shell.folder.path())?;
        let text = match &cloud {
            Some(cloud) => cloud.fill_in(&text),
            None => text,
        };
        for step in &parse(&text)? {
            let place = || format!("{}:{}", document.display(), step.line());
            shell.run(step).with_context(place)?;
            commands += usize::from(matches!(step, Step::Command { .. }));
        }
    }
    println!("documented commands: {commands}");
    ensure!(commands > 0, "no command is documented");
    Ok(())
}

#[test]
fn blocks_are_read_as_described() -> Result<()> {
    let text = "a\n```console\n$ one \\\n  more\n> last\nout [..]\n\n$ two &\n```\n\
                ```yaml file=x.yml\na: 1\n```\n```sh\n$ no\n```\n";
    let steps = parse(text)?;
    let expected = [
        Step::Command {
            line: 3,
            text: "one \\\n  more\nlast".into(),
            output: vec!["out [..]".into()],
        },
        Step::Command {
            line: 8,
            text: "two &".into(),
            output: vec![],
        },
        Step::File {
            line: 10,
            name: "x.yml".into(),
            content: "a: 1\n".into(),
        },
    ];
    assert_eq!(steps, expected);
    Ok(())
}

#[test]
fn wildcards_match_any_text() {
    assert!(matches("a [..] c", "a b c"));
    assert!(matches("[..]b[..]", "abc"));
    assert!(matches("plain", "plain"));
    assert!(!matches("a [..] c", "a b d"));
    assert!(!matches("plain", "plain text"));
    assert!(!matches("aa[..]aa", "aaa"));
}

fn documents() -> Result<Vec<PathBuf>> {
    let mut found = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[derive(Debug, PartialEq)]
enum Step {
    Command {
        line: usize,
        text: String,
        output: Vec<String>,
    },
    File {
        line: usize,
        name: String,
        content: String,
    },
}

impl Step {
    fn line(&self) -> usize {
        match self {
            Self::Command { line, .. } | Self::File { line, .. } => *line,
        }
    }
}

fn parse(text: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((opening, at)) = lines.next() {
        let Some(info) = opening.strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines
            .by_ref()
            .take_while(|(line, _)| !line.starts_with("```"))
            .collect();
        if info == "console" {
            parse_commands(&block, &mut steps)?;
        } else if let Some((_, name)) = info.split_once("file=") {
            let content = block.iter().map(|(line, _)| format!("{line}\n")).collect();
            steps.push(Step::File {
                line: at,
                name: name.trim().into(),
                content,
            });
        }
    }
    Ok(steps)
}

fn parse_commands(block: &[(&str, usize)], steps: &mut Vec<Step>) -> Result<()> {
    let first = steps.len();
    for &(text, line) in block {
        if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step::Command {
                line,
                text: command.into(),
                output: Vec::new(),
            });
            continue;
        }
        let Some(Step::Command {
            text: command,
            output,
            ..
        }) = steps.get_mut(first..).and_then(<[_]>::last_mut)
        else {
            bail!("line {line}: output before any command");
        };
        let continuation = text
            .strip_prefix("> ")
            .or(command.ends_with('\\').then_some(text));
        if let (true, Some(more)) = (output.is_empty(), continuation) {
            command.push('\n');
            command.push_str(more);
        } else if !text.trim().is_empty() {
            output.push(text.trim_end().into());
        }
    }
    Ok(())
}

fn matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else {
        return pattern == line;
    };
    let mut parts: Vec<_> = rest.split("[..]").collect();
    let end = parts.pop().unwrap_or_default();
    let last = line.strip_prefix(start).and_then(|line| {
        parts
            .into_iter()
            .try_fold(line, |line, part| Some(line.split_once(part)?.1))
    });
    last.is_some_and(|line| line.ends_with(end))
}

/// A shell whose commands and output go through pipes.
struct Shell {
    child: Child,
    output: BufReader<File>,
    folder: tempfile::TempDir,
}

/// Ends the output of a command; the exit status follows.
const MARK: &str = "\u{1}exit status ";

impl Shell {
    /// The peers are programs beside those that commands may use.
    fn start(peers: [&Option<PathBuf>; 2]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let kes = assert_cmd::cargo::cargo_bin("kes");
        let binaries = kes.parent().context("the folder of kes")?;
        let mut folders = vec![binaries.to_owned()];
        for peer in peers.into_iter().flatten() {
            folders.extend(peer.parent().map(Path::to_owned));
            // Beside the link there may be less than beside the program.
            let program = peer.canonicalize()?;
            folders.extend(program.parent().map(Path::to_owned));
        }
        let path = std::env::var_os("PATH").context("no PATH")?;
        folders.extend(std::env::split_paths(&path));
        let (output, writer) = std::io::pipe()?;
        let child = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .env_clear()
            .env("HOME", folder.path())
            .env("PATH", std::env::join_paths(folders)?)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            // Its own group, so that background commands end with it.
            .process_group(0)
            .spawn()?;
        let output = BufReader::new(File::from(OwnedFd::from(output)));
        Ok(Self {
            child,
            output,
            folder,
        })
    }

    fn run(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::File { name, content, .. } => {
                let path = self.folder.path().join(name);
                std::fs::create_dir_all(path.parent().context("a folder")?)?;
                Ok(std::fs::write(path, content)?)
            }
            Step::Command { text, output, .. } => self.command(text, output),
        }
    }

    fn command(&mut self, text: &str, expected: &[String]) -> Result<()> {
        let input = self.child.stdin.as_mut().context("a pipe")?;
        writeln!(input, "{text}\nprintf '\\n{MARK}%s\\n' $?")?;
        let background = text.ends_with('&');
        let mut expected: VecDeque<_> = expected.iter().collect();
        let mut seen = String::new();
        let mut status = None;
        while status.is_none() || (background && !expected.is_empty()) {
            let mut line = String::new();
            let length = self.output.read_line(&mut line)?;
            ensure!(length > 0, "`{text}` ended the shell:\n{seen}");
            let line = line.trim_end();
            if let Some(code) = line.strip_prefix(MARK) {
                status = Some(code.to_owned());
                continue;
            }
            seen.push_str(line);
            seen.push('\n');
            if expected
                .front()
                .is_some_and(|pattern| matches(pattern, line))
            {
                expected.pop_front();
            }
        }
        ensure!(status.as_deref() == Some("0"), "`{text}` failed:\n{seen}");
        match expected.front() {
            Some(missing) => bail!("`{text}` did not print `{missing}`:\n{seen}"),
            None => Ok(()),
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
        assert!(
            killed.is_ok() && self.child.wait().is_ok(),
            "the shell could not be ended"
        );
    }
}
