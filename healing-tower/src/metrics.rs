//! `/metrics`: the meter's families, further ones of ours, then the owner's own registry.
//!
//! # Hazards
//!
//! The owner's registry is encoded by the `prometheus` crate, at its speed (about 7 µs a histogram
//! series), and its custom collectors run there: so [`Exposition::respond`] renders on a blocking
//! thread, never on a worker of the app's runtime. What is registered must not repeat a name that
//! healing writes itself; a scraper would reject the whole page.

use crate::meter::{Meter, text::Text};
use prometheus::{Registry, TextEncoder};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Writes further families.
type Families = Box<dyn Fn(&mut Text) + Send + Sync>;

/// Everything that `/metrics` shows. Clones are the same page.
#[derive(Clone)]
pub(crate) struct Exposition {
    meter: Meter,
    registry: Registry,
    families: Arc<Mutex<Vec<Families>>>,
}

impl Exposition {
    /// A page of the meter's families, and of what will be registered.
    pub(crate) fn new(meter: Meter) -> Self {
        Self {
            meter,
            registry: Registry::new(),
            families: Arc::default(),
        }
    }

    /// Adds families of our own, in the order of the calls. The writer must not keep the owner of
    /// this page alive, nor block.
    pub(crate) fn add(&self, families: impl Fn(&mut Text) + Send + Sync + 'static) {
        let mut all = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Box::new(families));
    }

    /// The owner's own metrics.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The whole page.
    pub(crate) fn render(&self) -> String {
        let mut text = Text::default();
        self.meter.write(&mut text);
        for families in &*self.families.lock().unwrap_or_else(PoisonError::into_inner) {
            families(&mut text);
        }
        let mut out = text.into_string();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut out) {
            tracing::warn!(%error, "the owner's registry could not be encoded; what came before is shown");
        }
        out
    }
}

impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exposition")
            .field("meter", &self.meter)
            .finish_non_exhaustive()
    }
}
