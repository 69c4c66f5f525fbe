//! Where the output of a pod's children goes.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use super::Role;

/// Takes the lines of a pod's children. Must not block.
pub type LineSink = Arc<dyn Fn(Role, &str) + Send + Sync>;

/// Where the children's lines go.
#[derive(Clone, Default)]
pub enum Output {
    /// To this process's own stdout and stderr, each line after `app | ` or `sidecar | `.
    #[default]
    Prefixed,
    /// Nowhere.
    Discard,
    /// To a function.
    Lines(LineSink),
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Prefixed => "Prefixed",
            Self::Discard => "Discard",
            Self::Lines(_) => "Lines",
        })
    }
}

impl Output {
    pub(super) fn stdio(&self) -> Stdio {
        match self {
            Self::Discard => Stdio::null(),
            Self::Prefixed | Self::Lines(_) => Stdio::piped(),
        }
    }

    /// A line that cannot be written (a closed terminal) is lost; the pod goes on.
    pub(super) fn line(&self, role: Role, line: &str, error: bool) {
        match self {
            Self::Discard => {}
            Self::Lines(sink) => sink(role, line),
            Self::Prefixed => {
                let prefix = match role {
                    Role::App => "app     | ",
                    Role::Sidecar => "sidecar | ",
                };
                let line = format!("{prefix}{line}\n");
                let _ = if error {
                    std::io::stderr().lock().write_all(line.as_bytes())
                } else {
                    std::io::stdout().lock().write_all(line.as_bytes())
                };
            }
        }
    }
}
