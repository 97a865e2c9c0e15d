//! Arguments, help, credentials, and what every command has in common.

use std::fs;

use anyhow::Result;
use keystead_tests::Folder;

use crate::{API_KEY, assert_error, output, server};

#[test]
fn help_goes_to_standard_error_with_code_2() -> Result<()> {
    let folder = Folder::new()?;
    for line in [
        "kes",
        "kes --help",
        "kes key",
        "kes policy",
        "kes key create -h",
        "kes ls --help",
        "kes identity new --help",
        "kes log --audit=false",
    ] {
        let done = folder.run(line)?;
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{line}");
        assert!(
            done.stderr.contains("Usage: kes"),
            "{line}: {}",
            done.stderr
        );
    }
    Ok(())
}

#[test]
fn wrong_arguments_are_refused_with_the_published_texts() -> Result<()> {
    let folder = Folder::new()?;
    for (line, message) in [
        ("kes foo", "\"foo\" is not a kes command. See 'kes --help'"),
        (
            "kes key foo",
            "\"foo\" is not a key command. See 'kes key --help'",
        ),
        (
            "kes policy foo",
            "\"foo\" is not a policy command. See 'kes policy --help'",
        ),
        (
            "kes key create --foo",
            "unknown flag: --foo. See 'kes key create --help'",
        ),
        (
            "kes ls -x",
            "unknown shorthand flag: 'x' in -x. See 'kes ls --help'",
        ),
        (
            "kes identity new --key",
            "flag needs an argument: --key. See 'kes identity new --help'",
        ),
        (
            "kes ls --color x",
            "invalid argument \"x\" for \"--color\" flag: invalid color option. See 'kes ls --help'",
        ),
        (
            "kes key create",
            "no key name specified. See 'kes key create --help'",
        ),
        (
            "kes key info a b",
            "too many arguments. See 'kes key info --help'",
        ),
        (
            "kes key import",
            "no key name specified. See 'kes key import --help'",
        ),
        (
            "kes key import a",
            "no crypto key specified. See 'kes key import --help'",
        ),
        (
            "kes policy show",
            "no policy name specified. See 'kes policy show --help'",
        ),
        (
            "kes ls -i -p",
            "'-p / --policy' and '-i / --identity' must not be used at the same time",
        ),
        (
            "kes log --audit --error",
            "cannot display audit and error logs at the same time",
        ),
        (
            "kes update --os linux v1",
            "self-update is not available in this build",
        ),
        (
            "kes identity a b",
            "too many arguments. See 'kes identity --help'",
        ),
        (
            "kes identity of",
            "no API key or certificate specified. See 'kes identity of --help'",
        ),
        (
            "kes identity new --key k",
            "private key file specified but no certificate file. Set the '--cert' flag",
        ),
        (
            "kes identity new --cert c",
            "certificate file specified but no private key file. Set the '--key' flag",
        ),
        (
            "kes identity new --ip 10.0.0.1",
            "'--ip' requires a private key and certificate file. Set the '--cert' and '--key' flag",
        ),
        (
            "kes identity new -f",
            "'--force' requires a private key and certificate file. Set the '--cert' and '--key' flag",
        ),
        ("kes migrate", "no source specified. Use '--from' flag"),
        (
            "kes migrate --from a",
            "missing migration target. Use '--to' or '--server'",
        ),
        (
            "kes migrate --from a --to b -f --merge",
            "'--force' and '--merge' flags are mutually exclusive",
        ),
        (
            "kes migrate --from a --to b -s host",
            "cannot use '-s / --server' and '--to' flag",
        ),
        (
            "kes migrate --from a -s host",
            "no KMS enclave specified. Use '--enclave'",
        ),
    ] {
        assert_error(&folder, line, message)?;
    }
    Ok(())
}

#[test]
fn credentials_must_be_of_one_kind() -> Result<()> {
    for (variables, message) in [
        (
            &[][..],
            "no API key specified. Consider setting MINIO_KES_API_KEY",
        ),
        (
            &[("KES_API_KEY", API_KEY), ("KES_CLIENT_KEY", "k")],
            "API key and private key file cannot be used at the same time",
        ),
        (
            &[("KES_API_KEY", API_KEY), ("KES_CLIENT_CERT", "c")],
            "API key and certificate file cannot be used at the same time",
        ),
        (
            &[("KES_CLIENT_KEY", "k")],
            "no certificate file specified. Consider setting MINIO_KES_CERT_FILE",
        ),
        (
            &[("KES_CLIENT_CERT", "c")],
            "no private key file specified. Consider setting MINIO_KES_KEY_FILE",
        ),
    ] {
        let mut folder = Folder::new()?;
        for (name, value) in variables {
            folder.export(name, *value);
        }
        assert_error(&folder, "kes key ls", message)?;
    }
    let mut folder = Folder::new()?;
    folder.export("MINIO_KES_API_KEY", "");
    folder.export("KES_API_KEY", API_KEY);
    let hidden = "no API key specified. Consider setting MINIO_KES_API_KEY";
    assert_error(&folder, "kes key ls", hidden)?;
    folder.export("MINIO_KES_API_KEY", "kes:v1:x");
    let done = folder.run("kes key ls")?;
    assert!(
        done.stderr.starts_with("Error: parsing API key: "),
        "{}",
        done.stderr
    );
    Ok(())
}

#[test]
fn no_escape_sequence_gets_into_a_pipe() -> Result<()> {
    let (folder, _server) = server()?;
    output(&folder, "kes key create -k my-key")?;
    for line in [
        "kes --version",
        "kes key ls -k",
        "kes status -k",
        "kes identity new",
    ] {
        assert!(!output(&folder, line)?.contains('\x1b'), "{line}");
    }
    assert!(output(&folder, "kes key ls -k --color always")?.contains("\x1b[4mKey\x1b["));
    assert!(!output(&folder, "kes key ls -k --color NEVER")?.contains('\x1b'));
    Ok(())
}

#[test]
fn versions_have_four_lines() -> Result<()> {
    let folder = Folder::new()?;
    let version = output(&folder, "kes -v")?;
    let labels: Vec<_> = version
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let labels: Vec<_> = labels.into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["Version", "Runtime", "License", "Copyright"]);
    Ok(())
}

#[test]
fn shells_are_served() -> Result<()> {
    let mut folder = Folder::new()?;
    assert!(output(&folder, "kes completion bash")?.contains("complete -F _kes"));
    fs::create_dir(folder.path().join("man"))?;
    assert_eq!(output(&folder, "kes man man")?, "");
    assert!(
        folder
            .read("man/kes-key-create.1")?
            .contains("kes-key-create")
    );

    folder.export("SHELL", "/bin/bash");
    output(&folder, "kes --auto-completion")?;
    let line = folder.read(".bashrc")?;
    assert!(
        line.starts_with("complete -o default -C /") && line.ends_with("/kes kes\n"),
        "{line}"
    );
    assert_eq!(
        output(&folder, "kes --auto-completion")?,
        "Completion is already installed.\n"
    );
    folder.export("COMP_LINE", "kes key c");
    assert_eq!(output(&folder, "kes kes c key")?, "create\n");
    Ok(())
}
