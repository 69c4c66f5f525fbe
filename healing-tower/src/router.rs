//! Healing's endpoints as axum routers.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, any};

use crate::endpoints::{Port, answer, paths};
use crate::healing::Healing;

/// All methods that axum distinguishes. They are registered by name, because axum treats `any` alone as a
/// fallback: if the app had a `get` on the same path, axum would silently drop one of the two.
const ALL_METHODS: MethodFilter = MethodFilter::GET
    .or(MethodFilter::HEAD)
    .or(MethodFilter::POST)
    .or(MethodFilter::PUT)
    .or(MethodFilter::PATCH)
    .or(MethodFilter::DELETE)
    .or(MethodFilter::OPTIONS)
    .or(MethodFilter::TRACE)
    .or(MethodFilter::CONNECT);

/// Axum routers.
impl Healing {
    /// Counts the app's requests, and adds healing's own endpoints, which are not counted.
    ///
    /// # Panics
    ///
    /// Panics if the app also has one of healing's paths, and [`Builder::omit`](crate::Builder::omit) does
    /// not leave it to the app.
    ///
    /// # Hazards
    ///
    /// Layers that are added to a router after [`Healing::wrap`] are outside it, so responses of their own
    /// are not counted. A router served without `into_make_service_with_connect_info::<SocketAddr>()` has
    /// no peer addresses, so every caller is treated as remote; `/health` shows five fields, and `/heal`
    /// is rejected. If the app also has one of healing's paths (its own `/metrics`, for example), by any
    /// method, axum panics at start-up, when the routers are merged. Leave the path to the app with
    /// [`Builder::omit`](crate::Builder::omit). A pattern of the app that also matches such a path
    /// (`/{page}`) does not conflict; the fixed path takes precedence, so healing serves it.
    pub fn wrap(&self, app: Router) -> Router {
        // The app is merged into healing's router, not the other way round, because axum keeps the
        // fallback of the merged router, and unmatched requests must be counted too.
        self.router().merge(app.layer(self.layer().for_axum()))
    }

    /// Returns healing's own endpoints of the app's port.
    pub fn router(&self) -> Router {
        self.routes(Port::App)
    }

    /// Returns the care port's endpoints, for apps that have an admin listener of their own. On
    /// the app's runtime they do not respond while it is stalled, so they do not replace the care thread.
    pub fn care_router(&self) -> Router {
        self.routes(Port::Care)
    }

    fn routes(&self, port: Port) -> Router {
        paths(&self.shared, port).fold(Router::new(), |router, path| {
            let healing = self.clone();
            let handler = move |request: Request| {
                let healing = healing.clone();
                async move {
                    let peer = request
                        .extensions()
                        .get::<ConnectInfo<SocketAddr>>()
                        .map(|ConnectInfo(peer)| *peer);
                    answer(&healing.shared, port, peer, request)
                        .await
                        .into_response()
                }
            };
            router.route(path, any(handler.clone()).on(ALL_METHODS, handler))
        })
    }
}
