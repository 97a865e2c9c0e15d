//! Builds the tree from the parser's events.

use std::{
    collections::{HashMap, hash_map},
    rc::Rc,
};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};
use zeroize::Zeroizing;

use super::{Entry, Mark, Node, SyntaxError, Value};

/// The deepest nesting. The deepest key of a configuration has five levels.
const MAX_DEPTH: usize = 64;

/// The largest tree, in bytes, were every alias written out. No file that is
/// read comes near it without aliases.
const MAX_WEIGHT: usize = 32 << 20;

/// What a node costs besides its text.
const NODE_WEIGHT: usize = 32;

/// Reads the first document of `text`; `None` if there is none.
pub(crate) fn parse(text: &str) -> Result<Option<Rc<Node>>, SyntaxError> {
    let options = granit_parser::options! {
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let builder = Builder {
        parser: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        open: Vec::new(),
        weight: 0,
        root: None,
    };
    builder.document()
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Complete nodes by the number of their anchor.
    anchors: HashMap<usize, Rc<Node>>,
    /// The collections around the current place, outermost first.
    open: Vec<Open>,
    /// Size of the tree so far, with every alias written out.
    weight: usize,
    root: Option<Rc<Node>>,
}

/// A collection whose end has not been seen.
struct Open {
    mark: Mark,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    index: HashMap<String, Mark>,
    /// The key that waits for its value.
    key: Option<(String, Mark)>,
    /// Values of `<<`.
    merged: Vec<Rc<Node>>,
}

// === impl Builder ===

impl Builder<'_> {
    fn document(mut self) -> Result<Option<Rc<Node>>, SyntaxError> {
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| syntax_error(&error))?;
            let mark = mark(span.start);
            match event {
                // Whatever follows the first document is not looked at.
                Event::DocumentEnd | Event::StreamEnd => break,
                Event::Scalar(text, style, anchor, tag) => {
                    let node = scalar(text.into_owned(), style, tag.as_deref(), mark);
                    self.spend(node.weight, mark)?;
                    let node = self.name(anchor, node);
                    self.attach(node, mark)?;
                }
                Event::Alias(anchor) => {
                    let node = self.anchors.get(&anchor).cloned().ok_or_else(|| {
                        error(
                            mark,
                            "the alias stands inside the value it refers to",
                            "write the value out",
                        )
                    })?;
                    self.spend(node.weight, mark)?;
                    self.attach(node, mark)?;
                }
                Event::SequenceStart(_, anchor, _) => {
                    self.open(mark, anchor, Content::List(Vec::new()))?;
                }
                Event::MappingStart(_, anchor, _) => {
                    self.open(mark, anchor, Content::Map(Mapping::default()))?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some(open) = self.open.pop() {
                        let mark = open.mark;
                        let node = self.close(open)?;
                        self.attach(node, mark)?;
                    }
                }
                _ => {}
            }
        }
        Ok(self.root)
    }

    fn open(&mut self, mark: Mark, anchor: usize, content: Content) -> Result<(), SyntaxError> {
        self.spend(NODE_WEIGHT, mark)?;
        self.open.push(Open {
            mark,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self, open: Open) -> Result<Rc<Node>, SyntaxError> {
        let (value, children) = match open.content {
            Content::List(items) => {
                let weight = items.iter().map(|item| item.weight).sum::<usize>();
                (Value::List(items), weight)
            }
            Content::Map(mapping) => {
                let entries = self.merge(mapping)?;
                let weight = entries.iter().map(Entry::weight).sum();
                (Value::Map(entries), weight)
            }
        };
        let node = Node {
            mark: open.mark,
            value,
            weight: children + NODE_WEIGHT,
        };
        Ok(self.name(open.anchor, node))
    }

    /// Adds the entries of the merged mappings that the mapping does not have;
    /// the first of several wins (YAML merge key, version 1.1).
    fn merge(&mut self, mut mapping: Mapping) -> Result<Vec<Entry>, SyntaxError> {
        let mut sources = Vec::new();
        for merged in &mapping.merged {
            match &merged.value {
                Value::List(items) => sources.extend(items.iter().cloned()),
                _ => sources.push(Rc::clone(merged)),
            }
        }
        for source in sources {
            let Value::Map(entries) = &source.value else {
                let message = "'<<' takes a mapping or a list of mappings";
                return Err(error(source.mark, message, "write '<<: *anchor'"));
            };
            for entry in entries {
                self.spend(entry.weight(), entry.mark)?;
                if let hash_map::Entry::Vacant(vacant) = mapping.index.entry(entry.key.clone()) {
                    vacant.insert(entry.mark);
                    mapping.entries.push(entry.clone());
                }
            }
        }
        Ok(mapping.entries)
    }

    /// Puts a complete node where the document has it.
    fn attach(&mut self, node: Rc<Node>, mark: Mark) -> Result<(), SyntaxError> {
        match self.open.last_mut().map(|open| &mut open.content) {
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(mapping)) => match mapping.key.take() {
                None => mapping.key = Some((key_text(&node, mark)?, mark)),
                Some((key, mark)) => mapping.insert(key, mark, node)?,
            },
            None => self.root = Some(node),
        }
        Ok(())
    }

    /// Counts what was read, so that aliases cannot make a small file large.
    fn spend(&mut self, weight: usize, mark: Mark) -> Result<(), SyntaxError> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_WEIGHT {
            let message = "the aliases expand to too much text";
            return Err(error(mark, message, "use fewer aliases"));
        }
        Ok(())
    }

    fn name(&mut self, anchor: usize, node: Node) -> Rc<Node> {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        node
    }
}

// === impl Mapping ===

impl Mapping {
    fn insert(&mut self, key: String, mark: Mark, value: Rc<Node>) -> Result<(), SyntaxError> {
        match self.index.entry(key.clone()) {
            hash_map::Entry::Occupied(first) => {
                let line = first.get().line;
                let message = format!("mapping key '{key}' already defined at line {line}");
                return Err(error(mark, message, "remove one of the two"));
            }
            hash_map::Entry::Vacant(vacant) => vacant.insert(mark),
        };
        if key == "<<" {
            self.merged.push(value);
        } else {
            self.entries.push(Entry { key, mark, value });
        }
        Ok(())
    }
}

// === impl Entry ===

impl Entry {
    fn weight(&self) -> usize {
        self.key.len() + NODE_WEIGHT + self.value.weight
    }
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>, mark: Mark) -> Node {
    let tagged = |name| tag.is_some_and(|tag| tag.is_yaml_core_schema_tag(name));
    let looks_null =
        style == ScalarStyle::Plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    let weight = text.len() + NODE_WEIGHT;
    let value = if tagged("null") || (looks_null && !tagged("str")) {
        Value::Null
    } else {
        Value::Text(Zeroizing::new(text))
    };
    Node {
        mark,
        value,
        weight,
    }
}

fn key_text(node: &Node, mark: Mark) -> Result<String, SyntaxError> {
    match &node.value {
        Value::Text(text) => Ok(text.to_string()),
        Value::Null => Ok("null".to_owned()),
        Value::List(_) | Value::Map(_) => Err(error(
            mark,
            "a mapping key must be a single value",
            "put the key in quotes",
        )),
    }
}

fn mark(marker: Marker) -> Mark {
    Mark {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn error(mark: Mark, message: impl Into<String>, advice: &'static str) -> SyntaxError {
    SyntaxError {
        message: message.into(),
        advice,
        mark,
    }
}

fn syntax_error(scan: &ScanError) -> SyntaxError {
    let advice = "check the indentation, and put values with special characters in quotes";
    error(mark(*scan.marker()), scan.info(), advice)
}
