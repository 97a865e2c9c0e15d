use super::super::ciphertexts;
use super::fake::Kind;
use super::*;

fn names(number: usize) -> Vec<String> {
    (0..number).map(|number| number.to_string()).collect()
}

#[test]
fn samples_are_spread_from_the_first_name_to_the_last() {
    let pick = |sample: &str, number| sample.parse::<Sample>().unwrap().pick(names(number));
    assert_eq!(pick("4", 10), ["0", "3", "6", "9"]);
    assert_eq!(pick("2", 10_000), ["0", "9999"]);
    assert_eq!(pick("1", 10), ["0"]);
    assert_eq!(pick("16", 16), names(16));
    assert_eq!(pick("16", 3), names(3));
    assert_eq!(pick("all", 100), names(100));
    assert_eq!(pick("0", 3).len(), 0);
    assert_eq!(pick("0", 0).len(), 0);
    for wanted in 2..100 {
        let picked = Sample::Some(wanted).pick(names(100));
        assert_eq!(
            (picked.len(), picked.last().unwrap().as_str()),
            (wanted, "99")
        );
    }
    for wrong in ["", "-1", "ALL", "1.5"] {
        assert!(wrong.parse::<Sample>().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_both_forms_are_proven_and_other_values_are_named() {
    let mut world = World::with_keys(2);
    world.sample = Sample::All;
    world.source.put("legacy", LEGACY);
    world.source.put("no-key", b"text");
    let told = world.migrate().await;
    assert!(told.result.is_ok());
    let proofs = [
        ("key-000", "proven"),
        ("key-001", "proven"),
        ("legacy", "proven"),
        ("no-key", "unprovable"),
    ];
    assert_eq!(told.proofs(), proofs);
    assert_eq!((told.total("proven"), told.total("unprovable")), (3, 1));
    assert!(
        told.lines[7]["error"]
            .as_str()
            .unwrap()
            .contains("malformed stored key")
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_target_gives_back_counts() {
    let mut world = World::with_keys(3);
    world.sample = Sample::All;
    world.target.plan("get key-001", 1, Kind::Garbled);
    let told = world.migrate().await;
    let expected = "no proof for 'key-001': the target's value differs from the source's\n\
                    3 of 3 keys are on the target. \
                    Do not switch to the target before every proof succeeds.";
    assert_eq!(told.error(), expected);
    assert_eq!((told.total("proven"), told.total("unproven")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn keys_from_earlier_runs_are_proven_and_skipped_ones_are_not() {
    let mut world = World::with_keys(3);
    world.conflict = Conflict::Keep;
    world.target.put("key-001", b"other");
    assert!(world.migrate().await.result.is_ok());
    world.sample = Sample::Some(16);
    let told = world.migrate_again().await;
    assert_eq!(
        told.proofs(),
        [("key-000", "proven"), ("key-002", "proven")]
    );
}

#[tokio::test(start_paused = true)]
async fn ciphertexts_of_the_operator_are_opened_with_the_targets_keys() {
    let mut world = World::with_keys(2);
    let key = StoredKey::decode(&world.source.value("key-001").unwrap()).unwrap();
    let ciphertext = key.seal(&SystemRandom, b"data key", b"context").unwrap();
    let evidence = |line, name: &str, context: &[u8]| Evidence {
        line,
        name: name.to_owned(),
        ciphertext: ciphertext.clone(),
        context: context.to_vec(),
    };
    world.evidence = vec![evidence(1, "key-001", b"context")];
    assert_eq!(world.migrate().await.proofs(), [("key-001", "proven")]);
    world.evidence = vec![
        evidence(1, "key-000", b"context"),
        evidence(2, "key-001", b"another context"),
        evidence(3, "key-002", b"context"),
    ];
    let told = world.migrate_again().await;
    let expected = "no proof for 'key-000' (line 1): ciphertext is not authentic\n\
                    no proof for 'key-001' (line 2): ciphertext is not authentic\n\
                    no proof for 'key-002' (line 3): the target: key does not exist\n";
    assert!(told.error().starts_with(expected), "{}", told.error());
    assert_eq!(told.lines[2]["line"], 1);
}

#[test]
fn files_with_ciphertexts_are_read_as_kes_key_decrypt_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proof");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        ciphertexts::read(&file)
    };
    let evidence = read("# two keys\n\nmy-key aGk=\n other\taGk= Y3R4 \r\n").unwrap();
    let evidence: Vec<_> = evidence
        .iter()
        .map(|one| (one.line, one.name.as_str(), &*one.ciphertext, &*one.context))
        .collect();
    let expected: [(usize, &str, &[u8], &[u8]); 2] =
        [(3, "my-key", b"hi", b""), (4, "other", b"hi", b"ctx")];
    assert_eq!(evidence, expected);
    for (text, problem) in [
        ("k", ":1: not two or three words"),
        ("\nk a b c", ":2: not two or three words"),
        ("k aGk", ":1: invalid ciphertext: invalid base64"),
        ("k aGk= ?", ":1: invalid context: invalid base64"),
    ] {
        let error = read(text).err().unwrap().to_string();
        assert!(error.contains(problem), "{error}");
    }
    let missing = ciphertexts::read(&folder.path().join("missing"));
    assert!(missing.err().unwrap().to_string().contains("No such file"));
}
