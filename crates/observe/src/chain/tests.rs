use proptest::prelude::*;

use super::*;

fn log(records: u32) -> Vec<String> {
    let mut chain = Chain::new();
    (0..records)
        .map(|n| chain.link(format!("{{\"v\":1,\"path\":\"/v1/kms/{n}\"}}")))
        .collect()
}

fn verify(lines: &[String]) -> Result<ChainSummary, BrokenRecord> {
    let mut verifier = ChainVerifier::new();
    verifier.read(lines.join("\n").as_bytes())?;
    Ok(verifier.finish())
}

#[test]
fn an_untouched_log_is_intact() {
    let lines = log(3);
    assert!(
        lines[0].starts_with("{\"v\":1,\"path\":\"/v1/kms/0\",\"seq\":1,\"prev\":\"0000"),
        "{}",
        lines[0]
    );
    let summary = verify(&lines).unwrap();
    assert_eq!((summary.records, summary.chains), (3, 1));
    assert_eq!((summary.first, summary.last), (1, 3));
    assert!(lines[2].ends_with(&format!("\"hash\":\"{}\"}}", summary.hash)));
    assert_eq!(verify(&[]).unwrap().records, 0);
}

#[test]
fn a_chain_goes_on_after_its_last_line() {
    let mut lines = log(2);
    let mut chain = Chain::after(&lines[1]).unwrap();
    lines.push(chain.link("{\"v\":1}".to_owned()));
    assert_eq!(verify(&lines).unwrap().last, 3);
    // A rotated log begins in the middle.
    let summary = verify(&lines[1..]).unwrap();
    assert_eq!((summary.first, summary.records), (2, 2));
    // A journal has one chain for each start of the server.
    lines.extend(log(2));
    let summary = verify(&lines).unwrap();
    assert_eq!((summary.chains, summary.records, summary.last), (2, 5, 2));
}

#[test]
fn the_first_broken_record_is_named() {
    let intact = log(5);
    let broken = |change: fn(&mut Vec<String>)| {
        let mut lines = intact.clone();
        change(&mut lines);
        verify(&lines).unwrap_err().to_string()
    };
    assert_eq!(
        broken(|lines| lines[2] = lines[2].replace("kms/2", "kms/7")),
        "line 3: record 3 was changed: its content does not have its hash"
    );
    assert_eq!(
        broken(|lines| drop(lines.remove(1))),
        "line 2: record 3 stands behind record 1: records are missing or moved"
    );
    assert_eq!(
        broken(|lines| lines.swap(2, 3)),
        "line 3: record 4 stands behind record 2: records are missing or moved"
    );
    assert_eq!(
        broken(|lines| {
            let mut forged = Chain::after(&lines[0]).unwrap();
            lines[1] = forged.link("{\"v\":1,\"path\":\"/forged\"}".to_owned());
        }),
        "line 3: record 3 does not follow the record before it: one of them was replaced"
    );
    assert_eq!(
        broken(|lines| lines[4].truncate(20)),
        "line 5: not a record of a chained log"
    );
    assert_eq!(
        broken(|lines| lines.insert(1, String::new())),
        "line 2: not a record of a chained log"
    );
}

proptest! {
    #[test]
    fn any_text_is_verified_or_refused(lines: Vec<String>) {
        let mut verifier = ChainVerifier::new();
        for line in &lines {
            prop_assert!(verifier.line(line).is_err());
        }
    }

    #[test]
    fn no_byte_can_be_changed(at in 0usize..400, by in 1u8..) {
        let lines = log(2);
        let mut bytes = lines[0].clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = bytes[at].wrapping_add(by);
        let mut verifier = ChainVerifier::new();
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(verifier.line(&changed).is_err() || verifier.line(&lines[1]).is_err());
    }
}
