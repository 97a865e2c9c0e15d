mod endpoints;
mod errors;
mod listings;
mod requests;
mod responses;
mod vectors;
