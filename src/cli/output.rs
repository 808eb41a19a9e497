//! Standard output and error: JSON lines, tables, progress. A reader that closes the pipe ends the output, not in an error.

use std::io::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Exit;
use crate::rpc::Message;

/// Prints a line. Errors are a closed pipe: nobody reads any more.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a complaint.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "tool-router: {text}");
}

/// Prints a message as one line of JSON.
pub(super) fn json<M: Message>(message: &M) -> Result<(), Exit> {
    line(&crate::rpc::to_json(message).map_err(Exit::failed)?);
    Ok(())
}

/// A table; columns in `right` are numbers. Never folded to the terminal: one that reports no width would get a letter a line.
pub fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header.to_vec());
    table.set_style(TableComponent::HeaderLines, '─').set_style(TableComponent::MiddleHeaderIntersections, '─');
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string());
}

/// A bar for `total` tools; hidden when standard error is no terminal.
pub(super) fn progress(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len} tools, {eta} left") {
        bar.set_style(style);
    }
    bar
}

/// A turning sign with a message; hidden when standard error is no terminal.
pub(super) fn spinner(message: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
    spinner.enable_steady_tick(std::time::Duration::from_millis(200));
    spinner
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if 0 < i && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let check = |number, expected| assert_eq!(thousands(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
    }
}
