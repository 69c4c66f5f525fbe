//! Output of the demo, by line, with the time since the start.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Writer of the report to stdout.
#[derive(Debug)]
pub struct Reporter {
    started: Instant,
    colour: bool,
}

impl Reporter {
    /// Starts the clock. Colours are used only on a terminal, and not if `NO_COLOR` is set.
    #[must_use]
    pub fn start() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            started: Instant::now(),
            colour: io::stdout().is_terminal() && !no_colour,
        }
    }

    /// Writes a line without a time.
    pub fn line(&self, text: &str) {
        // A closed pipe does not stop the demo, because its exit code still counts.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// Writes the heading of a scenario.
    pub fn heading(&self, number: usize, of: usize, title: &str) {
        self.line(&self.styled(BOLD, &format!("\n{number}/{of}  {title}")));
    }

    /// Writes an event.
    pub fn event(&self, text: &str) {
        self.timed(text, None);
    }

    /// Writes that a result is as expected.
    pub fn success(&self, text: &str) {
        self.timed(text, Some(GREEN));
    }

    /// Writes that a result is not as expected.
    pub fn failure(&self, text: &str) {
        self.timed(text, Some(RED));
    }

    fn timed(&self, text: &str, style: Option<&str>) {
        let mut time = format!("{:>7.2} s  ", self.started.elapsed().as_secs_f64());
        let indent = " ".repeat(time.len());
        for line in wrapped(text, WIDTH - indent.len()) {
            let line = style.map_or_else(|| line.clone(), |style| self.styled(style, &line));
            self.line(&format!("{time}{line}"));
            time.clone_from(&indent);
        }
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Maximum width of a line, in characters.
const WIDTH: usize = 100;
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";

/// Breaks a text between words. A word that is too long gets its own line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(word),
            Some(last) if line + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("extraordinary a b", 4), ["extraordinary", "a b"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
