//! An nginx in front of the app, as a child with its own configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Failed;
use super::child::{Child, Line};
use super::log::Log;
use super::ports::Ports;

const PLACES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// Starts nginx with its files in this directory.
pub(super) fn start(
    guard: &Path,
    directory: &Path,
    ports: Ports,
    read_timeout: Duration,
    log: &Log,
) -> Result<Child, Failed> {
    let Some(program) = PLACES.iter().map(PathBuf::from).find(|path| path.is_file()) else {
        return Err(Failed::Facility("nginx is not installed".to_owned()));
    };
    let configuration = directory.join("nginx.conf");
    std::fs::write(
        &configuration,
        text(directory, ports.nginx, ports.app, read_timeout),
    )?;
    let line = Line {
        name: "nginx",
        program: &program,
        args: vec![
            "-p".into(),
            directory.into(),
            "-c".into(),
            configuration.into(),
            "-e".into(),
            "stderr".into(),
        ],
        env: Vec::new(),
    };
    Child::start(guard, line, log)
}

fn text(directory: &Path, listen: u16, app: u16, read_timeout: Duration) -> String {
    let temporary = directory.display();
    let timeout = read_timeout.as_millis();
    format!(
        "daemon off;
master_process off;
pid {temporary}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {temporary}/body;
  proxy_temp_path {temporary}/proxy;
  fastcgi_temp_path {temporary}/fastcgi;
  uwsgi_temp_path {temporary}/uwsgi;
  scgi_temp_path {temporary}/scgi;
  upstream app {{ server 127.0.0.1:{app}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{listen};
    keepalive_requests 100000;
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_read_timeout {timeout}ms;
    }}
  }}
}}
"
    )
}
