use proptest::prelude::*;

use super::{Entry, Mark, Node, Value, parse};

/// The document in a form that is easy to compare.
fn outline(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{}'", text.as_str()),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| outline(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entry = |entry: &Entry| format!("{}: {}", entry.key, outline(&entry.value));
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn read(text: &str) -> String {
    match parse(text) {
        Ok(Some(node)) => outline(&node),
        Ok(None) => "nothing".to_owned(),
        Err(error) => format!("line {}: {}", error.mark.line, error.message),
    }
}

#[test]
fn scalars_stay_text() {
    for (text, expected) in [
        ("on", "'on'"),
        ("no", "'no'"),
        ("007", "'007'"),
        ("1e3", "'1e3'"),
        ("'null'", "'null'"),
        ("!!str null", "'null'"),
        ("!!null x", "null"),
        ("~", "null"),
        ("NULL", "null"),
        ("a:", "{a: null}"),
        ("'~': x", "{~: 'x'}"),
        ("a: ${X}", "{a: '${X}'}"),
        ("a: |\n  x\n  y\n", "{a: 'x\ny\n'}"),
        ("\u{feff}a: b", "{a: 'b'}"),
        ("a: b\r\nc: d\r\n", "{a: 'b', c: 'd'}"),
        ("a: b\t# c\nd:\te\n", "{a: 'b', d: 'e'}"),
        ("%YAML 1.1\n---\na: b", "{a: 'b'}"),
        ("a: !x b", "{a: 'b'}"),
        ("a: b\n  c", "{a: 'b c'}"),
        ("a: [ /x/*, $y ]", "{a: ['/x/*', '$y']}"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn only_the_first_document_is_read() {
    for (text, expected) in [
        ("", "nothing"),
        ("# only a comment\n", "nothing"),
        ("---\n", "null"),
        ("a: b\n---\nc: d\n", "{a: 'b'}"),
        ("a: b\n...\nc: d\n", "{a: 'b'}"),
        ("a: b\n---\n{{{ broken\n", "{a: 'b'}"),
        ("---\na: b\n---\n\tbroken: [", "{a: 'b'}"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn anchors_aliases_and_merge_keys() {
    for (text, expected) in [
        ("a: &x [1]\nb: *x", "{a: ['1'], b: ['1']}"),
        ("&k a: b\nc: *k", "{a: 'b', c: 'a'}"),
        (
            "x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x}",
            "{x: {a: '1', b: '2'}, y: {b: '3', a: '1'}}",
        ),
        (
            "x: &x {a: 1}\nz: &z {a: 2, c: 3}\ny: {<<: [*x, *z]}",
            "{x: {a: '1'}, z: {a: '2', c: '3'}, y: {a: '1', c: '3'}}",
        ),
        (
            "y: {<<: 5}",
            "line 1: '<<' takes a mapping or a list of mappings",
        ),
        (
            "a: &a [*a]",
            "line 1: the alias stands inside the value it refers to",
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn faults_name_their_line() {
    for (text, expected) in [
        (
            "a: 1\nb: 2\na: 3",
            "line 3: mapping key 'a' already defined at line 1",
        ),
        (
            "a: 1\n'a': 3",
            "line 2: mapping key 'a' already defined at line 1",
        ),
        (
            "<<: {a: 1}\n<<: {b: 1}",
            "line 2: mapping key '<<' already defined at line 1",
        ),
        ("? [a]\n: b", "line 1: a mapping key must be a single value"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
    for (text, line) in [
        ("a: b\n- c\n", 2),
        ("a: [\n", 1),
        ("a: *x", 1),
        ("a:\n\t- b", 2),
    ] {
        assert_eq!(
            parse(text).err().map(|error| error.mark.line),
            Some(line),
            "{text}"
        );
    }
}

#[test]
fn every_value_knows_its_place() {
    let node = parse("a:\n  - b\n  -   {c: d}\n").unwrap().unwrap();
    assert_eq!(node.mark, Mark { line: 1, column: 1 });
    let Value::List(items) = &node.get("a").unwrap().value else {
        panic!("a list");
    };
    assert_eq!(items[0].mark, Mark { line: 2, column: 5 });
    let inner = items[1].get("c").unwrap();
    assert_eq!(
        inner.mark,
        Mark {
            line: 3,
            column: 11
        }
    );
}

/// Nine lists of nine aliases each would be 9^9 values.
#[test]
fn aliases_cannot_expand_without_end() {
    let mut text = "l0: &l0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = level - 1;
        let items = vec![format!("*l{below}"); 9].join(", ");
        text.push_str(&format!("l{level}: &l{level} [{items}]\n"));
    }
    assert!(read(&text).contains("the aliases expand to too much text"));
}

#[test]
fn merge_keys_cannot_expand_without_end() {
    let keys: Vec<String> = (0..1_000).map(|key| format!("k{key}: v")).collect();
    let mut text = format!("base: &base {{{}}}\n", keys.join(", "));
    for copy in 0..1_000 {
        text.push_str(&format!("c{copy}: {{<<: *base}}\n"));
    }
    assert!(read(&text).contains("the aliases expand to too much text"));
}

#[test]
fn nesting_is_limited() {
    assert!(read(&format!("{}{}", "[".repeat(60), "]".repeat(60))).starts_with('['));
    assert!(read(&"[".repeat(10_000)).starts_with("line 1: "));
    assert!(read(&"- ".repeat(10_000)).starts_with("line 1: "));
}

#[test]
fn many_keys_take_little_time() {
    let text: String = (0..20_000).map(|key| format!("k{key}: v\n")).collect();
    assert!(parse(&text).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        read(&text);
    }

    #[test]
    fn any_structure_is_read_or_refused(text in "[-a?:,&*<{}\\[\\]!|>'\"#% \\n\\t]{0,64}") {
        read(&text);
    }
}
