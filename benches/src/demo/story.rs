//! Telling what happens, line by line, with the time since the start.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// The teller.
#[derive(Debug)]
pub struct Story {
    began: Instant,
    colour: bool,
}

impl Story {
    /// Colours only on a terminal, and not where `NO_COLOR` is set.
    #[must_use]
    pub fn begin() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            began: Instant::now(),
            colour: io::stdout().is_terminal() && !no_colour,
        }
    }

    /// A line without a time.
    pub fn say(&self, text: &str) {
        // A reader that went away does not stop the demo: its exit code still counts.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// The head of a step.
    pub fn step(&self, number: usize, of: usize, title: &str) {
        self.say(&self.styled("1", &format!("\n{number}/{of}  {title}")));
    }

    /// What happened just now.
    pub fn tell(&self, text: &str) {
        self.say(&format!(
            "{:>7.2} s  {text}",
            self.began.elapsed().as_secs_f64()
        ));
    }

    /// A step went as told.
    pub fn well(&self, text: &str) {
        self.tell(&self.styled("32", text));
    }

    /// Something did not go as told.
    pub fn wrong(&self, text: &str) {
        self.tell(&self.styled("31", text));
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
