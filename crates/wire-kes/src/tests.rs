mod requests;
mod responses;
mod vectors;
