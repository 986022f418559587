//! What the framework decides, and what it measures: events in, calls out. No sockets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use reeve_wire::v1;
use reeve_wire::v1::TaskState;
use reeve_wire::v1::scheduler::{Call, Event, call};

use super::FrameworkOptions;

/// For how long offers are declined that are too small.
const TOO_SMALL: f64 = 1.0;

/// For how long offers are declined once nothing is left to launch.
const FOREVER: f64 = 86_400.0;

/// A distribution of latencies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// Half took at most so long.
    pub p50: Duration,
    /// 99 of 100 took at most so long.
    pub p99: Duration,
    /// How many were measured.
    pub count: u64,
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Tasks that ran.
    pub running: u32,
    /// Tasks that ended well.
    pub finished: u32,
    /// Tasks that ended otherwise.
    pub failed: u32,
    /// From the subscription to the first offer.
    pub first_offer: Duration,
    /// From the first ACCEPT to the last task's TASK_RUNNING.
    pub all_running: Duration,
    /// From the first ACCEPT to the last task's end.
    pub all_ended: Duration,
    /// From the first ACCEPT until the master had taken every acknowledgement.
    pub all_settled: Duration,
    /// From a task's ACCEPT to its TASK_RUNNING.
    pub to_running: Latency,
    /// From a task's ACCEPT to its end.
    pub to_ended: Latency,
    /// From a task's end to the next offer, when all offers had been used.
    pub to_offer: Latency,
}

/// Reads what a task takes, such as `cpus:0.1;mem:32`.
///
/// # Errors
/// If it is no list of names and amounts.
pub fn parse_need(text: &str) -> anyhow::Result<Vec<(String, f64)>> {
    let one = |part: &str| {
        let (name, amount) = part.split_once(':').context("expected name:amount")?;
        let amount: f64 = amount.trim().parse()?;
        if !amount.is_finite() || amount <= 0.0 {
            bail!("{amount} is no amount");
        }
        Ok((name.trim().to_owned(), amount))
    };
    text.split(';').filter(|part| !part.trim().is_empty()).map(one).collect()
}

/// The framework's state.
#[derive(Debug)]
pub(super) struct Launcher {
    options: FrameworkOptions,
    framework: Option<v1::FrameworkId>,
    /// What a task takes, on the wire.
    resources: Vec<v1::Resource>,
    start: Instant,
    first_accept: Option<Instant>,
    first_offer: Option<Instant>,
    last_running: Option<Instant>,
    last_ended: Option<Instant>,
    settled: Option<Instant>,
    /// When no offer was left and something had ended.
    freed: Option<Instant>,
    tasks: Vec<Task>,
    /// Offers that wait for tasks under way to end.
    held: VecDeque<v1::Offer>,
    running: u32,
    finished: u32,
    failed: u32,
    suppressed: bool,
    to_running: Times,
    to_ended: Times,
    to_offer: Times,
}

#[derive(Debug)]
struct Task {
    accepted: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Launched,
    Running,
    Ended,
}

impl Launcher {
    pub(super) fn new(options: &FrameworkOptions, start: Instant) -> Launcher {
        Launcher {
            options: options.clone(),
            framework: None,
            resources: options.need.iter().map(|(name, amount)| scalar(name, *amount)).collect(),
            start,
            first_accept: None,
            first_offer: None,
            last_running: None,
            last_ended: None,
            settled: None,
            freed: None,
            tasks: Vec::with_capacity(options.tasks as usize),
            held: VecDeque::new(),
            running: 0,
            finished: 0,
            failed: 0,
            suppressed: false,
            to_running: Times::new(),
            to_ended: Times::new(),
            to_offer: Times::new(),
        }
    }

    /// Whether every task has ended.
    pub(super) fn is_done(&self) -> bool {
        self.ended() == self.options.tasks
    }

    /// Whether every task has been running.
    pub(super) fn all_run(&self) -> bool {
        self.running == self.options.tasks
    }

    /// Takes an event and says what to call.
    ///
    /// # Errors
    /// If the master reports an error, or an event makes no sense.
    pub(super) fn take(
        &mut self,
        event: Event,
        now: Instant,
        out: &mut Vec<Call>,
    ) -> anyhow::Result<()> {
        if let Some(subscribed) = event.subscribed {
            self.framework = Some(subscribed.framework_id);
        } else if let Some(offers) = event.offers {
            self.first_offer.get_or_insert(now);
            if let Some(freed) = self.freed.take() {
                self.to_offer.add(now.duration_since(freed));
            }
            self.held.extend(offers.offers);
            self.launch(now, out);
        } else if let Some(update) = event.update {
            self.update(&update.status, now, out)?;
        } else if let Some(rescind) = event.rescind {
            self.held.retain(|offer| offer.id != rescind.offer_id);
        } else if let Some(error) = event.error {
            bail!("the master says: {}", error.message);
        }
        Ok(())
    }

    /// The master has taken all calls.
    pub(super) fn settled(&mut self, now: Instant) {
        self.settled = Some(now);
    }

    /// Ends the framework and all it runs.
    pub(super) fn teardown(&self) -> Call {
        self.call(call::Type::Teardown)
    }

    /// What was measured so far.
    pub(super) fn figures(&self) -> Figures {
        let since = |from: Option<Instant>, to: Option<Instant>| {
            from.zip(to).map_or(Duration::ZERO, |(from, to)| to.duration_since(from))
        };
        Figures {
            running: self.running,
            finished: self.finished,
            failed: self.failed,
            first_offer: since(Some(self.start), self.first_offer),
            all_running: since(self.first_accept, self.last_running),
            all_ended: since(self.first_accept, self.last_ended),
            all_settled: since(self.first_accept, self.settled),
            to_running: self.to_running.latency(),
            to_ended: self.to_ended.latency(),
            to_offer: self.to_offer.latency(),
        }
    }

    fn ended(&self) -> u32 {
        self.finished + self.failed
    }

    fn launched(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }

    /// How many tasks may be launched now.
    fn room(&self) -> u32 {
        let under_way = self.launched() - self.ended();
        let room = self.options.at_once.saturating_sub(under_way);
        room.min(self.options.tasks.saturating_sub(self.launched()))
    }

    /// Launches what may be launched on the offers held.
    fn launch(&mut self, now: Instant, out: &mut Vec<Call>) {
        while self.room() > 0 {
            let Some(offer) = self.held.pop_front() else { return };
            let count = self.fitting(&offer).min(self.room()).min(self.options.per_offer);
            out.push(match count {
                0 => self.decline([offer.id], TOO_SMALL),
                count => self.accept(offer, count, now),
            });
        }
        if self.launched() == self.options.tasks {
            if !self.suppressed {
                self.suppressed = true;
                out.push(Call {
                    suppress: Some(Default::default()),
                    ..self.call(call::Type::Suppress)
                });
            }
            if !self.held.is_empty() {
                let offers: Vec<_> = self.held.drain(..).map(|offer| offer.id).collect();
                out.push(self.decline(offers, FOREVER));
            }
        }
    }

    /// How many tasks an offer has room for.
    fn fitting(&self, offer: &v1::Offer) -> u32 {
        let fits = |(name, amount): &(String, f64)| {
            let of_name = offer.resources.iter().filter(|resource| resource.name == *name);
            let offered: f64 =
                of_name.filter_map(|resource| resource.scalar).map(|s| s.value).sum();
            // Amounts have three digits after the point; floating point has more.
            ((offered + 0.0005) / amount) as u32
        };
        self.options.need.iter().map(fits).min().unwrap_or(u32::MAX)
    }

    fn accept(&mut self, offer: v1::Offer, count: u32, now: Instant) -> Call {
        self.first_accept.get_or_insert(now);
        let mut task_infos = Vec::with_capacity(count as usize);
        for _ in 0..count {
            task_infos.push(self.task(self.tasks.len(), &offer.agent_id));
            self.tasks.push(Task { accepted: now, stage: Stage::Launched });
        }
        let operation = v1::offer::Operation {
            r#type: Some(v1::offer::operation::Type::Launch.into()),
            launch: Some(v1::offer::operation::Launch { task_infos }),
            ..v1::offer::Operation::default()
        };
        let filters = Some(v1::Filters { refuse_seconds: Some(0.0) });
        let accept =
            call::Accept { offer_ids: vec![offer.id], operations: vec![operation], filters };
        Call { accept: Some(accept), ..self.call(call::Type::Accept) }
    }

    fn task(&self, index: usize, agent: &v1::AgentId) -> v1::TaskInfo {
        v1::TaskInfo {
            name: "load".to_owned(),
            task_id: v1::TaskId { value: format!("load-{index}") },
            agent_id: agent.clone(),
            resources: self.resources.clone(),
            command: Some(v1::CommandInfo {
                value: Some(self.options.command.clone()),
                ..v1::CommandInfo::default()
            }),
            ..v1::TaskInfo::default()
        }
    }

    fn decline(&self, offers: impl Into<Vec<v1::OfferId>>, seconds: f64) -> Call {
        let filters = Some(v1::Filters { refuse_seconds: Some(seconds) });
        let decline = call::Decline { offer_ids: offers.into(), filters };
        Call { decline: Some(decline), ..self.call(call::Type::Decline) }
    }

    fn update(
        &mut self,
        status: &v1::TaskStatus,
        now: Instant,
        out: &mut Vec<Call>,
    ) -> anyhow::Result<()> {
        if let (Some(uuid), Some(agent_id)) = (&status.uuid, &status.agent_id) {
            let acknowledge = call::Acknowledge {
                agent_id: agent_id.clone(),
                task_id: status.task_id.clone(),
                uuid: uuid.clone(),
            };
            let acknowledge = Some(acknowledge);
            out.push(Call { acknowledge, ..self.call(call::Type::Acknowledge) });
        }
        let index = status.task_id.value.strip_prefix("load-").and_then(|rest| rest.parse().ok());
        let task = index.and_then(|index: usize| self.tasks.get_mut(index));
        let task = task.context("an update about a task of nobody")?;
        let took = now.duration_since(task.accepted);
        match TaskState::try_from(status.state) {
            Ok(TaskState::TaskRunning) if task.stage == Stage::Launched => {
                task.stage = Stage::Running;
                self.running += 1;
                self.last_running = Some(now);
                self.to_running.add(took);
            }
            Ok(state) if is_terminal(state) && task.stage != Stage::Ended => {
                task.stage = Stage::Ended;
                self.to_ended.add(took);
                self.task_ended(state == TaskState::TaskFinished, now);
                self.launch(now, out);
            }
            _ => (),
        }
        Ok(())
    }

    fn task_ended(&mut self, well: bool, now: Instant) {
        self.last_ended = Some(now);
        if self.held.is_empty() && self.launched() < self.options.tasks {
            self.freed.get_or_insert(now);
        }
        if well {
            self.finished += 1;
        } else {
            self.failed += 1;
        }
    }

    fn call(&self, kind: call::Type) -> Call {
        let framework_id = self.framework.clone();
        Call { framework_id, r#type: Some(kind.into()), ..Call::default() }
    }
}

fn scalar(name: &str, value: f64) -> v1::Resource {
    v1::Resource {
        name: name.to_owned(),
        r#type: v1::value::Type::Scalar.into(),
        scalar: Some(v1::value::Scalar { value }),
        ..v1::Resource::default()
    }
}

fn is_terminal(state: TaskState) -> bool {
    !matches!(
        state,
        TaskState::TaskStaging
            | TaskState::TaskStarting
            | TaskState::TaskRunning
            | TaskState::TaskKilling
            | TaskState::TaskUnreachable
            | TaskState::TaskUnknown
    )
}

/// Durations in microseconds, three digits each.
#[derive(Debug)]
struct Times {
    histogram: Option<Histogram<u64>>,
}

impl Times {
    fn new() -> Times {
        // Three digits are always possible.
        Times { histogram: Histogram::new(3).ok() }
    }

    fn add(&mut self, time: Duration) {
        if let Some(histogram) = &mut self.histogram {
            // It grows as needed, so that nothing is too large.
            let _ = histogram.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
    }

    fn latency(&self) -> Latency {
        let Some(histogram) = &self.histogram else { return Latency::default() };
        let at = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
        Latency { p50: at(0.5), p99: at(0.99), count: histogram.len() }
    }
}

#[cfg(test)]
mod tests;
