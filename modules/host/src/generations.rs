//! Modules of older generations, as those of the newest.

use std::fmt;

use reeve_module_api::abi_stable::library::{LibHeader, LibraryError};
use reeve_module_api::abi_stable::sabi_trait::TD_Opaque;
use reeve_module_api::abi_stable::std_types::{RBox, ROk, ROption, RResult, RStr, RVec};
use reeve_module_api::v1::isolator::RawIsolatorBox;
use reeve_module_api::v2::isolator::{
    Container, Fragment, Grants, Limitation, RawIsolator, RawIsolator_TO, Survivor, Usage,
};
use reeve_module_api::v2::{Fault, HostLogBox, Instance, Parameter};
use reeve_module_api::{v1, v2};

/// The generations of the interface that this host speaks, newest first.
pub const SUPPORTED: [u32; 2] = [2, 1];

/// The way into a library of any generation.
#[derive(Clone, Copy)]
pub(crate) enum Root {
    One(v1::LibraryRef),
    Two(v2::LibraryRef),
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One",
            Self::Two(_) => "Two",
        })
    }
}

impl Root {
    /// The root of a library that claims this generation, once its layout is what it must be.
    pub(crate) fn check(header: &'static LibHeader, generation: u32) -> Result<Self, LibraryError> {
        Ok(match generation {
            1 => Self::One(header.init_root_module::<v1::LibraryRef>()?),
            _ => Self::Two(header.init_root_module::<v2::LibraryRef>()?),
        })
    }

    /// Makes the module.
    pub(crate) fn create(
        self,
        log: HostLogBox,
        parameters: RVec<Parameter>,
    ) -> RResult<Instance, Fault> {
        match self {
            Self::One(root) => root.create()(log, parameters).map(newer),
            Self::Two(root) => root.create()(log, parameters),
        }
    }
}

fn newer(instance: v1::Instance) -> Instance {
    match instance {
        v1::Instance::Allocator(raw) => Instance::Allocator(raw),
        v1::Instance::Isolator(raw) => {
            Instance::Isolator(RawIsolator_TO::from_ptr(RBox::new(OfOne(raw)), TD_Opaque))
        }
    }
}

/// An isolator of generation 1: its wrappers run one command, and nothing of it takes long.
struct OfOne(RawIsolatorBox);

impl RawIsolator for OfOne {
    fn recover(&self, survivors: RVec<Survivor>) -> RResult<(), Fault> {
        self.0.recover(survivors)
    }

    fn patience(&self, _: &Container) -> RResult<u64, Fault> {
        ROk(0)
    }

    fn prepare(&self, container: &Container) -> RResult<Fragment, Fault> {
        self.0.prepare(container).map(|fragment| Fragment {
            environment: fragment.environment,
            rlimits: fragment.rlimits,
            wrapper: fragment.wrapper,
            exec_wrapper: RVec::new(),
        })
    }

    fn isolate(&self, id: RStr<'_>, pid: u32) -> RResult<(), Fault> {
        self.0.isolate(id, pid)
    }

    fn update(&self, id: RStr<'_>, grants: &Grants) -> RResult<(), Fault> {
        self.0.update(id, grants)
    }

    fn usage(&self, id: RStr<'_>) -> RResult<Usage, Fault> {
        self.0.usage(id).map(|usage| Usage { figures: usage.figures, elsewhere: false })
    }

    fn check(&self, id: RStr<'_>) -> RResult<ROption<Limitation>, Fault> {
        self.0.check(id)
    }

    fn cleanup(&self, id: RStr<'_>) -> RResult<(), Fault> {
        self.0.cleanup(id)
    }
}
