//! Tables for people.

use crate::style::TABLE_HEADING;

/// Rows under headings, in columns as wide as their widest text.
pub(super) struct Table<const COLUMNS: usize> {
    headings: [&'static str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

/// Between two columns.
const GAP: usize = 3;

// === impl Table ===

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(headings: [&'static str; COLUMNS]) -> Self {
        Self {
            headings,
            rows: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: [String; COLUMNS]) {
        self.rows.push(row);
    }

    /// The text of the table; nothing without rows.
    pub(super) fn layout(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let headings = self.headings.map(str::to_owned);
        let lines = || [&headings].into_iter().chain(&self.rows);
        let mut widths = [0; COLUMNS];
        for line in lines() {
            for (width, text) in widths.iter_mut().zip(line) {
                *width = (*width).max(text.chars().count());
            }
        }
        let mut laid_out = lines().map(|line| row(line, &widths));
        let heading = laid_out.next().unwrap_or_default();
        let rows: String = laid_out.map(|line| line + "\n").collect();
        format!("{TABLE_HEADING}{heading}{TABLE_HEADING:#}\n{rows}")
    }
}

/// One line, without blanks at its end.
fn row(texts: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (text, width) in texts.iter().zip(widths) {
        line += &format!("{text:<width$}{:GAP$}", "");
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let mut table = Table::new(["Name", "Type", "Created"]);
        assert_eq!(table.layout(), "");
        for row in [["a", "AES256", "now"], ["schlüssel", "ChaCha20", ""]] {
            table.push(row.map(str::to_owned));
        }
        let plain = anstream::adapter::strip_str(&table.layout()).to_string();
        assert_eq!(
            plain,
            "Name        Type       Created\n\
             a           AES256     now\n\
             schlüssel   ChaCha20\n"
        );
    }
}
