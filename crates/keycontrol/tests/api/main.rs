//! The client against a double of the appliance.
#![cfg(test)]

mod errors;
mod failures;
mod requests;
mod tokens;
mod world;
