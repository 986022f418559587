//! Messages to v0 drivers (LP-6).

use reeve_master_core::effect::ToScheduler;
use reeve_model::{Capabilities, FrameworkId, Pid};
use reeve_wire::internal;

use super::outbound::Outbound;
use crate::identity::ACTOR;
use crate::schedulers::{wire_inverse_offer, wire_offer};

impl Outbound {
    /// Sends an event to a v0 driver (LP-6).
    pub fn to_driver(
        &self,
        to: &Pid,
        framework: Option<&FrameworkId>,
        capabilities: Capabilities,
        event: ToScheduler,
    ) {
        match event {
            ToScheduler::Subscribed { framework, again } => self.subscribed(to, &framework, again),
            ToScheduler::Offers(offers) => {
                let wire = internal::ResourceOffersMessage {
                    pids: offers.iter().map(|offer| offer.pid.to_string()).collect(),
                    offers: offers.iter().map(|offer| wire_offer(offer, capabilities)).collect(),
                };
                self.post(to, &wire);
            }
            ToScheduler::Rescind(offer) => {
                let offer_id = offer.to_wire();
                self.post(to, &internal::RescindResourceOfferMessage { offer_id });
            }
            // The drivers of libmesos pass these over, but Mesos's master sends them all the same.
            ToScheduler::InverseOffers(offers) => {
                let wire = internal::InverseOffersMessage {
                    pids: offers.iter().map(|offer| offer.pid.to_string()).collect(),
                    inverse_offers: offers.iter().map(|offer| wire_inverse_offer(offer)).collect(),
                };
                self.post(to, &wire);
            }
            ToScheduler::RescindInverse(offer) => {
                let inverse_offer_id = offer.to_wire();
                self.post(to, &internal::RescindInverseOfferMessage { inverse_offer_id });
            }
            ToScheduler::Update(update) => {
                // Without a pid the driver acknowledges nothing; the master forwards
                // acknowledgements itself, so its own pid stands here (LP-12).
                let pid = update.uuid.map(|_| self.peers.pid(ACTOR).to_string());
                let update = update.to_wire();
                self.post(to, &internal::StatusUpdateMessage { update, pid });
            }
            ToScheduler::Message(agent, executor, data) => {
                let Some(framework_id) = framework.map(FrameworkId::to_wire) else { return };
                let (slave_id, executor_id) = (agent.to_wire(), executor.to_wire());
                let wire = internal::ExecutorToFrameworkMessage {
                    slave_id,
                    framework_id,
                    executor_id,
                    data,
                };
                self.post(to, &wire);
            }
            ToScheduler::Failure(agent, None) => {
                self.post(to, &internal::LostSlaveMessage { slave_id: agent.to_wire() });
            }
            ToScheduler::Failure(agent, Some((executor, status))) => {
                let Some(framework_id) = framework.map(FrameworkId::to_wire) else { return };
                let (slave_id, executor_id) = (agent.to_wire(), executor.to_wire());
                let wire =
                    internal::ExitedExecutorMessage { slave_id, framework_id, executor_id, status };
                self.post(to, &wire);
            }
            ToScheduler::Error(message) => {
                self.post(to, &internal::FrameworkErrorMessage { message });
            }
            // LP-6: drivers hear neither heartbeats nor statuses of operations.
            ToScheduler::Heartbeat | ToScheduler::OperationUpdate(_) => {}
        }
    }
    fn subscribed(&self, to: &Pid, framework: &FrameworkId, again: bool) {
        let (framework_id, master_info) = (framework.to_wire(), self.master.clone());
        if again {
            let wire = internal::FrameworkReregisteredMessage { framework_id, master_info };
            self.post(to, &wire);
        } else {
            let wire = internal::FrameworkRegisteredMessage { framework_id, master_info };
            self.post(to, &wire);
        }
    }
}
