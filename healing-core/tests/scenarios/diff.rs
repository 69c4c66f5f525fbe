//! Line diff of two texts, by their longest common subsequence.

/// Returns the lines that differ, with two lines of context: `-` expected, `+` found.
pub(crate) fn diff(expected: &str, found: &str) -> String {
    let old: Vec<&str> = expected.lines().collect();
    let new: Vec<&str> = found.lines().collect();
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut lines = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    let near = |index: usize| {
        let range = index.saturating_sub(2)..(index + 3).min(lines.len());
        lines[range].iter().any(|(mark, _)| *mark != ' ')
    };
    lines
        .iter()
        .enumerate()
        .filter(|(index, _)| near(*index))
        .map(|(_, (mark, line))| format!("{mark} {line}\n"))
        .collect()
}

#[test]
fn diff_shows_changed_lines_with_context() {
    let expected = "a\nb\nc\nd\ne\nf\n";
    let found = "a\nb\nc\nd\nX\nf\n";
    assert_eq!(diff(expected, found), "  c\n  d\n- e\n+ X\n  f\n");
    assert_eq!(diff(expected, expected), "");
}
