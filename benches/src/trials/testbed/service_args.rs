//! Command line of the trial service.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::ports::Ports;
use super::spec::Spec;

/// Returns the arguments of the service, without the program. Its own times are the defaults of
/// healing-tower, divided by the scale. Without `events` the case's own arguments are left out, because
/// they describe the run and not the measurement of its capacity.
pub(super) fn service_args(
    spec: &Spec,
    scale: f64,
    ports: Ports,
    cgroups: &[&Path],
    events: Option<&Path>,
) -> Vec<OsString> {
    let address = |port: u16| format!("127.0.0.1:{port}");
    let time = |seconds: u64| {
        let time = Duration::from_secs(seconds).div_f64(scale);
        format!("{}ms", time.as_millis())
    };
    let mut args: Vec<OsString> = vec![
        "--bind".into(),
        address(ports.app).into(),
        "--care-bind".into(),
        address(ports.care).into(),
        "--control-bind".into(),
        address(ports.control).into(),
        "--workers".into(),
        spec.workers.to_string().into(),
        "--work".into(),
        format!("{}us", spec.work.as_micros()).into(),
        "--stall-after".into(),
        time(10).into(),
        "--lame-duck".into(),
        time(3).into(),
        "--drain-deadline".into(),
        time(20).into(),
    ];
    for cgroup in cgroups {
        args.extend(["--cgroup".into(), cgroup.into()]);
    }
    if let Some(events) = events {
        args.extend(["--events".into(), events.into()]);
        args.extend(spec.service_args.iter().map(OsString::from));
    }
    args
}
