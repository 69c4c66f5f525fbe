//! Writer of Prometheus' text format.

use std::fmt::Write;

/// Writer of metric families. Names and label names are the program's own; help texts and label
/// values may contain anything and are escaped.
#[derive(Debug, Default)]
pub(crate) struct Text {
    out: String,
}

/// Kind of a metric family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Text {
    /// Begins a family. All its samples must precede the next family.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.out.push_str("# HELP ");
        self.out.push_str(name);
        self.out.push(' ');
        escape(&mut self.out, help, false);
        self.out.push_str("\n# TYPE ");
        self.out.push_str(name);
        self.out.push_str(match kind {
            Kind::Counter => " counter\n",
            Kind::Gauge => " gauge\n",
            Kind::Histogram => " histogram\n",
        });
    }

    /// Writes one sample.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.out.push_str(name);
        if !labels.is_empty() {
            self.out.push('{');
            label_pairs(&mut self.out, labels);
            self.out.push('}');
        }
        self.out.push(' ');
        float(&mut self.out, value);
        self.out.push('\n');
    }

    /// Writes a family of a single sample without labels.
    pub(crate) fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Returns the text.
    pub(crate) fn into_string(self) -> String {
        self.out
    }

    /// Returns the buffer, for text that other code formats.
    pub(crate) fn out(&mut self) -> &mut String {
        &mut self.out
    }
}

/// Writes label pairs: `a="b",c="d"`.
pub(crate) fn label_pairs(out: &mut String, labels: &[(&str, &str)]) {
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
    }
}

/// Writes a number in Prometheus' notation.
pub(crate) fn float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "{value}");
    }
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_label_values_are_escaped() {
        let mut text = Text::default();
        text.family("a_total", Kind::Counter, "of a\\b\nand \"c\"");
        text.sample("a_total", &[("x", "1"), ("y", "a\\b\n\"c\"")], 3.0);
        text.single("b", Kind::Gauge, "b", f64::INFINITY);
        assert_eq!(
            text.into_string(),
            "# HELP a_total of a\\\\b\\nand \"c\"\n# TYPE a_total counter\n\
             a_total{x=\"1\",y=\"a\\\\b\\n\\\"c\\\"\"} 3\n\
             # HELP b b\n# TYPE b gauge\nb +Inf\n"
        );
    }
}
