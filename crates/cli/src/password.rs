//! Asks for passwords.

use std::fs::File;
use std::io;

use keystead_crypto::Secret;
use rpassword::ConfigBuilder;

use crate::output;

const TERMINAL: &str = "/dev/tty";

/// Shows `prompt` on standard error and reads a line without echo: from the terminal that
/// controls this process, or from standard input if there is none.
pub(crate) fn ask(prompt: &str) -> io::Result<Secret> {
    output::note(prompt);
    let input = match File::open(TERMINAL) {
        Ok(_) => ConfigBuilder::new().input_file_path(TERMINAL),
        Err(_) => ConfigBuilder::new().input_reader(io::stdin()),
    };
    let answer = rpassword::read_password_with_config(input.output_discard().build());
    output::note("\n");
    answer.map(Secret::new)
}
