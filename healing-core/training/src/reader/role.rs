//! Role of a column in labelled data.

/// Role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Feature with its index.
    Feature(usize),
    /// Label of the row.
    Label,
    /// Incident or scenario of the row.
    Group,
    /// Time of the row.
    Time,
}
