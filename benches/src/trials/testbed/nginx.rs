//! Nginx in front of the app, as a child with its own configuration.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use super::RunError;
use super::child::Child;
use super::launcher::Launcher;
use super::ports::Ports;
use super::spec::START_TIMEOUT;
use crate::poll::poll_until;

/// Paths at which the program is looked for.
const PROGRAMS: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// Error of a machine without nginx.
#[derive(Debug, thiserror::Error)]
#[error("nginx is not installed")]
pub(in crate::trials) struct NotInstalled;

/// Starts nginx with its files in this directory, and waits until it accepts connections.
pub(super) async fn start(
    launcher: &Launcher,
    directory: &Path,
    ports: Ports,
    read_timeout: Duration,
) -> Result<Child, RunError> {
    let mut programs = PROGRAMS.iter().map(PathBuf::from);
    let program = programs.find(|path| path.is_file()).ok_or(NotInstalled)?;
    std::fs::write(
        directory.join("nginx.conf"),
        configuration(directory, ports.nginx, ports.app, read_timeout),
    )?;
    let child = launcher.nginx(&program, directory)?;
    let address = (Ipv4Addr::LOCALHOST, ports.nginx);
    poll_until("nginx", START_TIMEOUT, async || {
        TcpStream::connect(address).await.ok()
    })
    .await?;
    Ok(child)
}

fn configuration(directory: &Path, listen: u16, app: u16, read_timeout: Duration) -> String {
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
