//! Metric families of the meter in Prometheus' text format.
//!
//! The code is optimised for many series. The labels of a series are escaped once, its numbers are
//! integers until they are written, and there is no intermediate form.

use super::series;
use super::{Inner, Meter, Outcome};
use crate::exposition::text::{self, Text};

pub(super) use crate::exposition::text::Kind;

/// Name and help of the duration histogram; its `_count` is the number of requests.
pub(crate) const DURATION: (&str, &str) = (
    "http_server_request_duration_seconds",
    "Duration of HTTP requests until the response body is complete. An empty status means no response.",
);
/// Label names of the duration histogram.
pub(crate) const LABELS: [&str; 3] = [
    "http_request_method",
    "http_route",
    "http_response_status_code",
];

/// Returns name, help, kind and value of each family that has one sample without labels.
pub(super) fn singles(meter: &Inner) -> [(&'static str, &'static str, Kind, f64); 6] {
    let total = |count: u64| count as f64;
    [
        (
            "http_server_active_requests",
            "HTTP requests in flight.",
            Kind::Gauge,
            total(super::in_flight::count(meter.counts.in_flight_slots())),
        ),
        (
            "healing_app_oldest_in_flight_request_seconds",
            "Age of the oldest request in flight; 0 if there is none.",
            Kind::Gauge,
            meter
                .recent()
                .oldest_in_flight
                .unwrap_or_default()
                .as_secs_f64(),
        ),
        (
            "healing_app_errors_total",
            "Requests that are errors.",
            Kind::Counter,
            total(meter.counts.errors()),
        ),
        (
            "healing_app_panics_total",
            "Handler panics; counted as errors too.",
            Kind::Counter,
            total(meter.counts.outcomes(Outcome::Panic)),
        ),
        (
            "healing_app_cancelled_total",
            "Requests whose client disconnected before the response was complete.",
            Kind::Counter,
            total(meter.counts.outcomes(Outcome::Cancelled)),
        ),
        (
            "healing_app_body_errors_total",
            "Responses whose body failed midway; counted as errors too.",
            Kind::Counter,
            total(meter.counts.outcomes(Outcome::BodyError)),
        ),
    ]
}

/// Calls `each` for every series of the histogram, with the values of its [`LABELS`].
pub(super) fn each_series(meter: &Inner, mut each: impl FnMut([&str; 3], &series::Totals)) {
    let buckets = meter.bounds.len() + 1;
    for route in meter.routes.iter() {
        for (method, endpoint) in route.endpoints() {
            for (status, totals) in endpoint.totals(buckets) {
                let status = match status {
                    super::request_guard::NO_RESPONSE => String::new(),
                    status => status.to_string(),
                };
                each([method, route.name(), &status], &totals);
            }
        }
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
        text.family(DURATION.0, Kind::Histogram, DURATION.1);
        let bounds = meter.options().bounds.iter().map(f64::to_string);
        let bounds: Vec<String> = bounds
            .chain(["+Inf".to_owned()])
            .map(|bound| format!(",le=\"{bound}\"}} "))
            .collect();
        let mut head = String::new();
        each_series(meter, |values, totals| {
            let [method, route, status] = values;
            let pairs = [(LABELS[0], method), (LABELS[1], route), (LABELS[2], status)];
            head.clear();
            head.push_str(DURATION.0);
            head.push_str("_bucket{");
            let labels = head.len();
            text::label_pairs(&mut head, &pairs);
            write_buckets(text.out(), &head, &bounds, &totals.buckets);
            write_summary(text.out(), &head[labels..], totals);
        });
        for (name, help, kind, value) in singles(meter) {
            text.single(name, kind, help, value);
        }
    }
}

/// Writes one line per bucket, made of the common head of the series' lines, the bound and the count.
fn write_buckets(out: &mut String, head: &str, bounds: &[String], buckets: &[u64]) {
    let mut count = 0;
    for (bound, requests) in bounds.iter().zip(buckets) {
        count += requests;
        out.push_str(head);
        out.push_str(bound);
        integer(out, count);
        out.push('\n');
    }
}

/// Writes sum and count of one series.
fn write_summary(out: &mut String, labels: &str, totals: &series::Totals) {
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
    integer(out, totals.buckets.iter().sum());
    out.push('\n');
}

/// Writes decimal digits, without `core::fmt`, which is slower.
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

/// Writes nanoseconds as decimal seconds, exactly.
fn seconds(out: &mut String, nanos: u64) {
    integer(out, nanos / 1_000_000_000);
    let fraction = nanos % 1_000_000_000;
    if fraction > 0 {
        let start = out.len();
        // A leading one preserves the zeros after the decimal point.
        integer(out, 1_000_000_000 + fraction);
        out.replace_range(start..=start, ".");
        out.truncate(out.trim_end_matches('0').len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_exactly() {
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
