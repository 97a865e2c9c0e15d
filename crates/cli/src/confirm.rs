//! Asks before something is done that cannot be undone.

use std::io::{self, BufRead, IsTerminal};

use crate::output;

/// Whether keys are to be deleted.
pub(crate) fn deletion(names: &[String]) -> io::Result<bool> {
    ask(&question(names))
}

/// Whether the answer to `question` is yes. Asks on a terminal; where nobody can answer,
/// whoever wrote the script has.
pub(crate) fn ask(question: &str) -> io::Result<bool> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(true);
    }
    output::note(question);
    answer(stdin.lock())
}

fn question(names: &[String]) -> String {
    let keys = match names {
        [name] => format!("key {name:?}"),
        names => format!("keys {}", names.join(", ")),
    };
    format!("Delete {keys}? What was encrypted with it is lost. [y/N] ")
}

/// Anything but a yes is a no, and so is the end of the input.
fn answer(mut input: impl BufRead) -> io::Result<bool> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(
        line.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (input, yes) in [
            ("y\n", true),
            (" YES \r\n", true),
            ("y", true),
            ("", false),
            ("\n", false),
            ("n\n", false),
            ("my-key\n", false),
        ] {
            assert_eq!(answer(input.as_bytes()).unwrap(), yes, "{input:?}");
        }
    }

    #[test]
    fn questions_name_the_keys() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert!(question(&names(&["a"])).starts_with("Delete key \"a\"? "));
        assert!(question(&names(&["a", "b"])).starts_with("Delete keys a, b? "));
    }
}
