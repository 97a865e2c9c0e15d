use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::output::{self, Output};

use super::copy::Outcome;
use super::patience::Notes;
use super::proof::Verdict;
use super::totals::Totals;

/// Shows how far a migration is: a bar on a terminal, otherwise a line of JSON per key.
pub(super) struct Progress {
    scripted: bool,
    out: Box<dyn Write>,
    bar: ProgressBar,
    pub(super) totals: Totals,
}

#[derive(Serialize)]
struct KeyEvent<'a> {
    name: &'a str,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Status {
    Outcome(Outcome),
    Failed(&'static str),
}

#[derive(Serialize)]
struct ProofEvent<'a> {
    name: &'a str,
    proof: &'static str,
    /// Of the file with ciphertexts.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

// === impl Progress ===

impl Progress {
    pub(super) fn new(output: Output, out: impl Write + 'static) -> Self {
        let bar = if output.scripted() {
            ProgressBar::hidden()
        } else {
            ProgressBar::no_length()
        };
        Self {
            scripted: output.scripted(),
            out: Box::new(out),
            bar,
            totals: Totals::default(),
        }
    }

    /// Where remarks go that must not tear the bar.
    pub(super) fn notes(&self) -> Arc<Notes> {
        let bar = self.bar.clone();
        Arc::new(move |text| bar.suspend(|| output::note(text)))
    }

    pub(super) fn begin(&mut self, totals: Totals) -> Result<()> {
        self.totals = totals;
        if !self.scripted {
            self.print("Starting key migration:\n\n")?;
        }
        Ok(())
    }

    /// Begins another pass.
    pub(super) fn pass(&self, verb: &'static str, keys: usize) -> Result<()> {
        let style = "{msg:9} {bar:40} {pos}/{len} keys, {eta} left";
        self.bar.set_style(ProgressStyle::with_template(style)?);
        self.bar.set_message(verb);
        self.bar.set_length(u64::try_from(keys)?);
        self.bar.reset();
        Ok(())
    }

    pub(super) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Tells what became of a key.
    pub(super) fn key(&mut self, name: &str, outcome: &Result<Outcome, String>) -> Result<()> {
        self.advance();
        self.totals.count(outcome.as_ref().ok().copied());
        if !self.scripted {
            return Ok(());
        }
        let (status, error) = match outcome {
            Ok(outcome) => (Status::Outcome(*outcome), None),
            Err(error) => (Status::Failed("failed"), Some(error.as_str())),
        };
        let event = KeyEvent {
            name,
            status,
            error,
        };
        Ok(self.print(&output::json_line(&event)?)?)
    }

    /// Tells how a proof ended. `line` is that of a ciphertext in its file.
    pub(super) fn proof(
        &mut self,
        name: &str,
        line: Option<usize>,
        verdict: &Verdict,
    ) -> Result<()> {
        self.advance();
        let (proof, error) = match verdict {
            Verdict::Proven => ("proven", None),
            Verdict::Unprovable(error) => ("unprovable", Some(error.as_str())),
            Verdict::Failed(error) => ("failed", Some(error.as_str())),
        };
        *match verdict {
            Verdict::Proven => &mut self.totals.proven,
            Verdict::Unprovable(_) => &mut self.totals.unprovable,
            Verdict::Failed(_) => &mut self.totals.unproven,
        } += 1;
        if !self.scripted {
            return Ok(());
        }
        let event = ProofEvent {
            name,
            proof,
            line,
            error,
        };
        Ok(self.print(&output::json_line(&event)?)?)
    }

    /// Ends the bar, and prints the totals of a migration that came to its end or, for
    /// programs, of any.
    pub(super) fn finish(&mut self, succeeded: bool) -> Result<()> {
        self.bar.finish_and_clear();
        let text = match (self.scripted, succeeded) {
            (true, _) => output::json_line(&self.totals)?,
            (false, true) => self.totals.layout(),
            (false, false) => return Ok(()),
        };
        Ok(self.print(&text)?)
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}
