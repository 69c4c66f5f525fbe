//! Parser of scenario scripts. A script consists of these lines:
//!
//! | line | meaning |
//! |---|---|
//! | `# text` | a comment |
//! | `profile default` or `profile demo` | settings of the policy |
//! | `proposer rules`, `original`, or `model VOTE decides`, `model VOTE advises` | VOTE is an action or `unknown` |
//! | `clock 12:00` | time of day (UTC) at the start |
//! | `app rate=200/s cpu=40%` | changes before the first poll |
//! | `at 120s errors=30%` | changes at a time; at the time of a poll, they are made after the poll |
//! | `every 15s from 60s until 360s lag=600ms` | repeated changes; `until` is exclusive |
//! | `after reset_errors 50s errors=50%` | changes 50 s after each such treatment |
//! | `poll every 5s until 300s` | polls; consecutive lines continue from the last one |
//! | `skip until 80s` | no polls |
//! | `expect reset_errors restart_service` | the treatments that are carried out, or `no_action` |
//! | `expect-span reset_errors 1 to 4 at least 30min` | minimum time from the first such treatment to the fourth |
//! | `case NAME` | starts a case; lines before the first case belong to every case |
//!
//! The changes are listed in `values`.

use std::time::Duration;

use healing_core::decision::Action;

use crate::values::{self, Change};

/// Error of a script, with its line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScriptError {
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Content of a file: one or more cases.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) cases: Vec<Case>,
}

/// One simulated app with its changes, polls and expected treatments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Case {
    pub(crate) name: Option<String>,
    pub(crate) demo: bool,
    pub(crate) proposer: ProposerSpec,
    /// Seconds after midnight, UTC.
    pub(crate) clock: Option<u64>,
    pub(crate) initial: Vec<Change>,
    /// Changes at fixed times, in order of time.
    pub(crate) timed: Vec<(Duration, Vec<Change>)>,
    pub(crate) after: Vec<(Action, Duration, Vec<Change>)>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) expect: Option<Vec<Action>>,
    pub(crate) spans: Vec<ExpectedSpan>,
}

/// Minimum time between two treatments of one kind. Their numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExpectedSpan {
    pub(crate) action: Action,
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) min: Duration,
}

/// Proposer that a script selects.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum ProposerSpec {
    #[default]
    Rules,
    Original,
    Model {
        vote: Option<Action>,
        decides: bool,
    },
}

/// Time with a fixed poll interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    /// Time between polls; `None` for no polls.
    pub(crate) every: Option<Duration>,
    pub(crate) until: Duration,
}

const STATEMENTS: [&str; 12] = [
    "profile",
    "proposer",
    "clock",
    "app",
    "at",
    "every",
    "after",
    "poll",
    "skip",
    "expect",
    "expect-span",
    "case",
];

impl Script {
    pub(crate) fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut shared = Case::default();
        let mut cases: Vec<Case> = Vec::new();
        let mut last_line = 0;
        for (index, line) in text.lines().enumerate() {
            last_line = index + 1;
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((&statement, rest)) = words.split_first() else {
                continue;
            };
            if statement.starts_with('#') {
                continue;
            }
            let parsed = if statement == "case" {
                cases.push(Case {
                    name: Some(rest.join(" ")),
                    ..shared.clone()
                });
                Ok(())
            } else {
                cases
                    .last_mut()
                    .unwrap_or(&mut shared)
                    .statement(statement, rest)
            };
            parsed.map_err(|message| ScriptError {
                line: last_line,
                message,
            })?;
        }
        if cases.is_empty() {
            cases.push(shared);
        }
        for case in &mut cases {
            case.timed.sort_by_key(|(time, _)| *time);
            if case.phases.is_empty() || case.expect.is_none() {
                return Err(ScriptError {
                    line: last_line,
                    message: format!(
                        "{} needs `poll every … until …` and `expect …`",
                        case.name.as_deref().unwrap_or("the scenario")
                    ),
                });
            }
        }
        Ok(Self { cases })
    }
}

impl Case {
    fn statement(&mut self, statement: &str, rest: &[&str]) -> Result<(), String> {
        match (statement, rest) {
            ("profile", ["default"]) => self.demo = false,
            ("profile", ["demo"]) => self.demo = true,
            ("proposer", ["rules"]) => self.proposer = ProposerSpec::Rules,
            ("proposer", ["original"]) => self.proposer = ProposerSpec::Original,
            ("proposer", ["model", vote, role @ ("decides" | "advises")]) => {
                self.proposer = ProposerSpec::Model {
                    vote: match *vote {
                        "unknown" => None,
                        vote => Some(action(vote)?),
                    },
                    decides: *role == "decides",
                };
            }
            ("clock", [time]) => self.clock = Some(values::time_of_day(time)?),
            ("app", changes) => self.initial.extend(parse_changes(changes)?),
            ("at", [time, changes @ ..]) => {
                let time = values::duration(time)?;
                self.timed.push((time, parse_changes(changes)?));
            }
            ("every", [step, "from", from, "until", until, changes @ ..]) => {
                let step = values::duration(step)?;
                let until = values::duration(until)?;
                let changes = parse_changes(changes)?;
                let mut time = values::duration(from)?;
                while !step.is_zero() && time < until {
                    self.timed.push((time, changes.clone()));
                    time += step;
                }
            }
            ("after", [treatment, delay, changes @ ..]) => self.after.push((
                action(treatment)?,
                values::duration(delay)?,
                parse_changes(changes)?,
            )),
            ("poll", ["every", every, "until", until]) => self.phases.push(Phase {
                every: Some(values::duration(every)?),
                until: values::duration(until)?,
            }),
            ("skip", ["until", until]) => self.phases.push(Phase {
                every: None,
                until: values::duration(until)?,
            }),
            ("expect", ["no_action"]) => self.expect = Some(Vec::new()),
            ("expect", [_, ..]) => {
                self.expect = Some(
                    rest.iter()
                        .map(|word| action(word))
                        .collect::<Result<_, _>>()?,
                );
            }
            ("expect-span", [treatment, first, "to", last, "at", "least", min]) => {
                let (first, last) = (number(first)?, number(last)?);
                if first >= last {
                    return Err(format!("`{first} to {last}` is not a span; write 1 to 4"));
                }
                self.spans.push(ExpectedSpan {
                    action: action(treatment)?,
                    first,
                    last,
                    min: values::duration(min)?,
                });
            }
            _ if STATEMENTS.contains(&statement) => {
                return Err(format!(
                    "`{statement} {}` is incomplete or has unexpected words",
                    rest.join(" ")
                ));
            }
            _ => {
                return Err(format!(
                    "unknown statement `{statement}`; known are {}",
                    STATEMENTS.join(", ")
                ));
            }
        }
        Ok(())
    }
}

fn parse_changes(words: &[&str]) -> Result<Vec<Change>, String> {
    if words.is_empty() {
        return Err("a change is missing, such as `errors=30%`".to_owned());
    }
    words.iter().map(|word| Change::parse(word)).collect()
}

/// Parses the number of a treatment.
fn number(word: &str) -> Result<usize, String> {
    match word.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "`{word}` is not the number of a treatment; write 1"
        )),
    }
}

fn action(word: &str) -> Result<Action, String> {
    values::choice(word, &Action::ALL.map(|action| (action.as_str(), action)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(script: &str) -> String {
        Script::parse(script).unwrap_err().to_string()
    }

    #[test]
    fn unknown_statement_is_reported_with_its_line_and_the_known_ones() {
        assert_eq!(
            error("# a comment\napp rate=1/s\npol every 5s until 60s\n"),
            "line 3: unknown statement `pol`; known are profile, proposer, clock, app, at, every, \
             after, poll, skip, expect, expect-span, case"
        );
    }

    #[test]
    fn unknown_change_is_reported_with_the_known_ones() {
        let error = error("\n\nat 5s eror=30%\n");
        assert!(
            error.starts_with("line 3: unknown change `eror`; known are age, app-restarts,"),
            "{error}"
        );
        assert!(error.contains(", errors, "), "{error}");
    }

    #[test]
    fn malformed_values_are_reported_with_an_example() {
        for (line, message) in [
            (
                "at soon errors=1%",
                "`soon` is not a time; write 5s or 10min",
            ),
            (
                "app errors=lots",
                "`errors=lots`: `lots` is not a percentage; write 30%",
            ),
            ("app rate=5", "`rate=5`: `5` is not a rate; write 200/s"),
            ("app stalled", "`stalled` needs a value: `stalled=…`"),
            ("app app-restarts=1", "`app-restarts` takes no value"),
            (
                "app front-door=open",
                "`front-door=open`: `open` is unknown; known are answers, hangs, refuses, invalid, \
                 not_probed",
            ),
            ("at 5s", "a change is missing, such as `errors=30%`"),
            (
                "expect restart",
                "`restart` is unknown; known are no_action, reset_errors, restart_service",
            ),
            (
                "expect-span restart_service 0 to 4 at least 30min",
                "`0` is not the number of a treatment; write 1",
            ),
            (
                "expect-span restart_service 4 to 4 at least 30min",
                "`4 to 4` is not a span; write 1 to 4",
            ),
            (
                "poll each 5s",
                "`poll each 5s` is incomplete or has unexpected words",
            ),
        ] {
            assert_eq!(error(line), format!("line 1: {message}"));
        }
    }

    #[test]
    fn scenario_without_polls_or_expectation_is_rejected() {
        assert_eq!(
            error("app rate=1/s\npoll every 5s until 60s\n"),
            "line 2: the scenario needs `poll every … until …` and `expect …`"
        );
    }

    #[test]
    fn cases_share_the_lines_before_the_first() {
        let text = "app rate=1/s\npoll every 5s until 60s\nexpect no_action\n\
                    case one\napp cpu=9%\ncase two\nexpect reset_errors\n";
        let cases = Script::parse(text).unwrap().cases;
        assert_eq!(
            cases
                .iter()
                .map(|case| case.initial.len())
                .collect::<Vec<_>>(),
            [2, 1]
        );
        assert_eq!(cases[0].expect, Some(vec![]));
        assert_eq!(cases[1].expect, Some(vec![Action::ResetErrors]));
        assert_eq!(cases[1].name.as_deref(), Some("two"));
    }
}
