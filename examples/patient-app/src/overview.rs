//! `GET /`: an overview of the service and its endpoints.

use axum::Json;
use serde_json::{Value, json};

pub(crate) async fn overview() -> Json<Value> {
    Json(json!({
        "service": "patient-app",
        "about": "an axum app with real faults, healed by its sidecar",
        "endpoints": {
            "GET /data": "a record from the cache; ?id=0 to 15",
            "GET /simulate-error": "responds with 500",
            "GET /work": "burns CPU time, as set by --work",
            "GET /healthz": "200 from the app's own runtime: the front door",
            "GET /livez": "200 while the app serves",
            "GET /readyz": "started and not draining; ?verbose",
            "GET /health": "status, cpu_usage, memory_usage, error_count, uptime; more to loopback",
            "GET /metrics": "Prometheus text",
            "POST /heal": "{\"action\": \"reset_errors\" | \"restart_service\" | \"drain\" | \"undrain\"}; loopback",
            "GET /faults": "the faults and their state; loopback",
            "POST /faults/{name}": "switches a fault on; loopback",
            "DELETE /faults/{name}": "switches a fault off; loopback",
        },
    }))
}
