mod commands;
mod frames;
mod json;
mod log_stream;
mod names;
mod vectors;
