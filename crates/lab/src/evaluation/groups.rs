//! Which persons belong to which group: a CSV file beside the photos.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Persons by group: the header names a column `person` and one for each way of grouping, for example
/// `person,sex,age`; each row is a person's folder and the groups they belong to. An empty field says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    columns: Vec<String>,
    rows: BTreeMap<String, Vec<String>>,
}

/// Why a table of groups cannot be used: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupsError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says of it.
        error: std::io::Error,
    },
    /// The first line is no header.
    #[error("{0}: the first line must name the columns: person, then one or more groups")]
    Header(String),
    /// A row has another number of fields than the header, or names a person again.
    #[error("{file}, line {line}: {problem}")]
    Row {
        /// The file.
        file: String,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong there.
        problem: &'static str,
    },
}

impl Groups {
    /// Reads a file of groups.
    ///
    /// # Errors
    /// [`GroupsError`] names the line.
    pub fn read(file: &Path) -> Result<Self, GroupsError> {
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text, &name),
            Err(error) => Err(GroupsError::Unreadable { file: name, error }),
        }
    }

    pub(super) fn parse(text: &str, file: &str) -> Result<Self, GroupsError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let header = lines.next().map(|(_, line)| fields(line));
        let columns = match header.as_deref() {
            Some([first, groups @ ..]) if first == "person" && !groups.is_empty() => {
                groups.to_vec()
            }
            _ => return Err(GroupsError::Header(file.to_owned())),
        };
        let mut rows = BTreeMap::new();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |problem| GroupsError::Row {
                file: file.to_owned(),
                line: number + 1,
                problem,
            };
            let mut fields = fields(line).into_iter();
            let person = fields.next().unwrap_or_default();
            let groups: Vec<String> = fields.collect();
            if groups.len() != columns.len() {
                return Err(wrong("there must be as many fields as in the first line"));
            }
            if rows.insert(person, groups).is_some() {
                return Err(wrong("this person has a line already"));
            }
        }
        Ok(Self { columns, rows })
    }

    /// Every group there is, as `column=value`.
    pub fn names(&self) -> BTreeSet<String> {
        let rows = self.rows.keys();
        rows.flat_map(|person| self.of(person)).collect()
    }

    /// The groups of one person.
    pub fn of(&self, person: &str) -> Vec<String> {
        let row = self.rows.get(person).into_iter().flatten();
        self.columns
            .iter()
            .zip(row)
            .filter(|(_, value)| !value.is_empty())
            .map(|(column, value)| format!("{column}={value}"))
            .collect()
    }

    /// Whether two persons are known to be alike in every column.
    pub fn alike(&self, one: &str, other: &str) -> bool {
        match (self.rows.get(one), self.rows.get(other)) {
            (Some(a), Some(b)) => a == b && !a.iter().any(String::is_empty),
            _ => false,
        }
    }
}

/// The fields of a line; a field in double quotes may hold commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => {
                if let Some(field) = fields.last_mut() {
                    field.push(c);
                }
            }
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_put_persons_into_groups() {
        let groups = Groups::parse(
            "person,sex,age\nann, f,30\n\nbob,m,\n\"eve, the\",f,30\n",
            "x",
        )
        .unwrap();
        assert_eq!(groups.of("ann"), ["sex=f", "age=30"]);
        assert_eq!(groups.of("bob"), ["sex=m"]);
        assert!(groups.of("nobody").is_empty());
        assert!(groups.alike("ann", "eve, the"));
        assert!(!groups.alike("ann", "bob") && !groups.alike("bob", "bob"));
        assert_eq!(groups.names().len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let problem = |text| Groups::parse(text, "g.csv").unwrap_err().to_string();
        assert!(problem("name,sex\n").contains("must name the columns"));
        assert!(problem("person\n").contains("must name the columns"));
        assert!(problem("person,sex\nann\n").contains("g.csv, line 2"));
        assert!(problem("person,sex\nann,f\nann,m").contains("line 3"));
    }
}
