//! Role of a column in labelled data.

/// Role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Feature with its index.
    Feature(usize),
    Label,
    Group,
    Time,
}
