//! The meter's own families in Prometheus' text format.
//!
//! Built for many series: a series' labels are escaped once, its numbers are integers until they are
//! written, and nothing is collected into an intermediate form.

use super::series;
use super::text::{self, Kind, Text};
use super::{Inner, Meter};

/// Request durations; its `_count` is the number of requests.
pub(crate) const DURATION: (&str, &str) = (
    "http_server_request_duration_seconds",
    "Duration of HTTP requests until the end of the response body. Without status: no response.",
);
/// Open requests.
pub(crate) const ACTIVE: (&str, &str) = (
    "http_server_active_requests",
    "HTTP requests being served now.",
);
/// Names of the label dimensions of [`DURATION`].
pub(crate) const LABELS: [&str; 3] = [
    "http_request_method",
    "http_route",
    "http_response_status_code",
];

/// The counters beside the histogram: name, help, value.
pub(crate) fn counters(meter: &Inner) -> [(&'static str, &'static str, u64); 4] {
    [
        (
            "healing_app_errors_total",
            "Requests that ended as errors.",
            meter.errors(),
        ),
        (
            "healing_app_panics_total",
            "Handler panics: errors too.",
            meter.sum(|shard| &shard.panics),
        ),
        (
            "healing_app_cancelled_total",
            "Requests whose client left before the response was complete.",
            meter.sum(|shard| &shard.cancelled),
        ),
        (
            "healing_app_body_errors_total",
            "Responses whose body failed midway: errors too.",
            meter.sum(|shard| &shard.body_errors),
        ),
    ]
}

/// The text of a status label.
pub(crate) fn status_label(status: u16) -> String {
    if status == super::record::NO_RESPONSE {
        String::new()
    } else {
        status.to_string()
    }
}

impl Meter {
    /// Appends the meter's families in Prometheus' text format.
    pub fn write_metrics(&self, out: &mut String) {
        let mut text = Text::default();
        std::mem::swap(text.out(), out);
        self.write(&mut text);
        *out = text.into_string();
    }

    pub(crate) fn write(self, text: &mut Text) {
        let meter = self.inner();
        self.write_durations(text);
        text.single(ACTIVE.0, Kind::Gauge, ACTIVE.1, self.in_flight() as f64);
        for (name, help, value) in counters(meter) {
            text.single(name, Kind::Counter, help, value as f64);
        }
    }

    fn write_durations(self, text: &mut Text) {
        let meter = self.inner();
        let mut bounds: Vec<String> = meter.options().bounds.iter().map(f64::to_string).collect();
        bounds.push("+Inf".to_owned());
        text.family(DURATION.0, Kind::Histogram, DURATION.1);
        let mut labels = String::new();
        for route in meter.routes.iter() {
            for (method, endpoint) in route.endpoints() {
                for (status, totals) in endpoint.totals(bounds.len()) {
                    labels.clear();
                    let status = status_label(status);
                    let values = [method, route.name(), &status];
                    let pairs: Vec<_> = LABELS.into_iter().zip(values).collect();
                    text::label_pairs(&mut labels, &pairs);
                    write_series(text.out(), &labels, &bounds, &totals);
                }
            }
        }
    }
}

fn write_series(out: &mut String, labels: &str, bounds: &[String], totals: &series::Totals) {
    let mut count = 0;
    for (bound, requests) in bounds.iter().zip(&totals.buckets) {
        count += requests;
        out.push_str(DURATION.0);
        out.push_str("_bucket{");
        out.push_str(labels);
        out.push_str(",le=\"");
        out.push_str(bound);
        out.push_str("\"} ");
        integer(out, count);
        out.push('\n');
    }
    out.push_str(DURATION.0);
    out.push_str("_sum{");
    out.push_str(labels);
    out.push_str("} ");
    seconds(out, totals.nanos);
    out.push('\n');
    out.push_str(DURATION.0);
    out.push_str("_count{");
    out.push_str(labels);
    out.push_str("} ");
    integer(out, count);
    out.push('\n');
}

/// Decimal digits, without the formatting machinery.
fn integer(out: &mut String, mut value: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[start..]).unwrap_or("0"));
}

/// Nanoseconds as decimal seconds, exactly.
fn seconds(out: &mut String, nanos: u64) {
    integer(out, nanos / 1_000_000_000);
    let fraction = nanos % 1_000_000_000;
    if fraction > 0 {
        let start = out.len();
        // A one in front keeps the leading zeros.
        integer(out, 1_000_000_000 + fraction);
        out.replace_range(start..=start, ".");
        out.truncate(out.trim_end_matches('0').len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let written = |nanos| {
            let mut out = String::from("x ");
            seconds(&mut out, nanos);
            out
        };
        assert_eq!(written(0), "x 0");
        assert_eq!(written(10_000_000_000), "x 10");
        assert_eq!(written(1), "x 0.000000001");
        assert_eq!(written(12_340_500_000), "x 12.3405");
        assert_eq!(written(u64::MAX), "x 18446744073.709551615");
    }
}
