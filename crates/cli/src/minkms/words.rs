//! Commands of two words, as old documentation has them.

use std::ffi::OsString;

const VERBS: [&str; 5] = ["add", "rm", "ls", "stat", "get"];

/// What verbs are about, each with its spellings.
const NOUNS: [(&str, &[&str]); 5] = [
    ("enclave", &["enclave", "enclaves"]),
    ("key", &["key", "keys"]),
    ("policy", &["policy", "policies"]),
    ("identity", &["identity", "identities"]),
    ("hsm", &["hsm", "hsms"]),
];

/// Turns `add enclave NAME` into `add-enclave NAME`, and `policy add …` into
/// `add-policy …`.
///
/// `add` and `rm` alone take a host, which may be called `key`; so they need one word
/// more.
pub(super) fn join(mut args: Vec<OsString>) -> Vec<OsString> {
    let joined = match args.get(1..).map(|args| {
        let mut words = args.iter().map(|arg| arg.to_str().unwrap_or_default());
        (words.next(), words.next(), words.next())
    }) {
        Some((Some(first), Some(second), third)) => compound(first, second, third),
        _ => None,
    };
    if let Some(joined) = joined {
        args.splice(1..3, [joined.into()]);
    }
    args
}

fn compound(first: &str, second: &str, third: Option<&str>) -> Option<String> {
    let noun = |word: &str| {
        let known = NOUNS.iter();
        let mut known = known.filter(|(_, spellings)| spellings.contains(&word));
        known.next().map(|(noun, _)| *noun)
    };
    let needs_more = matches!(first, "add" | "rm");
    if VERBS.contains(&first) && (third.is_some() || !needs_more) {
        return noun(second).map(|noun| format!("{first}-{noun}"));
    }
    // `identity` is a command of its own.
    let noun = noun(first).filter(|noun| *noun != "identity")?;
    let verb = match second {
        "set" if noun == "policy" => "set",
        verb if VERBS.contains(&verb) => verb,
        _ => return None,
    };
    Some(format!("{verb}-{noun}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(line: &str) -> String {
        let args = line.split(' ').map(OsString::from).collect();
        let args: Vec<_> = join(args).into_iter().map(OsString::into_string).collect();
        args.into_iter()
            .collect::<Result<Vec<_>, _>>()
            .unwrap()
            .join(" ")
    }

    #[test]
    fn old_forms_become_new_ones() {
        for (old, new) in [
            ("minkms add enclave -k demo", "minkms add-enclave -k demo"),
            ("minkms ls keys", "minkms ls-key"),
            ("minkms stat policy p", "minkms stat-policy p"),
            ("minkms policy add p f", "minkms add-policy p f"),
            ("minkms policy set p i", "minkms set-policy p i"),
            ("minkms rm identities a b", "minkms rm-identity a b"),
        ] {
            assert_eq!(joined(old), new);
        }
    }

    #[test]
    fn everything_else_stays() {
        for line in [
            "minkms",
            "minkms add",
            "minkms add key",
            "minkms add kms-b:7373",
            "minkms rm kms-b",
            "minkms identity k1:x",
            "minkms identity add",
            "minkms -k add enclave",
        ] {
            assert_eq!(joined(line), line);
        }
    }
}
