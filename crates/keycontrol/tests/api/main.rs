//! The client against a double of the appliance.

mod errors;
mod failures;
mod requests;
mod tokens;
mod world;
