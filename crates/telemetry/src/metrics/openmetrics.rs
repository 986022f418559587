//! The same metrics as OpenMetrics text, which Prometheus and its kin read.
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Metric;

/// All metrics, ended as the format wants it. Names that become equal when they are spelt for
/// the format are written once.
pub(super) fn write(readings: &BTreeMap<String, f64>, metrics: &[(String, Metric)]) -> String {
    let mut text = Text::default();
    for (name, value) in readings {
        text.gauge(name, *value);
    }
    for (name, metric) in metrics {
        match metric {
            Metric::Counter(counter) => text.counter(name, counter.get()),
            Metric::Gauge(gauge) => text.gauge(name, gauge.get()),
            Metric::Timer(timer) => {
                let Some(statistics) = timer.statistics() else { continue };
                let Some(name) = text.family(name, "summary") else { continue };
                for share in [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999] {
                    let value = statistics.percentile(share);
                    text.line(format_args!("{name}{{quantile=\"{share}\"}} {value}"));
                }
                text.line(format_args!("{name}_count {}", statistics.count()));
                text.line(format_args!("{name}_sum {}", statistics.sum()));
            }
        }
    }
    text.out.push_str("# EOF\n");
    text.out
}

#[derive(Default)]
struct Text {
    out: String,
    written: BTreeSet<String>,
}

impl Text {
    fn gauge(&mut self, name: &str, value: f64) {
        if let Some(name) = self.family(name, "gauge") {
            self.line(format_args!("{name} {value}"));
        }
    }

    fn counter(&mut self, name: &str, value: u64) {
        if let Some(name) = self.family(name, "counter") {
            self.line(format_args!("{name}_total {value}"));
        }
    }

    /// Begins a metric; `None` if one of that spelling is written already.
    fn family(&mut self, name: &str, kind: &str) -> Option<String> {
        let name = spell(name);
        if !self.written.insert(name.clone()) {
            return None;
        }
        self.line(format_args!("# TYPE {name} {kind}"));
        Some(name)
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }
}

/// `master/slaves_active` as `mesos_master_slaves_active`.
fn spell(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(allowed).collect();
    // The format forbids a counter's family to end in what its sample ends in.
    format!("mesos_{}", name.strip_suffix("_total").unwrap_or(&name))
}
