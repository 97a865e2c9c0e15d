//! Tests of the repository itself: the direction of imports and the commands in
//! the documentation.

mod appliance;
mod azure;
mod docs;
mod imports;
