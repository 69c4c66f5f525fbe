//! Output of a pod's children.

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use super::Role;

/// Function that receives each line of a pod's children. It must not block.
pub type LineSink = Arc<dyn Fn(Role, &str) + Send + Sync>;

/// Destination of the children's lines.
#[derive(Clone, Default)]
pub enum Output {
    /// Stdout and stderr of this process, each line prefixed by `app | ` or `sidecar | `.
    #[default]
    Prefixed,
    /// No output.
    Discard,
    /// A function.
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

    /// Writes a line. A line that cannot be written, for example to a closed terminal, is dropped.
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
