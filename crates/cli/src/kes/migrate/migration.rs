use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use glob::Pattern;
use keystead_crypto::Random;
use tokio_util::sync::CancellationToken;

use super::ciphertexts::Evidence;
use super::copy::{Conflict, Copier, Outcome};
use super::failure::Failure;
use super::order::in_order;
use super::plan::{Names, Step};
use super::progress::Progress;
use super::proof::Verdict;
use super::sample::Sample;
use super::totals::Totals;

/// Problems that are told in full.
const TOLD: usize = 10;

/// The whole way of all keys.
pub(super) struct Migration {
    pub(super) copier: Arc<Copier>,
    pub(super) pattern: Pattern,
    pub(super) dry_run: bool,
    pub(super) keep_going: bool,
    pub(super) sample: Sample,
    pub(super) evidence: Vec<Evidence>,
    pub(super) random: Arc<dyn Random>,
    /// No more keys are begun: somebody interrupted it, or something failed.
    pub(super) halt: CancellationToken,
}

/// What is to be done about a key, or why that is not known.
type Planned = (String, Result<Step, Failure>);

/// What is proven of a key.
enum Task {
    /// Both copies do the same.
    Copies(String),
    /// The target's copy opens a ciphertext.
    Ciphertext(Evidence),
}

// === impl Migration ===

impl Migration {
    /// Migrates, and prints what came of it.
    pub(super) async fn run(&self, progress: &mut Progress) -> Result<()> {
        let names = Names::read(&self.copier, &self.pattern).await;
        let names = names.map_err(|failure| anyhow!("failed to list the keys: {failure}"))?;
        progress.begin(Totals::new(names.all.len(), self.dry_run))?;
        let mut problems = Vec::new();
        let result = self.passes(names, progress, &mut problems).await;
        // Whoever closed the pipe does not want the totals either.
        result?;
        let verdict = self.verdict(&progress.totals, &problems);
        progress.finish(verdict.is_ok())?;
        verdict
    }

    async fn passes(
        &self,
        names: Names,
        progress: &mut Progress,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let mut plan = self.plan(names, progress).await?;
        if self.halt.is_cancelled() {
            return Ok(());
        }
        let conflict = self.copier.conflict;
        let mut in_the_way = Vec::new();
        if !(self.keep_going || self.dry_run) {
            in_the_way.extend(plan.extract_if(.., |(_, step)| match step {
                Ok(step) => step.foresee(conflict) == Outcome::Conflict,
                Err(_) => true,
            }));
        }
        if !in_the_way.is_empty() {
            for (name, step) in in_the_way {
                let outcome = step.map(|step| step.foresee(conflict));
                self.note(&name, outcome, progress, problems)?;
            }
            return Ok(());
        }
        let done = self.copy(plan, progress, problems).await?;
        if self.halt.is_cancelled() || self.dry_run {
            return Ok(());
        }
        self.prove(done, progress, problems).await
    }

    /// Finds out what is to be done about each key.
    async fn plan(&self, names: Names, progress: &Progress) -> Result<Vec<Planned>> {
        let mut plan = Vec::with_capacity(names.all.len());
        progress.pass("Comparing", names.all.len())?;
        let dry_run = self.dry_run;
        let inspect = |(name, is_taken): (String, bool)| {
            let copier = Arc::clone(&self.copier);
            async move {
                let step = match (is_taken, dry_run) {
                    (true, _) => copier.compare(&name).await,
                    // It tells what cannot be read.
                    (false, true) => copier.look(&name).await,
                    (false, false) => Ok(Step::Copy),
                };
                (name, step)
            }
        };
        in_order(names.all, &self.halt, inspect, |planned: Planned| {
            progress.advance();
            plan.push(planned);
            Ok(())
        })
        .await?;
        Ok(plan)
    }

    /// Does what was planned; gives the names of the keys that the target has now.
    async fn copy(
        &self,
        plan: Vec<Planned>,
        progress: &mut Progress,
        problems: &mut Vec<String>,
    ) -> Result<Vec<String>> {
        progress.pass("Migrating", plan.len())?;
        let mut done = Vec::new();
        let dry_run = self.dry_run;
        let carry_out = |(name, step): Planned| {
            let copier = Arc::clone(&self.copier);
            async move {
                let outcome = match step {
                    Err(failure) => Err(failure),
                    Ok(step) if !dry_run && step.is_write(copier.conflict) => {
                        copier.copy(&name).await
                    }
                    Ok(step) => Ok(step.foresee(copier.conflict)),
                };
                (name, outcome)
            }
        };
        let note = |(name, outcome): (String, Result<Outcome, Failure>)| {
            if self.note(&name, outcome, progress, problems)? {
                done.push(name);
            }
            Ok(())
        };
        in_order(plan, &self.halt, carry_out, note).await?;
        Ok(done)
    }

    /// Takes down what became of a key; says whether the target has it with the source's
    /// value.
    fn note(
        &self,
        name: &str,
        outcome: Result<Outcome, Failure>,
        progress: &mut Progress,
        problems: &mut Vec<String>,
    ) -> Result<bool> {
        let is_outage = outcome.as_ref().is_err_and(Failure::is_outage);
        let outcome = outcome.map_err(|failure| failure.to_string());
        progress.key(name, &outcome)?;
        let problem = match &outcome {
            Ok(Outcome::Migrated | Outcome::Replaced | Outcome::Present) => return Ok(true),
            Ok(Outcome::Skipped | Outcome::Gone) => return Ok(false),
            Ok(Outcome::Conflict) => "key already exists with another value",
            Err(problem) => problem,
        };
        problems.push(format!("failed to migrate '{name}': {problem}"));
        if is_outage || !(self.keep_going || self.dry_run) {
            self.halt.cancel();
        }
        Ok(false)
    }

    /// Compares what the copies of some of the keys do.
    async fn prove(
        &self,
        names: Vec<String>,
        progress: &mut Progress,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let mut tasks: Vec<_> = self
            .sample
            .pick(names)
            .into_iter()
            .map(Task::Copies)
            .collect();
        tasks.extend(self.evidence.iter().cloned().map(Task::Ciphertext));
        progress.pass("Proving", tasks.len())?;
        let try_out = |task: Task| {
            let (copier, random) = (Arc::clone(&self.copier), Arc::clone(&self.random));
            async move {
                match task {
                    Task::Copies(name) => {
                        let verdict = copier.prove(&name, &*random).await;
                        (name, None, verdict)
                    }
                    Task::Ciphertext(evidence) => {
                        let verdict = copier.open(&evidence).await;
                        (evidence.name, Some(evidence.line), verdict)
                    }
                }
            }
        };
        let note = |(name, line, verdict): (String, Option<usize>, Result<Verdict, Failure>)| {
            if verdict.as_ref().is_err_and(Failure::is_outage) {
                self.halt.cancel();
            }
            let verdict = verdict.unwrap_or_else(|failure| Verdict::Failed(failure.to_string()));
            progress.proof(&name, line, &verdict)?;
            if let Verdict::Failed(problem) = verdict {
                let line = line
                    .map(|line| format!(" (line {line})"))
                    .unwrap_or_default();
                problems.push(format!("no proof for '{name}'{line}: {problem}"));
            }
            Ok(())
        };
        in_order(tasks, &self.halt, try_out, note).await
    }

    /// The result for the operator, with what to do about it.
    fn verdict(&self, totals: &Totals, problems: &[String]) -> Result<()> {
        const AGAIN: &str = "Run the same command again to continue.";
        let state = match totals.written() {
            0 => "Nothing was written.".to_owned(),
            _ if self.dry_run => "Nothing was written.".to_owned(),
            _ => format!(
                "{} of {} keys are on the target.",
                totals.done(),
                totals.keys
            ),
        };
        if problems.is_empty() {
            if self.halt.is_cancelled() {
                bail!("interrupted\n{state} {AGAIN}");
            }
            return Ok(());
        }
        let mut lines: Vec<_> = problems.iter().take(TOLD).cloned().collect();
        if let Some(more) = problems.len().checked_sub(TOLD).filter(|more| *more > 0) {
            lines.push(format!("and {more} more"));
        }
        let advice = if totals.conflicts > 0 && self.copier.conflict == Conflict::Fail {
            "Use '--merge' to keep the target's values, '--force' to replace them."
        } else if totals.unproven > 0 {
            "Do not switch to the target before every proof succeeds."
        } else if self.dry_run {
            ""
        } else {
            AGAIN
        };
        lines.push(format!("{state} {advice}").trim_end().to_owned());
        bail!(lines.join("\n"))
    }
}
