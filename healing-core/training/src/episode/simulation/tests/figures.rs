//! Figures that tell an impaired app from a saturated one, against known results.

use super::*;
use crate::episode::spec::{
    Connections, Cure, Effect, Fault, OnLeave, PatienceFrom, Pool, Route, Visible,
};
use healing_core::health::{SCHEMA, Totals, Vitals};
use healing_core::observation::PortSockets;

const MEAN: f64 = 0.02;

fn record(life: &Life) -> Recorder {
    let mut recorder = Recorder::default();
    simulate(life, &mut recorder);
    recorder
}

/// Returns the sockets of all polls from a time on.
fn sockets(recorder: &Recorder, from: f64) -> Vec<PortSockets> {
    let polls = recorder.polls.iter().filter(|(at, _)| *at >= from);
    polls
        .map(|(_, observation)| observation.sockets.unwrap())
        .collect()
}

fn last_report(recorder: &Recorder) -> &Health {
    recorder.answers(0.0, 1e9).last().unwrap()
}

/// Returns the rise of a total of the vitals per second, from 100 s to the end.
fn per_second(recorder: &Recorder, total: impl Fn(&Vitals) -> Option<f64>) -> f64 {
    let reports = recorder.answers(100.0, 1e9);
    let at = |report: &Health| {
        let total = total(report.vitals.as_ref().unwrap()).unwrap();
        (report.uptime, total)
    };
    let (first, last) = (at(reports[0]), at(reports[reports.len() - 1]));
    (last.1 - first.1) / (last.0 - first.0)
}

/// Returns the life of an app whose four workers take turns at a lock, at 2.4 times its capacity.
fn convoy() -> Life {
    let mut life = queue(4, 0.5, Distribution::Fixed(1e-4));
    life.seconds = 300.0;
    life.clients.rate = Rate::constant(20.0);
    life.faults = vec![Fault::new(Effect::Convoy(0.12), Cure::Restart, 0.0)];
    life
}

#[test]
fn unread_sockets_are_the_queue_in_front_of_a_saturated_app() {
    let mut life = queue(1, 1.2, Distribution::Exponential(MEAN));
    life.seconds = 2000.0;
    life.service.backlog = usize::MAX;
    let recorder = record(&life);
    let queues = sockets(&recorder, 1000.0);
    assert!(queues.iter().all(|queue| queue.listening));
    for queue in &queues {
        assert_eq!(queue.unread, queue.backlog);
        let in_service = queue.established - queue.unread;
        assert!(in_service <= 1, "{queue:?}");
        assert_eq!(queue.unread_bytes % queue.unread, 0);
    }
    // It grows by the difference of arrivals and capacity.
    let grown = queues[queues.len() - 1].unread - queues[0].unread;
    assert_close(share(grown, 1) / 1000.0, 0.2 / MEAN, 0.1);
}

#[test]
fn queue_that_is_worked_off_within_a_second_is_not_standing() {
    // A client finds a queue with the probability 0.25: the square of the utilisation.
    let recorder = record(&queue(1, 0.5, Distribution::Exponential(MEAN)));
    let queues = sockets(&recorder, 0.0);
    let standing = queues.iter().filter(|queue| queue.unread > 0).count();
    assert!(standing * 100 < queues.len(), "{standing}");
}

#[test]
fn requests_on_kept_connections_wait_unread_without_a_backlog() {
    let mut life = convoy();
    life.clients.connections = Some(Connections {
        limit: 10,
        longest_wait: f64::INFINITY,
        patience_from: PatienceFrom::Sending,
        hides_leaving: false,
    });
    let recorder = record(&life);
    let expected = PortSockets {
        backlog: 0,
        established: 10,
        unread: 6,
        unread_bytes: 6 * 300,
        listening: true,
        ..PortSockets::default()
    };
    assert!(sockets(&recorder, 100.0).iter().all(|s| *s == expected));
    assert_eq!(last_report(&recorder).in_flight, Some(4));
    // Without the fault a request takes 0.1 ms, and all but a few connections are idle.
    life.faults.clear();
    life.clients.rate = Rate::constant(2000.0);
    let idle = sockets(&record(&life), 100.0);
    assert!(idle.iter().all(|s| s.unread == 0 && s.established > 2));
}

#[test]
fn connections_of_clients_that_left_fill_the_backlog_of_a_wedged_app() {
    let mut life = convoy();
    life.faults = vec![Fault::new(Effect::Wedge, Cure::Restart, 100.0)];
    life.clients.patience = Distribution::Fixed(10.0);
    life.service.backlog = 128;
    for queue in sockets(&record(&life), 150.0) {
        // Probes, which do not count, have a few of the places.
        assert!((120..=128).contains(&queue.backlog), "{queue:?}");
        assert_eq!((queue.unread, queue.established), (queue.backlog, 0));
        assert!(queue.listening);
    }
}

#[test]
fn closed_listener_has_no_backlog() {
    let mut life = convoy();
    life.clients.patience = Distribution::Fixed(10.0);
    let closed = Effect::DeadFrontDoor(true);
    life.faults = vec![Fault::new(closed, Cure::Restart, 100.0)];
    let recorder = record(&life);
    assert!(sockets(&recorder, 0.0)[0].listening);
    let none = PortSockets::default();
    assert!(sockets(&recorder, 150.0).iter().all(|s| *s == none));
}

#[test]
fn periods_count_with_a_quota_only() {
    for (quota, demand, throttled) in [
        (Some(0.5), 0.8, Some(1.0)),
        (Some(0.5), 0.05, Some(0.0)),
        (None, 0.8, None),
    ] {
        let mut life = queue(4, 0.5, Distribution::Fixed(0.01));
        life.seconds = 1000.0;
        life.machine.quota = quota;
        life.clients.rate = Rate::constant(demand / 0.01);
        let recorder = record(&life);
        let vitals = last_report(&recorder).vitals.as_ref().unwrap();
        let counts = vitals
            .cpu_throttled_periods_total
            .zip(vitals.cpu_periods_total);
        let actual = counts.map(|(throttled, periods)| share(throttled, periods));
        assert_eq!(actual.is_some(), throttled.is_some());
        let error = actual.unwrap_or_default() - throttled.unwrap_or_default();
        assert!(error.abs() < 0.02, "{quota:?} {demand}: {actual:?}");
    }
}

#[test]
fn threads_that_share_a_core_wait_for_it() {
    let mut life = queue(4, 0.5, Distribution::Fixed(0.01));
    life.seconds = 2000.0;
    life.machine.neighbours = vec![(0.0, 2000.0, 1.0)];
    // Four workers are always ready to run, on one core.
    let recorder = record(&life);
    let wait = per_second(&recorder, |vitals| vitals.run_queue_wait_seconds_total);
    assert_close(wait, 3.0, 0.02);
    let busiest = |vitals: &Vitals| vitals.busiest_thread_cpu_seconds_total;
    assert_close(per_second(&recorder, busiest), 0.25, 0.02);
}

#[test]
fn throttled_threads_wait_too() {
    let mut life = queue(1, 0.5, Distribution::Fixed(0.01));
    life.seconds = 1000.0;
    life.machine.quota = Some(0.2);
    // One worker that is always ready to run gets 20 ms of each 100 ms.
    let recorder = record(&life);
    let wait = per_second(&recorder, |vitals| vitals.run_queue_wait_seconds_total);
    assert_close(wait, 0.8, 0.02);
}

#[test]
fn busiest_thread_is_the_worker_or_a_thread_that_spins() {
    for (spinning, cores) in [(0, 0.9), (1, 1.0)] {
        let mut life = queue(1, 0.9, Distribution::Exponential(MEAN));
        life.machine.cores = 4.0;
        life.faults = vec![Fault::new(Effect::Spin(spinning), Cure::Restart, 0.0)];
        let recorder = record(&life);
        let busiest = |vitals: &Vitals| vitals.busiest_thread_cpu_seconds_total;
        assert_close(per_second(&recorder, busiest), cores, 0.02);
        let runtime = last_report(&recorder).runtime.as_ref().unwrap();
        assert_eq!(runtime.workers, Some(1));
    }
}

#[test]
fn heads_are_the_responses_and_waiting_requests_follow_littles_law() {
    let mut life = queue(4, 0.5, Distribution::Fixed(1e-6));
    life.clients.rate = Rate::constant(20.0);
    life.service.errors = 0.1;
    life.service.pool = Some(Pool {
        slots: u32::MAX,
        hold: Distribution::Fixed(3.0),
        acquire_timeout: f64::INFINITY,
    });
    let mut recorder = Recorder::default();
    let (_, measured) = simulate(&life, &mut recorder);
    let totals = &last_report(&recorder).totals;
    let answered = totals.answered_total.unwrap();
    assert_close(share(answered, measured.answered), 1.0, 0.001);
    let errors = totals.answered_errors_total.unwrap();
    assert_close(share(errors, answered), 0.1, 0.02);
    assert_eq!(totals.cancelled_before_head_total, Some(0));
    let reports = recorder.answers(100.0, 1e9);
    let waiting: u64 = reports.iter().map(|report| report.waiting.unwrap()).sum();
    // Those that fail do not wait.
    let mean = share(waiting, reports.len() as u64);
    assert_close(mean, 0.9 * 20.0 * 3.0, 0.02);
}

#[test]
fn requests_of_clients_that_left_have_no_head() {
    for on_leave in [OnLeave::Stop, OnLeave::Discard, OnLeave::Continue] {
        let mut life = queue(4, 0.5, Distribution::Fixed(1e-6));
        life.seconds = 1000.0;
        life.clients.rate = Rate::constant(20.0);
        life.clients.patience = Distribution::Fixed(1.0);
        life.service.on_leave = on_leave;
        life.service.pool = Some(Pool {
            slots: u32::MAX,
            hold: Distribution::Fixed(3.0),
            acquire_timeout: f64::INFINITY,
        });
        let recorder = record(&life);
        let report = last_report(&recorder);
        let totals = &report.totals;
        assert_eq!(totals.answered_total, Some(0));
        assert_eq!(totals.cancelled_before_head_total, totals.requests_total);
        assert!(totals.requests_total > Some(19_000) && report.peak_goodput == Some(0.0));
    }
}

#[test]
fn routes_sum_to_the_totals() {
    let mut life = queue(1, 0.5, Distribution::Exponential(MEAN));
    let route = |share| Route {
        share,
        share_after: share,
        cpu: 1.0,
    };
    life.service.routes = vec![route(0.2), route(0.8), route(0.0)];
    let failing = Effect::RouteErrors(0, 0.5);
    life.faults = vec![Fault::new(failing, Cure::Nothing, 0.0)];
    let recorder = record(&life);
    let report = last_report(&recorder);
    let [busy, failing] = &report.routes[..] else {
        panic!("a route without requests is reported: {:?}", report.routes);
    };
    assert_eq!((&*busy.route, &*failing.route), ("/route-1", "/route-0"));
    assert_close(share(failing.begun_total, busy.begun_total), 0.25, 0.02);
    assert_close(share(failing.errors_total, failing.begun_total), 0.5, 0.02);
    assert_eq!(busy.errors_total, 0);
    let totals = &report.totals;
    let begun = totals.requests_total.unwrap() + report.in_flight.unwrap();
    assert_eq!(busy.begun_total + failing.begun_total, begun);
    let answered = busy.answered_total + failing.answered_total;
    assert_eq!(Some(answered), totals.answered_total);
    assert_eq!(Some(failing.errors_total), totals.answered_errors_total);
}

#[test]
fn surge_is_the_peak_of_the_goodput_for_thirty_seconds() {
    let mut life = queue(1, 0.5, Distribution::Fixed(1e-4));
    life.seconds = 300.0;
    life.clients.evenly = true;
    life.clients.rate = Rate::of(300.0, |_| 10.0).times(100.0, 110.0, 5.0);
    let recorder = record(&life);
    for (from, to, goodput) in [
        (10.0, 100.0, 10.0),
        (103.0, 137.0, 50.0),
        (143.0, 300.0, 10.0),
    ] {
        for report in recorder.answers(from, to) {
            assert_close(report.peak_goodput.unwrap(), goodput, 0.06);
        }
    }
}

#[test]
fn start_is_reported_only_if_the_app_declares_it() {
    for declares in [true, false] {
        let mut life = Life::new(2);
        life.seconds = 100.0;
        life.service.start.age = -10.0;
        life.service.start.boot_seconds = 30.0;
        life.service.start.care_first = true;
        life.service.start.declares_starting = declares;
        let recorder = record(&life);
        let starting = |from, to| {
            let reports = recorder.answers(from, to);
            reports
                .iter()
                .map(|report| report.starting)
                .collect::<Vec<_>>()
        };
        let (booting, serving) = (starting(12.0, 39.0), starting(45.0, 100.0));
        assert!(booting.len() >= 5 && booting.iter().all(|starting| *starting == declares));
        assert!(serving.len() >= 10 && !serving.contains(&true));
    }
}

#[test]
fn restart_begins_new_totals() {
    let mut life = queue(1, 0.5, Distribution::Exponential(MEAN));
    life.seconds = 1000.0;
    let mut recorder = Recorder::at(500.0, Action::RestartService);
    simulate(&life, &mut recorder);
    let report = last_report(&recorder);
    let seconds = report.uptime;
    assert!(seconds < 500.0);
    let answered = report.totals.answered_total.unwrap();
    assert_close(share(answered, 1) / seconds, 0.5 / MEAN, 0.1);
    let vitals = report.vitals.as_ref().unwrap();
    let busiest = vitals.busiest_thread_cpu_seconds_total.unwrap();
    assert_close(busiest / seconds, 0.5, 0.1);
    let version = |report: &&Health| report.version.clone();
    let reports = recorder.answers(0.0, 1e9);
    let first = reports.first().and_then(version);
    assert!(first.is_some() && reports.iter().all(|report| version(report) == first));
}

#[test]
fn older_app_reports_the_first_schema() {
    let mut life = queue(1, 0.5, Distribution::Exponential(MEAN));
    life.seconds = 100.0;
    life.machine.quota = Some(0.9);
    assert_eq!(last_report(&record(&life)).schema, Some(SCHEMA));
    life.visible = Visible {
        schema_2: false,
        ..Visible::ALL
    };
    let recorder = record(&life);
    let report = last_report(&recorder);
    assert_eq!(report.schema, Some(1));
    assert!(report.version.is_none() && report.waiting.is_none());
    assert!(report.peak_goodput.is_none() && report.routes.is_empty());
    let heads = Totals {
        answered_total: None,
        answered_errors_total: None,
        cancelled_before_head_total: None,
        ..report.totals.clone()
    };
    assert!(report.totals == heads && heads.requests_total.is_some());
    let vitals = report.vitals.as_ref().unwrap();
    let scheduling = Vitals {
        cpu_periods_total: None,
        cpu_throttled_periods_total: None,
        run_queue_wait_seconds_total: None,
        busiest_thread_cpu_seconds_total: None,
        ..vitals.clone()
    };
    assert!(*vitals == scheduling && vitals.cpu_throttled_seconds_total.is_some());
    assert_eq!(report.runtime.as_ref().unwrap().workers, None);
}
