mod invariants;
mod properties;
mod strategies;
