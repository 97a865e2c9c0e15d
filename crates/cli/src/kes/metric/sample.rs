use std::collections::BTreeMap;

use serde::Serialize;

/// What the server counted up to one moment (KES protocol, section 8.3).
///
/// Its JSON form is the one `kes metric` always had: times are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Sample {
    #[serde(rename = "kes_http_request_success")]
    pub(super) success: u64,
    #[serde(rename = "kes_http_request_error")]
    pub(super) error: u64,
    #[serde(rename = "kes_http_request_failure")]
    pub(super) failure: u64,
    #[serde(rename = "kes_http_request_active")]
    pub(super) active: u64,
    #[serde(rename = "kes_log_audit_events")]
    pub(super) audit_events: u64,
    #[serde(rename = "kes_log_error_events")]
    pub(super) error_events: u64,
    /// Requests by the time that they took at most.
    #[serde(rename = "kes_http_response_time")]
    pub(super) response_time: BTreeMap<u64, u64>,
    #[serde(rename = "kes_system_up_time")]
    pub(super) up_time: u64,
    #[serde(rename = "kes_system_num_cpu")]
    pub(super) cpus: u64,
    #[serde(rename = "kes_system_num_cpu_used")]
    pub(super) cpus_used: u64,
    #[serde(rename = "kes_system_num_threads")]
    pub(super) threads: u64,
    #[serde(rename = "kes_system_mem_heap_used")]
    pub(super) heap_used: u64,
    #[serde(rename = "kes_system_mem_heap_objects")]
    pub(super) heap_objects: u64,
    #[serde(rename = "kes_system_mem_stack_used")]
    pub(super) stack_used: u64,
    /// Time spent on all requests, in nanoseconds.
    #[serde(skip)]
    pub(super) response_time_sum: u64,
    /// Requests whose time was taken.
    #[serde(skip)]
    pub(super) response_time_count: u64,
}

// === impl Sample ===

impl Sample {
    /// Reads the text format of Prometheus. What is not a figure of a KES server is
    /// skipped; what is missing is zero.
    pub(super) fn parse(text: &str) -> Self {
        let mut sample = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let Ok(value) = value.parse::<f64>() else {
                continue;
            };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            sample.add(name, labels, value);
        }
        sample
    }

    fn add(&mut self, name: &str, labels: &str, value: f64) {
        let count = whole(value);
        match name {
            "kes_http_request_success" => self.success += count,
            "kes_http_request_error" => self.error += count,
            "kes_http_request_failure" => self.failure += count,
            "kes_http_request_active" => self.active = count,
            "kes_log_audit_events" => self.audit_events = count,
            "kes_log_error_events" => self.error_events = count,
            "kes_http_response_time_bucket" => {
                if let Some(bound) = upper_bound(labels) {
                    self.response_time.insert(bound, count);
                }
            }
            "kes_http_response_time_sum" => self.response_time_sum = nanoseconds(value),
            "kes_http_response_time_count" => self.response_time_count = count,
            "kes_system_up_time" => self.up_time = nanoseconds(value),
            "kes_system_num_cpu" => self.cpus = count,
            "kes_system_num_cpu_used" => self.cpus_used = count,
            "kes_system_num_threads" => self.threads = count,
            "kes_system_mem_heap_used" => self.heap_used = count,
            "kes_system_mem_heap_objects" => self.heap_objects = count,
            "kes_system_mem_stack_used" => self.stack_used = count,
            _ => {}
        }
    }

    /// Requests with any outcome.
    pub(super) fn requests(&self) -> u64 {
        self.success + self.error + self.failure
    }
}

/// The bound of a histogram bucket, `le="0.01"`, in nanoseconds; none for infinity.
fn upper_bound(labels: &str) -> Option<u64> {
    let bound = labels
        .trim_end_matches('}')
        .strip_prefix("le=\"")?
        .strip_suffix('"')?;
    bound
        .parse::<f64>()
        .ok()
        .filter(|bound| bound.is_finite())
        .map(nanoseconds)
}

fn nanoseconds(seconds: f64) -> u64 {
    whole(seconds * 1e9)
}

/// The nearest integer from zero on.
#[expect(
    clippy::as_conversions,
    reason = "saturates, and there is no other way from a float"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# TYPE kes_http_request_success counter
kes_http_request_success{code=\"200\"} 7
kes_http_request_success{code=\"204\"} 1
kes_http_request_active 2
kes_http_response_time_bucket{le=\"0.01\"} 5
kes_http_response_time_bucket{le=\"+Inf\"} 8
kes_http_response_time_sum 0.25
kes_http_response_time_count 8
kes_system_up_time 12.34
process_open_fds 9
";

    #[test]
    fn figures_are_read_in_nanoseconds() {
        let sample = Sample::parse(METRICS);
        assert_eq!(sample.requests(), 8);
        assert_eq!(sample.response_time, BTreeMap::from([(10_000_000, 5)]));
        assert_eq!(
            (sample.response_time_sum, sample.response_time_count),
            (250_000_000, 8)
        );
        assert_eq!(sample.up_time, 12_340_000_000);
    }

    #[test]
    fn json_has_the_published_members() {
        let json = serde_json::to_string(&Sample::parse(METRICS)).unwrap();
        assert!(json.starts_with(
            r#"{"kes_http_request_success":8,"kes_http_request_error":0,"kes_http_request_failure":0,"kes_http_request_active":2,"#
        ));
        assert!(json.contains(
            r#""kes_http_response_time":{"10000000":5},"kes_system_up_time":12340000000"#
        ));
    }
}
