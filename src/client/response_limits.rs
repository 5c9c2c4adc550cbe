//! Limits on what the service may send, so that neither a fault nor a hostile service fills the memory of this machine:
//! the structure of one response, the pages and objects of one list, and the bytes of all lists of a command.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::api::common::PAGE_SIZE;

/// Maximum number of objects in one list: four times the largest documented quota, 250,000 role bindings of an
/// organization (docs/reference/quotas.md#service-quota-codes).
const MAX_ITEMS: usize = 1_000_000;

/// Maximum number of pages of one list: [`MAX_ITEMS`] in pages of the requested size.
const MAX_PAGES: usize = MAX_ITEMS / PAGE_SIZE as usize;

/// Maximum number of empty pages in a row. A filtered list may have them: this number of pages holds all role bindings
/// that an organization can have.
const MAX_EMPTY_PAGES: usize = 250_000 / PAGE_SIZE as usize;

/// Maximum size of all lists of a command. 250,000 role bindings take about 175 MB.
const MAX_LIST_BYTES: u64 = 1 << 30;

/// Maximum number of objects and arrays in a response. An expanded connector with ten tasks has 27 of them; Confluent
/// Cloud allows 250 tasks for each cluster (docs/reference/quotas.md#cluster-limits). An empty object is two
/// bytes long and takes hundreds of bytes in memory.
const MAX_CONTAINERS: usize = 250_000;

/// Maximum number of values in a response: a list of 10,000 connectors with 150 configuration keys each has 1.5 million.
const MAX_VALUES: usize = 2_000_000;

/// Bytes that the lists of a command have read, shared by all of its clients.
#[derive(Debug)]
pub struct ListBudget {
    used: AtomicU64,
    /// Maximum, in bytes.
    limit: u64,
}

impl Default for ListBudget {
    fn default() -> Self {
        Self::new(MAX_LIST_BYTES)
    }
}

impl ListBudget {
    /// Creates a budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            limit,
        }
    }

    /// Starts again at zero, for a command that repeats its observation and keeps only the last one.
    pub fn reset(&self) {
        self.used.store(0, Ordering::Relaxed);
    }
}

/// Progress of one list.
#[derive(Debug)]
pub(super) struct ListProgress {
    budget: Arc<ListBudget>,
    pages: usize,
    items: usize,
    empty_pages: usize,
}

impl ListProgress {
    /// Starts a list whose pages count against `budget`.
    pub(super) fn new(budget: Arc<ListBudget>) -> Self {
        Self {
            budget,
            pages: 0,
            items: 0,
            empty_pages: 0,
        }
    }

    /// Returns the number of pages so far.
    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Counts a page with this number of objects and bytes, which another page follows if `has_next` is set.
    ///
    /// # Errors
    /// The limit that is exceeded. A list that ends with this page exceeds no number of pages.
    pub(super) fn add_page(&mut self, items: usize, bytes: usize, has_next: bool) -> Result<(), String> {
        self.pages += 1;
        self.items += items;
        self.empty_pages = if items == 0 { self.empty_pages + 1 } else { 0 };
        let bytes = bytes as u64;
        let total = self
            .budget
            .used
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes);
        if self.items > MAX_ITEMS {
            return Err(format!("the list has more than {MAX_ITEMS} objects"));
        }
        if has_next && self.pages >= MAX_PAGES {
            return Err(format!("the list has more than {MAX_PAGES} pages"));
        }
        if has_next && self.empty_pages >= MAX_EMPTY_PAGES {
            return Err(format!("the service returned {MAX_EMPTY_PAGES} empty pages in a row"));
        }
        let limit = self.budget.limit;
        if total > limit {
            return Err(format!("the lists of this command have more than {} MiB", limit >> 20));
        }
        Ok(())
    }
}

/// Returns the limit that a JSON text exceeds before it is decoded. Other texts have no such limit.
pub(super) fn exceeded_structure(body: &[u8]) -> Option<String> {
    if !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return None;
    }
    let (mut containers, mut values) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => containers += 1,
            // Every value but the first of a container follows a comma.
            b',' => values += 1,
            _ => {}
        }
    }
    if containers > MAX_CONTAINERS {
        return Some(format!("{MAX_CONTAINERS} objects and lists"));
    }
    (values > MAX_VALUES).then(|| format!("{MAX_VALUES} values"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_structure_outside_of_strings_counts() {
        let objects = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(exceeded_structure(objects(MAX_CONTAINERS - 1).as_bytes()), None);
        assert_eq!(
            exceeded_structure(objects(MAX_CONTAINERS).as_bytes()).unwrap(),
            "250000 objects and lists"
        );
        let numbers = |count: usize| format!("[0{}]", ",0".repeat(count));
        assert_eq!(exceeded_structure(numbers(MAX_VALUES).as_bytes()), None);
        assert_eq!(
            exceeded_structure(numbers(MAX_VALUES + 1).as_bytes()).unwrap(),
            "2000000 values"
        );
        let text = serde_json::json!([r#"{[\","#.repeat(MAX_VALUES)]).to_string();
        assert_eq!(exceeded_structure(text.as_bytes()), None);
        // Metrics in the Prometheus format.
        let metrics = "metric{a=\"b\",c=\"d\"} 1\n".repeat(MAX_CONTAINERS + 1);
        assert_eq!(exceeded_structure(metrics.as_bytes()), None);
    }

    #[test]
    fn a_list_may_reach_its_limits_and_not_exceed_them() {
        let mut list = ListProgress::new(Arc::default());
        for _ in 1..MAX_EMPTY_PAGES {
            list.add_page(0, 0, true).unwrap();
        }
        list.add_page(1, 0, true).unwrap();
        for _ in 1..MAX_EMPTY_PAGES {
            list.add_page(0, 0, true).unwrap();
        }
        assert_eq!(
            list.add_page(0, 0, true).unwrap_err(),
            "the service returned 2500 empty pages in a row"
        );
        let mut list = ListProgress::new(Arc::default());
        for _ in 1..MAX_PAGES {
            list.add_page(1, 0, true).unwrap();
        }
        assert_eq!(
            list.add_page(1, 0, true).unwrap_err(),
            "the list has more than 10000 pages"
        );
        let mut list = ListProgress::new(Arc::default());
        list.add_page(MAX_ITEMS, 0, false).unwrap();
        assert_eq!(
            list.add_page(1, 0, false).unwrap_err(),
            "the list has more than 1000000 objects"
        );
    }

    #[test]
    fn all_lists_of_a_command_share_a_budget_until_it_is_reset() {
        let budget = Arc::new(ListBudget::default());
        let half = usize::try_from(MAX_LIST_BYTES / 2).unwrap();
        for _ in 0..2 {
            ListProgress::new(budget.clone()).add_page(1, half, false).unwrap();
        }
        let error = ListProgress::new(budget.clone()).add_page(1, 1, false).unwrap_err();
        assert_eq!(error, "the lists of this command have more than 1024 MiB");
        budget.reset();
        ListProgress::new(budget).add_page(1, half, false).unwrap();
    }
}
