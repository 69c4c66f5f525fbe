//! Meter as a `prometheus` collector, for apps that serve a `/metrics` of their own.

use super::render::{self, Kind};
use super::{Inner, Meter};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use std::collections::HashMap;

/// `prometheus` collector over a [`Meter`], made by [`Meter::collector`].
///
/// # Hazards
///
/// A collector builds `prometheus`'s own structures, whose encoding is several times slower than
/// [`Meter::write_metrics`]. Do not register it in [`Healing::registry`](crate::Healing::registry),
/// because healing's `/metrics` has these families already.
#[derive(Debug)]
pub struct MeterCollector {
    meter: Meter,
    descriptions: Vec<Desc>,
}

impl Meter {
    /// Returns a collector of these counts, for a registry that the app exposes itself. Do not register
    /// it in [`Healing::registry`](crate::Healing::registry), because that page has these families
    /// already, and Prometheus rejects a page that repeats a family.
    ///
    /// ```
    /// use healing_tower::{Meter, MeterOptions};
    ///
    /// let meter = Meter::new(MeterOptions::new());
    /// let registry = prometheus::Registry::new();
    /// registry.register(Box::new(meter.collector())).unwrap();
    /// let families = registry.gather();
    /// assert!(families.iter().any(|family| family.name() == "http_server_active_requests"));
    /// ```
    #[must_use]
    pub fn collector(&self) -> MeterCollector {
        let singles = render::singles(self.inner()).map(|(name, help, ..)| (name, help, &[][..]));
        let (name, help) = render::DURATION;
        let all = [(name, help, &render::LABELS[..])]
            .into_iter()
            .chain(singles);
        // Only a malformed name makes a description fail, and these names are well-formed.
        let descriptions = all.filter_map(|(name, help, labels)| {
            let labels = labels.iter().map(ToString::to_string).collect();
            Desc::new(name.to_owned(), help.to_owned(), labels, HashMap::new()).ok()
        });
        MeterCollector {
            meter: *self,
            descriptions: descriptions.collect(),
        }
    }
}

impl Collector for MeterCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let meter = self.meter.inner();
        let mut families: Vec<_> = durations(meter).into_iter().collect();
        for (name, help, kind, value) in render::singles(meter) {
            let mut metric = Metric::default();
            let kind = match kind {
                Kind::Counter => {
                    let mut counter = Counter::default();
                    counter.set_value(value);
                    metric.set_counter(counter);
                    MetricType::COUNTER
                }
                Kind::Gauge | Kind::Histogram => {
                    let mut gauge = Gauge::default();
                    gauge.set_value(value);
                    metric.set_gauge(gauge);
                    MetricType::GAUGE
                }
            };
            families.push(family(name, help, kind, vec![metric]));
        }
        families
    }
}

/// Builds the duration histogram; `None` while it has no series.
fn durations(meter: &Inner) -> Option<MetricFamily> {
    let mut metrics = Vec::new();
    render::each_series(meter, |labels, totals| {
        let mut histogram = Histogram::default();
        let mut count = 0;
        let mut buckets = Vec::with_capacity(totals.buckets.len());
        // The encoder adds the bucket above all bounds, from the count.
        for (bound, requests) in meter.options().bounds.iter().zip(&totals.buckets) {
            count += requests;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(count);
            buckets.push(bucket);
        }
        count += totals.buckets.last().unwrap_or(&0);
        histogram.set_bucket(buckets);
        histogram.set_sample_count(count);
        histogram.set_sample_sum(totals.nanos as f64 / 1e9);
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        let pairs = render::LABELS.into_iter().zip(labels).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        });
        metric.set_label(pairs.collect());
        metrics.push(metric);
    });
    let (name, help) = render::DURATION;
    (!metrics.is_empty()).then(|| family(name, help, MetricType::HISTOGRAM, metrics))
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}
