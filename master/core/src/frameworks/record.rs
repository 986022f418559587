//! What the registry holds of frameworks: who they are, and which ended.
//!
//! A framework is written down before its scheduler hears that it is subscribed, and once more when
//! its description changes or it ends; coming and going write nothing. While a write is under way,
//! what comes for the framework waits behind it, so that everything happens in the order in which
//! it came. So a new leader knows every framework at once, and how long it may stay away (FW-2).

use std::collections::VecDeque;
use std::sync::Arc;

use reeve_machine::Wall;
use reeve_model::{FrameworkId, FrameworkInfo};
use reeve_module_sdk::allocator::FrameworkIx;

use super::{Framework, State, Wishes};
use crate::answer::Answer;
use crate::effect::{Effect, Mutation, Scheduler};
use crate::event::{CompletedFramework, Kind, RecoveredFramework, RequestId};
use crate::master::Master;
use crate::step::Step;
use crate::view::{Change, FrameworkRecord};

/// What goes on when what is written about a framework is durable.
#[derive(Debug)]
pub(crate) enum Pending {
    /// A scheduler subscribes; this is what the framework is from then on.
    Subscribe(Scheduler, Arc<FrameworkInfo>, Wishes, Novelty),
    /// A framework has described itself anew.
    Update(Option<RequestId>, Arc<FrameworkInfo>, Wishes),
    /// A framework ended then, and somebody may wait for that.
    End(Wall, Option<(RequestId, Answer)>),
    /// Nothing: the framework is forgotten.
    Forget,
}

/// Whether a subscribing framework has just been given its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// It has.
    New,
    /// It says that it had its id before.
    Again,
    /// It does, and takes its id from whoever has it.
    TakenOver,
}

impl Master {
    /// Takes in the frameworks that an earlier leader wrote down.
    pub(crate) fn recover_frameworks(
        &mut self,
        step: &mut Step<'_>,
        frameworks: Vec<RecoveredFramework>,
        mut completed: Vec<CompletedFramework>,
    ) {
        completed.sort_by_key(|one| one.ended);
        for CompletedFramework { info, registered, ended } in completed {
            let Some(id) = info.id.clone() else { continue };
            // There are too many if fewer are to be remembered than before.
            for old in self.frameworks.retire(&id) {
                let forget = Mutation::ForgetFramework(old.clone());
                self.write_framework(step, old, forget, Pending::Forget);
            }
            self.frameworks.remember(&id);
            step.changed(Change::Framework(Arc::new(FrameworkRecord::ended(info, registered))));
            step.changed(Change::FrameworkCompleted(id, ended));
        }
        for RecoveredFramework { info, registered } in frameworks {
            let Some(id) = info.id.clone() else { continue };
            let fx = self.add_framework(step, id, info, State::Recovered);
            if let Some(framework) = self.frameworks.get_mut(fx) {
                framework.recorded = true;
                framework.registered = registered;
            }
            self.await_scheduler(step, fx);
        }
    }

    /// Gives an event back if it may be taken now. What comes for a framework that something is
    /// being written about waits for that.
    pub(crate) fn in_turn(&mut self, kind: Kind) -> Option<Kind> {
        let id = match &kind {
            Kind::Subscribes(_, subscription) => subscription.info.id.as_ref(),
            Kind::Calls(id, ..) | Kind::TeardownAsked(_, id) | Kind::DriverDeactivates(_, id) => {
                Some(id)
            }
            Kind::StreamClosed(stream) => self.frameworks.opening.get(stream),
            _ => None,
        };
        let Some(id) = id.filter(|id| self.frameworks.waiting.contains_key(*id)).cloned() else {
            return Some(kind);
        };
        if let Kind::Subscribes(stream, _) = &kind {
            self.frameworks.opening.insert(*stream, id.clone());
        }
        self.frameworks.waiting.entry(id).or_default().push_back(kind);
        None
    }

    /// Has a mutation made durable that is about one framework, which waits for it.
    pub(super) fn write_framework(
        &mut self,
        step: &mut Step<'_>,
        id: FrameworkId,
        mutation: Mutation,
        pending: Pending,
    ) {
        if let Pending::Subscribe(Scheduler::Stream(stream), ..) = &pending {
            self.frameworks.opening.insert(*stream, id.clone());
        }
        self.frameworks.waiting.entry(id.clone()).or_default();
        self.persist(step, mutation, crate::writes::Pending::Framework(id, pending));
    }

    /// A framework is to end, and whoever asked for that is answered when it has. It lives until
    /// that is durable.
    pub(super) fn end_framework(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        answer: Option<(RequestId, Answer)>,
    ) {
        let Some(Framework { id, info, registered, .. }) = self.frameworks.get(fx) else { return };
        let (id, registered, ended) = (id.clone(), *registered, step.wall);
        let completed = CompletedFramework { info: info.clone(), registered, ended };
        let forgotten = self.frameworks.retire(&id);
        let mutation = Mutation::Complete { completed, forgotten };
        self.write_framework(step, id, mutation, Pending::End(ended, answer));
    }

    /// What was written about a framework is durable: what waited for it goes on.
    pub(crate) fn framework_written(
        &mut self,
        step: &mut Step<'_>,
        id: &FrameworkId,
        pending: Pending,
    ) {
        let behind = self.frameworks.waiting.remove(id).unwrap_or_default();
        match pending {
            Pending::Subscribe(to, info, wishes, novelty) => {
                self.settle(&to);
                if novelty == Novelty::New && hung_up(&to, &behind) {
                    let forget = Mutation::ForgetFramework(id.clone());
                    self.write_framework(step, id.clone(), forget, Pending::Forget);
                } else {
                    self.take_in(step, id.clone(), &to, info, wishes, novelty);
                }
            }
            Pending::Update(request, info, wishes) => {
                if let Some(fx) = self.frameworks.find(id) {
                    self.redescribe_framework(step, fx, info, wishes);
                }
                if let Some(request) = request {
                    step.push(Effect::Answer(request, Answer::Done));
                }
            }
            Pending::End(ended, answer) => {
                if let Some(fx) = self.frameworks.find(id) {
                    self.remove_framework(step, fx, ended);
                }
                if let Some((request, answer)) = answer {
                    step.push(Effect::Answer(request, answer));
                }
            }
            Pending::Forget => {}
        }
        self.go_on(step, id, behind);
    }

    /// A subscription does not wait any longer.
    fn settle(&mut self, to: &Scheduler) {
        match to {
            Scheduler::Stream(stream) => {
                self.frameworks.opening.remove(stream);
            }
            Scheduler::Driver(pid) => {
                self.frameworks.joining.remove(pid);
            }
        }
    }

    /// What came meanwhile is taken, until something has to be written again.
    fn go_on(&mut self, step: &mut Step<'_>, id: &FrameworkId, mut behind: VecDeque<Kind>) {
        while !self.frameworks.waiting.contains_key(id) {
            let Some(kind) = behind.pop_front() else { return };
            if let Kind::Subscribes(stream, _) | Kind::StreamClosed(stream) = &kind {
                self.frameworks.opening.remove(stream);
            }
            self.take(step, kind);
        }
        for kind in behind {
            self.in_turn(kind);
        }
    }
}

/// Whether the scheduler has closed its stream while its subscription waited.
fn hung_up(to: &Scheduler, behind: &VecDeque<Kind>) -> bool {
    let Scheduler::Stream(stream) = to else { return false };
    let closes = |kind: &Kind| matches!(kind, Kind::StreamClosed(closed) if closed == stream);
    behind.iter().any(closes)
}
