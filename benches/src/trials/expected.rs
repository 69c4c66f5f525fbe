//! Right treatment of a case, written down before it runs.

use std::fmt;

/// Minimum and maximum of the right number of treatments.
pub type Bounds = (u32, u32);

/// Right treatment of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Soft heals after the fault.
    pub soft_heals: Bounds,
    /// Restarts by the doctor after the fault.
    pub restarts: Bounds,
    /// Set if at least one treatment of either kind is needed.
    pub any_treatment: bool,
    /// Deadline of the first needed treatment, in seconds after the fault at scale 1.
    pub within: Option<u32>,
    /// Set if clients must be served at the end.
    pub served_at_end: bool,
    /// Maximum number of failed requests after the fault.
    pub failed_at_most: Option<u64>,
    /// Reason for this treatment, as the end of a sentence.
    pub why: &'static str,
}

impl Expected {
    /// Returns the expectation of no treatment.
    #[must_use]
    pub const fn nothing(why: &'static str) -> Self {
        Self {
            soft_heals: (0, 0),
            restarts: (0, 0),
            any_treatment: false,
            within: None,
            served_at_end: false,
            failed_at_most: None,
            why,
        }
    }

    /// Returns the expectation of one restart within this many seconds, with at most two soft heals
    /// before it, after which clients are served.
    #[must_use]
    pub const fn restart(within: u32, why: &'static str) -> Self {
        Self {
            soft_heals: (0, 2),
            restarts: (1, 1),
            within: Some(within),
            served_at_end: true,
            ..Self::nothing(why)
        }
    }

    /// Returns the expectation with these bounds of restarts.
    #[must_use]
    pub const fn restarts(mut self, least: u32, most: u32) -> Self {
        self.restarts = (least, most);
        self
    }

    /// Returns the expectation with these bounds of soft heals.
    #[must_use]
    pub const fn soft_heals(mut self, least: u32, most: u32) -> Self {
        self.soft_heals = (least, most);
        self
    }

    /// Returns the expectation with clients that must be served at the end.
    #[must_use]
    pub const fn served(mut self) -> Self {
        self.served_at_end = true;
        self
    }

    /// Returns the expectation with clients that need not be served at the end.
    #[must_use]
    pub const fn not_served(mut self) -> Self {
        self.served_at_end = false;
        self
    }

    /// Returns the expectation with a maximum of failed requests.
    #[must_use]
    pub const fn failed_at_most(mut self, requests: u64) -> Self {
        self.failed_at_most = Some(requests);
        self
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |(least, most): Bounds, one: &str| match (least, most) {
            (0, 0) => None,
            (least, most) if least == most => Some(format!("{least} {one}")),
            (0, most) => Some(format!("at most {most} {one}")),
            (least, most) => Some(format!("{least}–{most} {one}")),
        };
        let kinds = [
            count(self.soft_heals, "soft"),
            count(self.restarts, "restart"),
        ];
        let parts: Vec<String> = kinds.into_iter().flatten().collect();
        let parts = if parts.is_empty() {
            "nothing".to_owned()
        } else {
            parts.join(", ")
        };
        f.write_str(&parts)?;
        if let Some(within) = self.within {
            write!(f, " within {within} s")?;
        }
        if self.served_at_end {
            f.write_str("; served at the end")?;
        }
        if let Some(most) = self.failed_at_most {
            write!(f, "; at most {most} failed")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectation_is_printed_with_every_condition() {
        assert_eq!(Expected::nothing("").to_string(), "nothing");
        assert_eq!(
            Expected::restart(90, "").failed_at_most(5).to_string(),
            "at most 2 soft, 1 restart within 90 s; served at the end; at most 5 failed"
        );
        let soft = Expected::nothing("").soft_heals(1, 2).restarts(0, 1);
        assert_eq!(soft.to_string(), "1–2 soft, at most 1 restart");
    }
}
