//! The `minkms` program: MinIO KMS server and its command line.

use std::env;
use std::process::ExitCode;

use keystead_cli::Build;

/// What `build.rs` found out.
const BUILD: Build = Build {
    version: env!("BUILD_VERSION"),
    commit: env!("BUILD_COMMIT"),
    toolchain: env!("BUILD_TOOLCHAIN"),
};

fn main() -> ExitCode {
    keystead_cli::minkms(env::args_os(), BUILD)
}
