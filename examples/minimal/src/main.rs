//! The example app of the project's README: one route, a soft heal and a dependency.

use std::io;

use axum::{Router, routing::get};
use healing_tower::Healing;

/// Returns the service as it would be without healing.
fn app() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Configures healing for the service.
fn healing() -> Healing {
    Healing::builder("orders")
        .soft_heal("cache", || async {
            // Drop the cache.
            Ok::<(), io::Error>(())
        })
        .dependency("db", || async {
            // Ping the database.
            Ok::<(), io::Error>(())
        })
        .build()
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("0.0.0.0:{port}")).await?;
    healing().serve(listener, app()).await
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;

    async fn get(app: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn layer_adds_endpoints_and_counts_requests() {
        let app = healing().wrap(app());
        assert_eq!(get(&app, "/").await, (StatusCode::OK, "hello".to_owned()));
        assert_eq!(get(&app, "/healthz").await.0, StatusCode::OK);
        let (status, metrics) = get(&app, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let counted = |line: &str| {
            line.starts_with("http_server_request_duration_seconds_count")
                && line.contains("http_route=\"/\"")
                && line.ends_with(" 1")
        };
        assert!(metrics.lines().any(counted), "{metrics}");
    }
}
