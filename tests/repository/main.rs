//! Tests of the repository itself: the direction of imports and the commands in
//! the documentation.

mod appliance;
mod docs;
mod imports;
