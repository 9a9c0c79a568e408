//! What a run about several clusters tells of them.

use std::collections::{HashMap, HashSet};

use anyhow::Error;

use super::Outside;
use crate::input::place::Place;
use crate::problems::Problems;
use crate::text::{shown, shown_first};

/// Tells each note and each problem of a run once, though several clusters have it.
pub struct Teller {
    /// What has failed: `failed to render`.
    failed: &'static str,
    /// The clusters that each problem is about, where its text doesn't say so itself: as with a
    /// kubeconfig that several of them share.
    affected: HashMap<String, Vec<String>>,
    said: HashSet<String>,
}

impl Teller {
    /// Of a run with so many clusters, of which these have problems, each with its name and place. What has
    /// failed is said before the clusters that a problem is about.
    pub fn of<'a>(
        failed: &'static str,
        total: usize,
        clusters: impl Iterator<Item = (&'a str, &'a Place, &'a Problems)>,
    ) -> Self {
        let mut affected: HashMap<String, Vec<String>> = HashMap::new();
        let several = clusters.filter(|_| total > 1);
        for (name, place, problems) in several {
            let (name, place) = (shown(name).to_string(), place.to_string());
            let texts = problems.iter().map(|problem| format!("{problem:#}"));
            for text in texts.filter(|text| !text.contains(&name) && !text.contains(&place)) {
                let clusters = affected.entry(text).or_default();
                clusters.push(format!("{name} ({place})"));
            }
        }
        Self {
            failed,
            affected,
            said: HashSet::new(),
        }
    }

    /// Tells notes.
    pub fn notes(&mut self, notes: Vec<String>, outside: &mut Outside<'_>) {
        for note in notes {
            if self.said.insert(note.clone()) {
                outside.report.note(&note);
            }
        }
    }

    /// Tells problems, and which clusters they are about.
    pub fn errors(&mut self, problems: impl IntoIterator<Item = Error>, outside: &mut Outside<'_>) {
        for problem in problems {
            let text = format!("{problem:#}");
            let named = match self.affected.get(&text) {
                Some(clusters) => {
                    problem.context(format!("{} {}", self.failed, shown_first(clusters.iter())))
                }
                None => problem,
            };
            if self.said.insert(text) {
                outside.report.error(&named);
            }
        }
    }
}
