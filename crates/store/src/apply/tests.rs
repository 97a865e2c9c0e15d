mod enclave;
mod identity;
mod key;
mod policy;
mod service_account;
