/// The most characters of a foreign text that are shown.
const MAX_CHARS: usize = 256;

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// The beginning of a foreign text, on one line and without the secrets that it may
/// repeat from the request.
#[must_use]
pub fn presentable(text: &str, secrets: &[&str]) -> String {
    let text = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN));
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_secrets_and_line_breaks() {
        let secrets = ["t0ken", "p4ss word", ""];
        assert_eq!(
            presentable("<html>\r\n\tp4ss word \x1b[1mt0ken!", &secrets),
            "<html> *** [1m***!"
        );
        assert_eq!(presentable("", &secrets), "");
        assert_eq!(presentable(&"é".repeat(1000), &[]).chars().count(), 256);
    }
}
