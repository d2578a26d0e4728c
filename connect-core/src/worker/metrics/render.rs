//! Prometheus' text format. A metric `a-b` of group `c-metrics` is called `kafka_connect_c_metrics_a_b`, as the usual
//! exporters for Java's beans call it.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Samples by name of the metric, so that each name has all its samples together as the format demands.
#[derive(Default)]
pub(crate) struct Page(BTreeMap<String, (&'static str, Vec<String>)>);

/// Adds samples with the same labels.
pub(crate) struct Lines<'a> {
    page: &'a mut Page,
    labels: Vec<(&'static str, String)>,
    group: &'static str,
}

impl Page {
    pub(crate) fn labelled(&mut self, labels: Vec<(&'static str, String)>) -> Lines<'_> {
        Lines { page: self, labels, group: "" }
    }

    pub(crate) fn finish(self) -> String {
        let mut out = String::new();
        for (name, (kind, samples)) in self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "# TYPE {name} {kind}");
            for sample in samples {
                let _ = writeln!(out, "{name}{sample}");
            }
        }
        out
    }
}

impl Lines<'_> {
    pub(crate) fn group(&mut self, group: &'static str) {
        self.group = group;
    }

    pub(crate) fn gauge(&mut self, name: &str, value: f64) {
        self.add(name, "gauge", None, &number(value));
    }

    pub(crate) fn counter(&mut self, name: &str, value: u64) {
        self.add(name, "counter", None, &value.to_string());
    }

    /// A text: a sample of 1 with the text as a label called like the metric.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.add(name, "gauge", Some(value), "1");
    }

    fn add(&mut self, name: &str, kind: &'static str, text: Option<&str>, value: &str) {
        let full = format!("kafka_connect_{}_{}", self.group, name).replace('-', "_");
        let own = text.map(|text| (name.replace('-', "_"), text.to_owned()));
        let labels = self.labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).chain(own);
        let labels: Vec<_> =
            labels.map(|(key, value)| format!("{}=\"{}\"", key.replace('-', "_"), escaped(&value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let (_, samples) = self.page.0.entry(full).or_insert((kind, Vec::new()));
        samples.push(format!("{labels} {value}"));
    }
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value => value.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn names_are_those_that_prometheus_can_read() {
        let mut page = Page::default();
        let mut lines = page.labelled(vec![("client-id", "a-\"b\"".to_owned())]);
        lines.group("connect-coordinator-metrics");
        lines.gauge("join-rate", 0.5);
        lines.gauge("join-rate", f64::INFINITY);
        assert_eq!(
            page.finish(),
            "# TYPE kafka_connect_connect_coordinator_metrics_join_rate gauge\n\
             kafka_connect_connect_coordinator_metrics_join_rate{client_id=\"a-\\\"b\\\"\"} 0.5\n\
             kafka_connect_connect_coordinator_metrics_join_rate{client_id=\"a-\\\"b\\\"\"} +Inf\n"
        );
    }
}
