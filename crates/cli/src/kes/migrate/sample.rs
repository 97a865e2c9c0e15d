use std::str::FromStr;

/// How many keys are proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// So many, or all if there are no more.
    Some(usize),
    All,
}

// === impl Sample ===

impl Sample {
    /// Picks from `names`, evenly from the first to the last.
    pub(super) fn pick(self, names: Vec<String>) -> Vec<String> {
        let wanted = match self {
            Self::All => return names,
            Self::Some(wanted) if wanted >= names.len() => return names,
            Self::Some(wanted) => wanted,
        };
        let gaps = wanted.saturating_sub(1).max(1);
        let last = names.len() - 1;
        let mut next = (0..wanted).map(|number| number * last / gaps).peekable();
        let names = names.into_iter().enumerate();
        names
            .filter(|(index, _)| next.next_if_eq(index).is_some())
            .map(|(_, name)| name)
            .collect()
    }
}

impl FromStr for Sample {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            number => number
                .parse()
                .map(Self::Some)
                .map_err(|_| "neither a number nor 'all'"),
        }
    }
}
