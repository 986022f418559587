//! An isolator of generation 1, as an SDK of that time wrote it: it sets a variable.

use reeve_module_api::abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
};
use reeve_module_api::abi_stable::prefix_type::PrefixTypeTrait;
use reeve_module_api::abi_stable::sabi_trait::TD_Opaque;
use reeve_module_api::abi_stable::std_types::{
    RBox, RNone, ROk, ROption, RResult, RStr, RString, RVec,
};
use reeve_module_api::v1::isolator::{
    Container, Fragment, Grants, Limitation, RawIsolator, RawIsolator_TO, Survivor, Usage,
};
use reeve_module_api::v1::{
    Fault, HostLogBox, Instance, Level, Library, LibraryRef, Parameter, ParameterValue,
};

const MANIFEST: &str = concat!(
    "reeve-module=1\0generation=1\0kind=isolator\0name=veteran\0version=0.9.0\0",
    "author=Tests\0description=Comes from a time before generation 2.\0",
    "parameter=greeting\0type=text\0default=hello\0meaning=What VETERAN is set to.\0",
);

// SAFETY: the section is this library's own and holds nothing but this text.
#[unsafe(link_section = ".reeve.module")]
#[unsafe(export_name = "REEVE_MODULE_MANIFEST")]
static TEXT: [u8; MANIFEST.len()] = {
    let mut bytes = [0; MANIFEST.len()];
    bytes.copy_from_slice(MANIFEST.as_bytes());
    bytes
};

// SAFETY: the name is that under which abi_stable looks for a library's root.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static ROOT: LibHeader =
    unsafe { LibHeader::from_constructor::<LibraryRef>(enter, CheckTypeLayout::Yes) };

extern "C" fn enter() -> RootModuleResult {
    __call_root_module_loader(library)
}

fn library() -> LibraryRef {
    Library { create }.leak_into_prefix()
}

extern "C" fn create(log: HostLogBox, parameters: RVec<Parameter>) -> RResult<Instance, Fault> {
    log.write(Level::Info, RStr::from("the veteran is here"));
    let greeting = parameters.iter().find_map(|parameter| match &parameter.value {
        ParameterValue::Text(text) => Some(text.clone()),
        _ => None,
    });
    let veteran = RBox::new(Veteran(greeting.unwrap_or_default()));
    ROk(Instance::Isolator(RawIsolator_TO::from_ptr(veteran, TD_Opaque)))
}

struct Veteran(RString);

impl RawIsolator for Veteran {
    fn recover(&self, _: RVec<Survivor>) -> RResult<(), Fault> {
        ROk(())
    }

    fn prepare(&self, _: &Container) -> RResult<Fragment, Fault> {
        let mut fragment = Fragment::default();
        fragment.set("VETERAN", self.0.clone());
        ROk(fragment)
    }

    fn isolate(&self, _: RStr<'_>, _: u32) -> RResult<(), Fault> {
        ROk(())
    }

    fn update(&self, _: RStr<'_>, _: &Grants) -> RResult<(), Fault> {
        ROk(())
    }

    fn usage(&self, _: RStr<'_>) -> RResult<Usage, Fault> {
        let mut usage = Usage::default();
        usage.count("processes", 1);
        ROk(usage)
    }

    fn check(&self, _: RStr<'_>) -> RResult<ROption<Limitation>, Fault> {
        ROk(RNone)
    }

    fn cleanup(&self, _: RStr<'_>) -> RResult<(), Fault> {
        ROk(())
    }
}
