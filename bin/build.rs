//! Records the commit that a program is built from, its time, and the compiler.
//!
//! Nothing else of the machine or the moment gets into the program, so that one commit
//! gives the same bytes everywhere. Without a repository the values are `<unknown>`.

use std::env;
use std::process::Command;

use jiff::Timestamp;

const UNKNOWN: &str = "<unknown>";

fn main() {
    // The log of HEAD grows with every commit and every change of branches.
    println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
    for (name, value) in [
        ("BUILD_COMMIT", head("%H")),
        (
            "BUILD_VERSION",
            head("%ct").and_then(|seconds| version(&seconds)),
        ),
        ("BUILD_TOOLCHAIN", toolchain()),
    ] {
        let value = value.as_deref().unwrap_or(UNKNOWN);
        println!("cargo::rustc-env={name}={value}");
    }
}

/// Something about the commit that is checked out.
fn head(format: &str) -> Option<String> {
    let format = format!("--format={format}");
    output(Command::new("git").args(["log", "-1", &format]))
}

/// The commit time in seconds as a version: RFC 3339 with `-` for every `:`.
fn version(seconds: &str) -> Option<String> {
    let time = Timestamp::from_second(seconds.parse().ok()?).ok()?;
    Some(time.to_string().replace(':', "-"))
}

/// Such as `rust1.95.0`.
fn toolchain() -> Option<String> {
    let version = output(Command::new(env::var_os("RUSTC")?).arg("--version"))?;
    Some(format!("rust{}", version.split(' ').nth(1)?))
}

/// What a command that succeeds prints, without white space around it.
fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout)
        .ok()
        .map(|text| text.trim().to_owned())
}
