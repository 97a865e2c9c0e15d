//! Metrics as OpenMetrics 1.0 text, which the metrics library does not write.

use std::fmt::{self, Display, Write};

use prometheus::proto::{LabelPair, MetricFamily, MetricType};

/// The content type of [`encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes families: counters get `_total`, which their families do not have.
pub(crate) fn encode(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _infallible: fmt::Result = families
        .iter()
        .try_for_each(|family| write_family(&mut text, family));
    text.push_str("# EOF\n");
    text
}

fn write_family(text: &mut String, family: &MetricFamily) -> fmt::Result {
    let name = family.name();
    let kind = match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        _ => "gauge",
    };
    writeln!(text, "# TYPE {name} {kind}")?;
    writeln!(text, "# HELP {name} {}", escaped(family.help()))?;
    for metric in family.get_metric() {
        let labels = metric.get_label();
        match family.get_field_type() {
            MetricType::COUNTER => {
                let value = metric.get_counter().get_value();
                sample(text, name, "_total", labels, None, value)?;
            }
            MetricType::HISTOGRAM => {
                let histogram = metric.get_histogram();
                let mut bounded = false;
                for bucket in histogram.get_bucket() {
                    bounded |= bucket.upper_bound().is_infinite();
                    let bound = number(bucket.upper_bound());
                    let count = bucket.cumulative_count();
                    sample(text, name, "_bucket", labels, Some(&bound), count)?;
                }
                let count = histogram.get_sample_count();
                if !bounded {
                    sample(text, name, "_bucket", labels, Some("+Inf"), count)?;
                }
                sample(text, name, "_count", labels, None, count)?;
                let sum = histogram.get_sample_sum();
                sample(text, name, "_sum", labels, None, sum)?;
            }
            _ => sample(text, name, "", labels, None, metric.get_gauge().get_value())?,
        }
    }
    Ok(())
}

fn sample(
    text: &mut String,
    name: &str,
    suffix: &str,
    labels: &[LabelPair],
    bound: Option<&str>,
    value: impl Display,
) -> fmt::Result {
    write!(text, "{name}{suffix}")?;
    let labels = labels.iter().map(|label| (label.name(), label.value()));
    let mut separator = '{';
    for (label, value) in labels.chain(bound.map(|bound| ("le", bound))) {
        write!(text, "{separator}{label}=\"{}\"", escaped(value))?;
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
    writeln!(text, " {value}")
}

/// A bound in canonical form: always with a point.
fn number(value: f64) -> String {
    if value.is_infinite() {
        "+Inf".to_owned()
    } else {
        format!("{value:?}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry};

    use super::*;

    #[test]
    fn every_kind_of_family_has_the_form_of_the_standard() {
        let registry = Registry::new();
        let counter =
            IntCounterVec::new(Opts::new("http", "Answers \"sent\"."), &["api", "code"]).unwrap();
        counter.with_label_values(&["kms", "200"]).inc_by(3);
        registry.register(Box::new(counter)).unwrap();
        let histogram = HistogramOpts::new("took", "Seconds.").buckets(vec![0.001, 1.0]);
        let histogram = Histogram::with_opts(histogram).unwrap();
        histogram.observe(0.5);
        histogram.observe(2.0);
        registry.register(Box::new(histogram)).unwrap();
        let gauge = Gauge::new("up", "One\nline.").unwrap();
        gauge.set(1.5);
        registry.register(Box::new(gauge)).unwrap();
        let unused = IntCounter::new("zero", "Nothing yet.").unwrap();
        registry.register(Box::new(unused)).unwrap();

        assert_eq!(
            encode(&registry.gather()),
            concat!(
                "# TYPE http counter\n",
                "# HELP http Answers \\\"sent\\\".\n",
                "http_total{api=\"kms\",code=\"200\"} 3\n",
                "# TYPE took histogram\n",
                "# HELP took Seconds.\n",
                "took_bucket{le=\"0.001\"} 0\n",
                "took_bucket{le=\"1.0\"} 1\n",
                "took_bucket{le=\"+Inf\"} 2\n",
                "took_count 2\n",
                "took_sum 2.5\n",
                "# TYPE up gauge\n",
                "# HELP up One\\nline.\n",
                "up 1.5\n",
                "# TYPE zero counter\n",
                "# HELP zero Nothing yet.\n",
                "zero_total 0\n",
                "# EOF\n",
            )
        );
    }
}
