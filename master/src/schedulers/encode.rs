//! Events of the core as v1 events.

use std::time::Duration;

use reeve_master_core::effect::ToScheduler;
use reeve_master_core::inverse_offers::InverseOffer;
use reeve_master_core::offers::Offer;
use reeve_model::{AgentInfo, Capabilities, Format, Pid};
use reeve_wire::v1;
use reeve_wire::v1::scheduler::Event;
use reeve_wire::v1::scheduler::event::{self, Type};

/// What must be known of a scheduler, and told to it, to write to it.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// What its framework understands.
    pub capabilities: Capabilities,
    /// How often it hears a heartbeat.
    pub heartbeat: Duration,
    /// What the master says of itself.
    pub master: v1::MasterInfo,
}

/// The event as v1 has it.
pub fn wire_event(event: ToScheduler, to: &Recipient) -> Event {
    let typed = |kind: Type| Event { r#type: Some(kind.into()), ..Event::default() };
    match event {
        ToScheduler::Subscribed { framework, .. } => Event {
            subscribed: Some(event::Subscribed {
                framework_id: framework.to_wire(),
                heartbeat_interval_seconds: Some(to.heartbeat.as_secs_f64()),
                master_info: Some(to.master.clone()),
            }),
            ..typed(Type::Subscribed)
        },
        ToScheduler::Offers(offers) => {
            let offers = offers.iter().map(|offer| wire_offer(offer, to.capabilities)).collect();
            Event { offers: Some(event::Offers { offers }), ..typed(Type::Offers) }
        }
        ToScheduler::Rescind(offer) => {
            let offer_id = offer.to_wire();
            Event { rescind: Some(event::Rescind { offer_id }), ..typed(Type::Rescind) }
        }
        ToScheduler::InverseOffers(offers) => {
            let inverse_offers = offers.iter().map(|offer| wire_inverse_offer(offer)).collect();
            let inverse_offers = Some(event::InverseOffers { inverse_offers });
            Event { inverse_offers, ..typed(Type::InverseOffers) }
        }
        ToScheduler::RescindInverse(offer) => {
            let rescind = event::RescindInverseOffer { inverse_offer_id: offer.to_wire() };
            let rescind_inverse_offer = Some(rescind);
            Event { rescind_inverse_offer, ..typed(Type::RescindInverseOffer) }
        }
        ToScheduler::Update(update) => {
            let mut status = update.status.to_wire();
            status.uuid = update.uuid.map(|uuid| uuid.to_bytes());
            Event { update: Some(event::Update { status }), ..typed(Type::Update) }
        }
        ToScheduler::Message(agent, executor, data) => {
            let (agent_id, executor_id) = (agent.to_wire(), executor.to_wire());
            let message = event::Message { agent_id, executor_id, data };
            Event { message: Some(message), ..typed(Type::Message) }
        }
        ToScheduler::Failure(agent, executor) => {
            let failure = event::Failure {
                agent_id: Some(agent.to_wire()),
                executor_id: executor.as_ref().map(|(executor, _)| executor.to_wire()),
                status: executor.map(|(_, status)| status),
            };
            Event { failure: Some(failure), ..typed(Type::Failure) }
        }
        ToScheduler::Error(message) => {
            Event { error: Some(event::Error { message }), ..typed(Type::Error) }
        }
        ToScheduler::Heartbeat => typed(Type::Heartbeat),
        ToScheduler::OperationUpdate(status) => {
            // The newer format can express everything.
            let status = status.to_wire(Format::PostRefinement).unwrap_or_default();
            let update = event::UpdateOperationStatus { status };
            Event { update_operation_status: Some(update), ..typed(Type::UpdateOperationStatus) }
        }
    }
}

/// The offer as frameworks with these capabilities are to see it: without MULTI_ROLE there is no
/// allocation info, without RESERVATION_REFINEMENT there are no stacks of reservations.
pub fn wire_offer(offer: &Offer, capabilities: Capabilities) -> v1::Offer {
    let mut resources = offer.resources.clone();
    if !capabilities.multi_role() {
        resources.unallocate();
    }
    let wire = resources.to_wire(capabilities.format()).unwrap_or_else(|why| {
        // The allocator holds refined reservations back from frameworks that know none.
        tracing::error!(offer = %offer.id, "an offer has resources its framework cannot know: {why}");
        resources.to_wire(Format::PostRefinement).unwrap_or_default()
    });
    let allocation = v1::resource::AllocationInfo { role: Some(offer.role.to_string()) };
    v1::Offer {
        id: offer.id.to_wire(),
        framework_id: offer.framework.to_wire(),
        agent_id: offer.agent_id.to_wire(),
        hostname: offer.agent.hostname.clone(),
        url: Some(url(&offer.agent, &offer.pid)),
        domain: offer.agent.domain.as_ref().map(reeve_model::Domain::to_wire),
        resources: wire,
        attributes: offer.agent.attributes.to_wire(),
        executor_ids: offer.executors.iter().map(reeve_model::ExecutorId::to_wire).collect(),
        unavailability: offer.unavailability.map(|time| time.to_wire()),
        allocation_info: capabilities.multi_role().then_some(allocation),
    }
}

/// The inverse offer. It is about the whole agent, which Mesos says by naming no resources.
pub fn wire_inverse_offer(offer: &InverseOffer) -> v1::InverseOffer {
    v1::InverseOffer {
        id: offer.id.to_wire(),
        url: Some(url(&offer.agent, &offer.pid)),
        framework_id: offer.framework.to_wire(),
        agent_id: Some(offer.agent_id.to_wire()),
        unavailability: offer.unavailability.to_wire(),
        resources: Vec::new(),
    }
}

/// Where the agent's HTTP endpoints are.
fn url(agent: &AgentInfo, pid: &Pid) -> v1::Url {
    v1::Url {
        scheme: "http".to_owned(),
        address: v1::Address {
            hostname: Some(agent.hostname.clone()),
            ip: Some(pid.address.ip().to_string()),
            port: pid.address.port().into(),
        },
        path: Some(format!("/{}", pid.id)),
        ..v1::Url::default()
    }
}
