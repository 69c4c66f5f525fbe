//! Healing's endpoints as axum routers.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, any};

use crate::endpoints::{Door, answer, paths};
use crate::healing::Healing;

/// Every method that axum tells apart. Each is taken by name, because `any` alone is a fallback to
/// axum, and beside an app's `get` on the same path one of the two would be lost without a word.
const EACH: MethodFilter = MethodFilter::GET
    .or(MethodFilter::HEAD)
    .or(MethodFilter::POST)
    .or(MethodFilter::PUT)
    .or(MethodFilter::PATCH)
    .or(MethodFilter::DELETE)
    .or(MethodFilter::OPTIONS)
    .or(MethodFilter::TRACE)
    .or(MethodFilter::CONNECT);

impl Healing {
    /// Counts the app's requests, and adds healing's own endpoints beside its routes. Those are not
    /// counted.
    ///
    /// # Panics
    /// Where the app has one of healing's paths too, and [`Builder::omit`](crate::Builder::omit)
    /// does not leave it to the app.
    ///
    /// # Hazards
    /// Layers that are added to a router after [`Healing::wrap`] are outside it: what they answer is
    /// not counted. A router served without `into_make_service_with_connect_info::<SocketAddr>()` does
    /// not know its peers, so everyone is a stranger there: `/health` shows five fields, `/heal` is
    /// refused. A path that the app has too (its own `/metrics`, say), by whatever method, makes axum
    /// panic when the routers are merged, at start-up: leave it to the app with
    /// [`Builder::omit`](crate::Builder::omit). A pattern of the app's that matches such a path as well
    /// (`/{page}`) is no collision: the fixed path goes first, and so is healing's.
    pub fn wrap(&self, app: Router) -> Router {
        // The app is merged into ours, not ours into it: of two routers without a fallback of their
        // own, axum keeps that of the merged one, and what no route matches must be counted too.
        self.router().merge(app.layer(self.layer().for_axum()))
    }

    /// Healing's own endpoints on the app's port.
    pub fn router(&self) -> Router {
        self.routes(Door::App)
    }

    /// The care port's endpoints, for those who have an admin listener of their own. Served by the
    /// app's runtime they are silent when that is: they do not replace the care thread.
    pub fn care_router(&self) -> Router {
        self.routes(Door::Care)
    }

    fn routes(&self, door: Door) -> Router {
        paths(&self.app, door).fold(Router::new(), |router, path| {
            let healing = self.clone();
            let handler = move |request: Request| {
                let healing = healing.clone();
                async move {
                    let peer = request
                        .extensions()
                        .get::<ConnectInfo<SocketAddr>>()
                        .map(|ConnectInfo(peer)| *peer);
                    answer(&healing.app, door, peer, request)
                        .await
                        .into_response()
                }
            };
            router.route(path, any(handler.clone()).on(EACH, handler))
        })
    }
}
