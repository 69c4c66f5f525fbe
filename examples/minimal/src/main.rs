//! The smallest axum service with the healing layer.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use healing_tower::Healing;
use tokio::{net::TcpListener, sync::Mutex};

/// Cache of the greeting.
type Cache = Arc<Mutex<Option<String>>>;

/// Returns the service as it would be without healing.
fn app(cache: Cache) -> Router {
    Router::new().route("/", get(greeting)).with_state(cache)
}

async fn greeting(State(cache): State<Cache>) -> String {
    let mut cache = cache.lock().await;
    cache.get_or_insert_with(|| "hello".to_owned()).clone()
}

/// Returns the healing of the service, whose soft heal drops the cache.
fn healing(cache: Cache) -> Healing {
    let drop_cache = move || {
        let cache = Arc::clone(&cache);
        async move {
            cache.lock().await.take();
            Ok::<(), std::io::Error>(())
        }
    };
    Healing::builder("minimal")
        .soft_heal("cache", drop_cache)
        .build()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let cache = Cache::default();
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    healing(Arc::clone(&cache))
        .serve(listener, app(cache))
        .await
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
        let cache = Cache::default();
        let app = healing(Arc::clone(&cache)).wrap(app(cache));
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
