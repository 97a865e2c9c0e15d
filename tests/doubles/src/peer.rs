use std::env;
use std::path::PathBuf;

use anyhow::{Result, ensure};

/// The program of a real server: the one that the environment variable `variable`
/// names, or else `file` where `./dev test` puts it. `None` if it is not installed; with
/// `CI=true` that is an error.
#[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
pub(crate) fn program(name: &str, variable: &str, file: &str) -> Result<Option<PathBuf>> {
    let program = match env::var_os(variable) {
        Some(program) => PathBuf::from(program),
        None => {
            let cache = env::var_os("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
            cache.unwrap_or_default().join("keystead/peers").join(file)
        }
    };
    if program.is_file() {
        return Ok(Some(program));
    }
    let message = format!("{name} is not installed at {}", program.display());
    ensure!(
        env::var("CI").as_deref() != Ok("true"),
        "{message}: run './dev test'"
    );
    eprintln!("skipped: {message}");
    Ok(None)
}
