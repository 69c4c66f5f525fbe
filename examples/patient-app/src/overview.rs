//! `GET /`: what this is and what can be asked of it.

use axum::Json;
use serde_json::{Value, json};

pub(crate) async fn overview() -> Json<Value> {
    Json(json!({
        "service": "patient-app",
        "about": "an axum app with real faults, healed by the sidecar beside it",
        "endpoints": {
            "GET /data": "a record by way of the cache; ?id=0 to 15",
            "GET /simulate-error": "adds one error, answers 500",
            "GET /healthz": "can a client get in? constant work",
            "GET /livez": "200 as long as the app serves",
            "GET /readyz": "started and not draining; ?verbose",
            "GET /health": "status, cpu_usage, memory_usage, error_count, uptime; more to loopback",
            "GET /metrics": "Prometheus text",
            "POST /heal": "{\"action\": \"reset_errors\" | \"restart_service\" | \"drain\" | \"undrain\"}; loopback",
            "GET /faults": "the faults and which are on; loopback",
            "POST /faults/{name}": "switches a fault on; loopback",
            "DELETE /faults/{name}": "switches it off; loopback",
        },
    }))
}
