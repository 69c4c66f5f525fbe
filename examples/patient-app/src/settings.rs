//! Settings of the patient, by flag or environment variable.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Settings of the patient. Flags take precedence over the environment.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Settings {
    /// Address to serve on, as ADDR:PORT or only a port
    #[arg(long, env = "PORT", value_name = "ADDR:PORT", default_value = "0.0.0.0:5000", value_parser = bind_address)]
    pub bind: SocketAddr,
    /// Share of /data that fails at random, 0 to 1 (the original system's is 0.2)
    #[arg(long, env = "PATIENT_FAILURE_RATE", value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub failure_rate: f64,
    /// Load /data's records from this dependency (see `patient-app dependency`)
    #[arg(long, env = "PATIENT_DEPENDENCY", value_name = "HOST:PORT", value_parser = host_and_port)]
    pub dependency: Option<String>,
    /// Address of the care port [default: HEALING_CARE_BIND, or 127.0.0.1:5002]
    #[arg(long, value_name = "ADDR:PORT")]
    pub care_bind: Option<SocketAddr>,
    /// Seconds without a tick after which the runtime counts as stalled [default: 10]
    #[arg(long, env = "PATIENT_STALL_AFTER", value_name = "SECONDS", value_parser = seconds)]
    pub stall_after: Option<Duration>,
    /// CPU time of a request to /work, in milliseconds
    #[arg(long, env = "PATIENT_WORK", value_name = "MILLISECONDS", default_value = "10", value_parser = milliseconds)]
    pub work: Duration,
}

impl Settings {
    /// Default address to serve on.
    pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 5000);
    /// Default CPU time of a request to `/work`.
    pub const DEFAULT_WORK: Duration = Duration::from_millis(10);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: Self::DEFAULT_BIND,
            failure_rate: 0.0,
            dependency: None,
            care_bind: None,
            stall_after: None,
            work: Self::DEFAULT_WORK,
        }
    }
}

/// Invalid value of a setting. The command line names the value and the setting before the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum ValueError {
    /// Neither an IP address with a port nor a port.
    #[error("give ADDR:PORT, such as 127.0.0.1:5000, or only a port")]
    BindAddress,
    /// Not a number, or out of range.
    #[error("give a number from 0 to 1, such as 0.2")]
    Share,
    /// Not a number of seconds, or out of range.
    #[error("give seconds from {MIN_SECONDS} to {MAX_SECONDS}, such as 2.5")]
    Seconds,
    /// Not a number of milliseconds, or out of range.
    #[error("give milliseconds from 0 to {MAX_MILLISECONDS}, such as 10")]
    Milliseconds,
    /// Host or port is missing, or the port is not one.
    #[error("give HOST:PORT, such as 127.0.0.1:5003")]
    HostAndPort,
}

const MIN_SECONDS: f64 = 0.5;
const MAX_SECONDS: f64 = 60.0;
const MAX_MILLISECONDS: f64 = 1000.0;

fn bind_address(text: &str) -> Result<SocketAddr, ValueError> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::new(Settings::DEFAULT_BIND.ip(), port));
    }
    text.parse().map_err(|_| ValueError::BindAddress)
}

fn share(text: &str) -> Result<f64, ValueError> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(ValueError::Share),
    }
}

fn seconds(text: &str) -> Result<Duration, ValueError> {
    match text.parse::<f64>() {
        Ok(seconds) if (MIN_SECONDS..=MAX_SECONDS).contains(&seconds) => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err(ValueError::Seconds),
    }
}

fn milliseconds(text: &str) -> Result<Duration, ValueError> {
    match text.parse::<f64>() {
        Ok(millis) if (0.0..=MAX_MILLISECONDS).contains(&millis) => {
            Ok(Duration::from_secs_f64(millis / 1000.0))
        }
        _ => Err(ValueError::Milliseconds),
    }
}

fn host_and_port(text: &str) -> Result<String, ValueError> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(ValueError::HostAndPort),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        _settings: Settings,
    }

    /// Asserts that the command line with `--flag=value` is rejected with exit code 2 and this message.
    #[track_caller]
    fn assert_rejected(flag: &str, value: &str, message: &str) {
        let error = CommandLine::try_parse_from(["patient-app", &format!("{flag}={value}")])
            .expect_err("the value is invalid");
        assert_eq!(error.exit_code(), 2);
        let text = error.to_string();
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("error: invalid value '{value}' for '{flag} <")),
            "{first}"
        );
        assert!(first.ends_with(&format!(">': {message}")), "{first}");
    }

    #[test]
    fn port_without_address_binds_all_addresses() {
        assert_eq!(bind_address("8080"), Ok("0.0.0.0:8080".parse().unwrap()));
        assert_eq!(
            bind_address("127.0.0.1:1"),
            Ok("127.0.0.1:1".parse().unwrap())
        );
        assert!(bind_address("localhost").is_err());
        assert!(bind_address("70000").is_err());
    }

    #[test]
    fn values_out_of_range_are_rejected() {
        assert_eq!(share("0.2"), Ok(0.2));
        for invalid in ["1.1", "-0.1", "NaN", "half"] {
            assert!(share(invalid).is_err(), "{invalid}");
        }
        assert_eq!(seconds("2.5"), Ok(Duration::from_millis(2500)));
        for invalid in ["0", "61", "NaN", "2s"] {
            assert!(seconds(invalid).is_err(), "{invalid}");
        }
        assert_eq!(milliseconds("2.5"), Ok(Duration::from_micros(2500)));
        for invalid in ["-1", "1001", "NaN", "10ms"] {
            assert!(milliseconds(invalid).is_err(), "{invalid}");
        }
        assert!(host_and_port("db:5003").is_ok());
        for invalid in ["db", ":5003", "db:", "db:70000"] {
            assert!(host_and_port(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn invalid_bind_address_is_reported_with_examples() {
        let message = "give ADDR:PORT, such as 127.0.0.1:5000, or only a port";
        assert_rejected("--bind", "localhost", message);
        assert_rejected("--bind", "70000", message);
    }

    #[test]
    fn invalid_share_is_reported_with_range() {
        let message = "give a number from 0 to 1, such as 0.2";
        assert_rejected("--failure-rate", "half", message);
        assert_rejected("--failure-rate", "-0.1", message);
    }

    #[test]
    fn invalid_seconds_are_reported_with_range() {
        let message = "give seconds from 0.5 to 60, such as 2.5";
        assert_rejected("--stall-after", "2s", message);
        assert_rejected("--stall-after", "61", message);
    }

    #[test]
    fn invalid_work_is_reported_with_range() {
        let message = "give milliseconds from 0 to 1000, such as 10";
        assert_rejected("--work", "10ms", message);
        assert_rejected("--work", "1001", message);
    }

    #[test]
    fn invalid_host_and_port_is_reported_with_example() {
        let message = "give HOST:PORT, such as 127.0.0.1:5003";
        assert_rejected("--dependency", "db", message);
        assert_rejected("--dependency", "db:70000", message);
    }
}
