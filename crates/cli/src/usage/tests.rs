use super::*;

/// A little tree with everything that a refusal is worded after.
#[derive(Debug, Parser)]
#[command(name = "kes", disable_help_subcommand = true)]
struct Tree {
    #[arg(long, global = true, value_parser = ["auto", "never"])]
    color: Option<String>,

    #[command(subcommand)]
    command: Top,
}

#[derive(Debug, clap::Subcommand)]
enum Top {
    #[command(subcommand)]
    Key(Key),
}

#[derive(Debug, clap::Subcommand)]
enum Key {
    Create {
        #[arg(short = 'k', long)]
        insecure: bool,
        #[arg(short, long)]
        force: bool,
        #[arg(long)]
        key: Option<String>,
        name: Option<String>,
    },
}

fn parse_words(words: &str) -> Result<Tree, Refusal> {
    let args: Vec<_> = words.split(' ').map(OsString::from).collect();
    parse(&args)
}

fn wrong(words: &str) -> String {
    match parse_words(words) {
        Err(Refusal::Wrong(message)) => message,
        other => panic!("{words}: {other:?}"),
    }
}

#[test]
fn refusals_have_the_published_texts() {
    for (words, message) in [
        ("kes --foo", "unknown flag: --foo. See 'kes --help'"),
        (
            "kes key create --foo=1",
            "unknown flag: --foo. See 'kes key create --help'",
        ),
        (
            "kes key create -x",
            "unknown shorthand flag: 'x' in -x. See 'kes key create --help'",
        ),
        (
            "kes key create -kx",
            "unknown shorthand flag: 'x' in -kx. See 'kes key create --help'",
        ),
        (
            "kes key create --key",
            "flag needs an argument: --key. See 'kes key create --help'",
        ),
        ("kes foo", "\"foo\" is not a kes command. See 'kes --help'"),
        (
            "kes key foo",
            "\"foo\" is not a key command. See 'kes key --help'",
        ),
        (
            "kes key create a b",
            "too many arguments. See 'kes key create --help'",
        ),
        (
            "kes key create --insecure=maybe",
            "invalid argument \"maybe\" for \"-k, --insecure\" flag: strconv.ParseBool: \
             parsing \"maybe\": invalid syntax. See 'kes key create --help'",
        ),
    ] {
        assert_eq!(wrong(words), message, "{words}");
    }
    let message = wrong("kes key create --color x");
    assert!(
        message.starts_with("invalid argument \"x\" for \"--color\" flag: "),
        "{message}"
    );
}

#[test]
fn help_is_the_answer_to_groups_and_help_flags() {
    for words in ["kes", "kes key", "kes key --help", "kes key create -h"] {
        let Err(Refusal::Help(help)) = parse_words(words) else {
            panic!("{words}")
        };
        let name = words.trim_end_matches(" --help").trim_end_matches(" -h");
        let help = anstream::adapter::strip_str(&help).to_string();
        assert!(help.contains(&format!("Usage: {name} ")), "{words}: {help}");
        assert!(help.contains("--color"), "{words}: {help}");
    }
}

#[test]
fn switches_take_values_and_repeat() {
    let insecure_and_force = |words: &str| {
        let Top::Key(Key::Create {
            insecure, force, ..
        }) = parse_words(words).unwrap().command;
        (insecure, force)
    };
    assert_eq!(insecure_and_force("kes key create -kf"), (true, true));
    assert_eq!(
        insecure_and_force("kes key create a -k --force=false"),
        (true, false)
    );
    assert_eq!(
        insecure_and_force("kes key create -k -k -- -f"),
        (true, false)
    );
    assert_eq!(insecure_and_force("kes key create"), (false, false));
}
