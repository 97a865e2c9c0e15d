//! Environment variables.

/// Where `${NAME}` is looked up.
pub trait Environment {
    /// The value of a variable, `None` if it is not set.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process. A variable that is not UTF-8 counts as not
/// set.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn var(&self, name: &str) -> Option<String> {
        self(name)
    }
}
