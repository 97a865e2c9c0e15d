//! Parses arguments with clap and says what is wrong with them in the words that KES
//! users and scripts know.
//!
//! Scripts match on these texts, so every kind of refusal is put together here instead of
//! taken from clap.

use std::error::Error;
use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, Parser};

/// Why the arguments start no command.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// Help was asked for, or a group of commands was called without one of them.
    Help(String),
    /// The arguments are wrong; the text says how.
    Wrong(String),
}

/// Parses `args`, the program's name first.
pub(crate) fn parse<P: Parser>(args: &[OsString]) -> Result<P, Refusal> {
    relaxed(P::command())
        .args_override_self(true)
        .try_get_matches_from(args)
        .and_then(|matches| P::from_arg_matches(&matches))
        .map_err(|error| refusal(&built(P::command()), args, &error))
}

/// The help of the command that `path` leads to, such as `["key", "create"]`.
pub(crate) fn help<P: CommandFactory>(path: &[&str]) -> String {
    let root = built(P::command());
    rendered(path.iter().fold(&root, |command, name| {
        command.find_subcommand(name).unwrap_or(command)
    }))
}

/// A text that ends with where to look it up.
pub(crate) fn see(message: &str, command: &str) -> String {
    format!("{message}. See '{command} --help'")
}

/// Lets every switch take a value, as in `--insecure=false`.
fn relaxed(command: Command) -> Command {
    command
        .mut_args(|arg| match arg.get_action() {
            ArgAction::SetTrue => arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .default_value("false")
                .value_parser(switch),
            _ => arg,
        })
        .mut_subcommands(relaxed)
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!(
            "strconv.ParseBool: parsing {text:?}: invalid syntax"
        )),
    }
}

fn refusal(root: &Command, args: &[OsString], error: &clap::Error) -> Refusal {
    let command = called(root, args);
    let context = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let message = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand => return Refusal::Help(rendered(command)),
        ErrorKind::InvalidSubcommand => {
            let name = context(ContextKind::InvalidSubcommand);
            format!("{name:?} is not a {} command", command.get_name())
        }
        ErrorKind::UnknownArgument if argument.starts_with("--") => {
            format!("unknown flag: {argument}")
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => unknown_short(&argument, args),
        ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict => "too many arguments".to_owned(),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("flag needs an argument: {}", flag(command, &argument))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let cause = error
                .source()
                .map_or("invalid value".to_owned(), ToString::to_string);
            format!(
                "invalid argument {value:?} for {:?} flag: {cause}",
                flag(command, &argument)
            )
        }
        ErrorKind::MissingRequiredArgument => format!("missing {argument}"),
        kind => kind.to_string(),
    };
    Refusal::Wrong(see(&message, full_name(command)))
}

/// A tree in which every command knows its full name and all its options.
fn built(mut root: Command) -> Command {
    root.build();
    root
}

/// The command that `args` name.
fn called<'a>(root: &'a Command, args: &[OsString]) -> &'a Command {
    let words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    words
        .filter(|word| !word.starts_with('-'))
        .try_fold(root, |command, word| {
            command.find_subcommand(word).ok_or(command)
        })
        .unwrap_or_else(|command| command)
}

/// Such as `kes key create`.
fn full_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

fn rendered(command: &Command) -> String {
    command.clone().render_help().ansi().to_string()
}

/// Names the word of `args` that has the unknown letter, as `'x' in -kx`.
fn unknown_short(argument: &str, args: &[OsString]) -> String {
    let letter = argument.trim_start_matches('-');
    let is_group =
        |word: &&str| word.starts_with('-') && !word.starts_with("--") && word.contains(letter);
    let word = args
        .iter()
        .skip(1)
        .filter_map(|arg| arg.to_str())
        .find(is_group);
    format!(
        "unknown shorthand flag: '{letter}' in {}",
        word.unwrap_or(argument)
    )
}

/// The name of the flag that clap shows as `--key <PATH>`: `-k, --key` or `--key`.
fn flag(command: &Command, shown: &str) -> String {
    let name = shown.split(['[', '=', ' ']).next().unwrap_or(shown);
    let long = name.trim_start_matches('-');
    let flag = command
        .get_arguments()
        .find(|flag| flag.get_long() == Some(long));
    match flag.and_then(Arg::get_short) {
        Some(short) => format!("-{short}, {name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
