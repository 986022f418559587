//! Effects as short lines. Changes for readers are left out: the view is looked at instead.

use reeve_model::{Resources, TaskStatus};

use crate::allocation::Event;
use crate::effect::{Effect, Mutation, Scheduler, ToAgent, ToScheduler};

pub(super) fn lines(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter_map(line).collect()
}

fn line(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::Persist(write, mutation) => {
            format!("persist {}: {}", write.0, of_mutation(mutation))
        }
        Effect::ToAgent(pid, message) => format!("{} < {}", pid.id, of_agent(message)),
        Effect::Link(pid) => format!("link {}", pid.id),
        Effect::Unlink(pid) => format!("unlink {}", pid.id),
        Effect::ToScheduler(Scheduler::Stream(stream), event) => {
            format!("#{} < {}", stream.0, of_event(event))
        }
        Effect::ToScheduler(Scheduler::Driver(pid), event) => {
            format!("{} < {}", pid.id, of_event(event))
        }
        Effect::Answer(request, answer) => format!("answer {}: {answer:?}", request.0),
        Effect::Close(stream) => format!("close #{}", stream.0),
        // Recounted by the laws.
        Effect::Allocation(Event::Tasks { .. }) => return None,
        Effect::Allocation(event) => format!("alloc: {}", of_allocation(event)),
        Effect::TookBack(back) => {
            let tasks: Vec<&str> = back.tasks.iter().map(|task| task.as_str()).collect();
            let offers: Vec<&str> = back.offers.iter().map(|offer| offer.as_str()).collect();
            format!(
                "took back [{}] [{}], missing {}",
                offers.join(" "),
                tasks.join(" "),
                back.missing
            )
        }
        Effect::StepDown(why) => format!("step down: {why}"),
        Effect::Changed(_) => return None,
    })
}

fn of_mutation(mutation: &Mutation) -> String {
    match mutation {
        Mutation::Admit(info) => format!("admit {}", id(info)),
        Mutation::MarkUnreachable(id, _) => format!("unreachable {id}"),
        Mutation::MarkReachable(info) => format!("reachable {}", id(info)),
        Mutation::Remove(id) => format!("remove {id}"),
        Mutation::Deactivate(id, deactivation) => match deactivation.drain {
            Some(drain) if drain.drained => format!("drained {id}"),
            Some(_) => format!("drain {id}"),
            None => format!("deactivate {id}"),
        },
        Mutation::Reactivate(id) => format!("reactivate {id}"),
        Mutation::Maintain { windows, machines, up } => {
            let all: Vec<String> =
                machines.iter().map(|one| format!("{} {:?}", one.id, one.mode)).collect();
            let up: Vec<String> = up.iter().map(|id| format!("{id} up")).collect();
            format!("maintain {} windows: {}", windows.len(), [all, up].concat().join(", "))
        }
        Mutation::SetQuotas(quotas) => {
            let roles: Vec<_> = quotas.iter().map(|(role, _)| role.as_str()).collect();
            format!("quota {}", roles.join(" "))
        }
        Mutation::SetWeights(weights) => format!("weights {weights:?}"),
        Mutation::MarkGone(id, _) => format!("gone {id}"),
        Mutation::Describe(info, _) => format!("describe {}", of_framework(info)),
        Mutation::Complete { completed, forgotten } => {
            let forgotten: Vec<&str> = forgotten.iter().map(|id| id.as_str()).collect();
            format!("complete {} forget {forgotten:?}", of_framework(&completed.info))
        }
        Mutation::ForgetFramework(id) => format!("forget {id}"),
    }
}

fn of_framework(info: &reeve_model::FrameworkInfo) -> String {
    info.id.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn id(info: &reeve_model::AgentInfo) -> String {
    info.id.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn of_agent(message: &ToAgent) -> String {
    match message {
        ToAgent::Registered { agent, ping_timeout } => {
            format!("registered {agent}, {}s", ping_timeout.as_secs())
        }
        ToAgent::Reregistered { agent, missing, .. } => {
            let missing = missing.iter().flat_map(|(_, all)| all).map(of_status);
            format!("reregistered {agent} [{}]", missing.collect::<Vec<_>>().join(", "))
        }
        ToAgent::Ping { connected } => format!("ping {connected}"),
        ToAgent::Shutdown(why) => format!("shutdown: {why}"),
        ToAgent::Drain(config) => {
            let grace = config.max_grace.map(|grace| format!(" in {}s", grace.as_secs()));
            format!("drain{}", grace.unwrap_or_default())
        }
        ToAgent::Run { task, launch_executor, .. } => {
            let start = if *launch_executor { " +executor" } else { "" };
            format!("run {} {}{start}", task.id, task.resources.unallocated())
        }
        ToAgent::RunGroup { executor, tasks, launch_executor, .. } => {
            let start = if *launch_executor { " +executor" } else { "" };
            let tasks: Vec<String> = tasks.iter().map(|task| task.id.to_string()).collect();
            format!("run group {} in {}{start}", tasks.join("+"), executor.id)
        }
        ToAgent::Kill(_, task, policy) => match policy.and_then(|policy| policy.grace) {
            Some(grace) => format!("kill {task} in {}s", grace.as_secs()),
            None => format!("kill {task}"),
        },
        ToAgent::Acknowledge(_, _, task, uuid) => format!("ack {task} {}", uuid.as_bytes()[0]),
        ToAgent::ShutdownExecutor(_, executor) => format!("shutdown executor {executor}"),
        ToAgent::ShutdownFramework(framework) => format!("shutdown framework {framework}"),
        ToAgent::UpdateFramework(info, _) => format!("update framework {}", info.name),
        ToAgent::Message(_, _, executor, data) => format!("message {executor} {data:?}"),
        ToAgent::CheckpointResources(resources) => format!("checkpoint {resources}"),
    }
}

fn of_event(event: &ToScheduler) -> String {
    match event {
        ToScheduler::Subscribed { framework, again } => {
            format!("subscribed {framework}{}", if *again { " again" } else { "" })
        }
        ToScheduler::Offers(offers) => {
            let offers: Vec<String> = offers
                .iter()
                .map(|offer| format!("{} {}", offer.id, offer.resources.unallocated()))
                .collect();
            format!("offers {}", offers.join(", "))
        }
        ToScheduler::Rescind(offer) => format!("rescind {offer}"),
        ToScheduler::InverseOffers(offers) => {
            let offers: Vec<String> =
                offers.iter().map(|offer| format!("{} {}", offer.id, offer.agent_id)).collect();
            format!("may they go? {}", offers.join(", "))
        }
        ToScheduler::RescindInverse(offer) => format!("rescind inverse {offer}"),
        ToScheduler::Update(update) => {
            let ack = update.uuid.map(|uuid| format!(" ({})", uuid.as_bytes()[0]));
            assert_eq!(update.uuid, update.status.uuid);
            format!("update {}{}", of_status(&update.status), ack.unwrap_or_default())
        }
        ToScheduler::Message(_, executor, data) => format!("message from {executor} {data:?}"),
        ToScheduler::Failure(agent, None) => format!("lost {agent}"),
        ToScheduler::Failure(agent, Some((executor, status))) => {
            format!("exited {executor} on {agent}: {status}")
        }
        ToScheduler::Error(why) => format!("error: {why}"),
        ToScheduler::Heartbeat => "heartbeat".to_owned(),
        ToScheduler::OperationUpdate(status) => {
            let message = status.message.as_deref().unwrap_or("-");
            format!("operation {:?} {:?}: {message}", status.operation, status.state)
        }
    }
}

fn of_status(status: &TaskStatus) -> String {
    let mut text = format!("{} {}", status.task, status.state);
    if let Some(reason) = status.reason {
        text += &format!(" {}", reason.name());
    }
    text
}

fn of_allocation(event: &Event) -> String {
    let bare = Resources::unallocated;
    match event {
        Event::AgentAdded { agent, total, used, active, .. } => {
            let used: Vec<String> =
                used.iter().map(|(fx, all)| format!("f{} {}", fx.0, bare(all))).collect();
            let idle = if *active { "" } else { " inactive" };
            format!("agent a{} {total} used [{}]{idle}", agent.0, used.join(", "))
        }
        Event::AgentChanged { agent, total } => format!("a{} is {total}", agent.0),
        Event::AgentActive { agent, active } => format!("a{} active {active}", agent.0),
        Event::AgentRemoved { agent } => format!("a{} removed", agent.0),
        Event::FrameworkAdded { framework, active, .. } => {
            format!("framework f{} active {active}", framework.0)
        }
        Event::FrameworkChanged { framework, suppressed, .. } => {
            format!("f{} changed, suppressed {suppressed:?}", framework.0)
        }
        Event::FrameworkActive { framework, active } => {
            format!("f{} active {active}", framework.0)
        }
        Event::FrameworkRemoved { framework } => format!("f{} removed", framework.0),
        Event::Suppress { framework, roles } => format!("f{} suppress {roles:?}", framework.0),
        Event::Revive { framework, roles } => format!("f{} revive {roles:?}", framework.0),
        Event::Recover { framework, agent, resources, filter } => {
            let filter = filter.map(|filter| format!(" for {}s", filter.as_secs()));
            let (fx, ax) = (framework.0, agent.0);
            format!("f{fx} gives a{ax} {}{}", bare(resources), filter.unwrap_or_default())
        }
        Event::Used { framework, agent, resources } => {
            format!("f{} uses a{} {}", framework.0, agent.0, bare(resources))
        }
        Event::Converted { agent, from, to, .. } => {
            format!("a{} {} -> {}", agent.0, bare(from), bare(to))
        }
        Event::Weight { role, weight } => format!("{role} weighs {weight}"),
        Event::Quota { role, guarantees, limits } => {
            let limits = limits.iter().map(|(name, most)| format!("{name}:{most}"));
            let limits = limits.collect::<Vec<_>>().join("; ");
            format!("{role} gets {guarantees} to {limits}")
        }
        other => format!("{other:?}"),
    }
}
