//! Writes the descriptor tables as Rust text: one `static` per message and enum, and one line that
//! ties each message type to its table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};

use crate::{Error, rust_paths};

/// Enum values whose name is not written to JSON: Mesos 1.11 itself wrote `{}` for such a
/// capability, and there are clients whose JSON reader fails on the name.
const SILENT: &[&str] = &["mesos.v1.MasterInfo.Capability.Type.QUOTA_V2"];

const DURATION: &str = ".google.protobuf.Duration";

/// A message together with where it stands.
struct Message<'a> {
    full: String,
    path: String,
    proto: &'a DescriptorProto,
}

struct Enum<'a> {
    full: String,
    proto: &'a EnumDescriptorProto,
}

/// Everything named in the files, by full name with a leading dot, as fields refer to it.
#[derive(Default)]
struct Book<'a> {
    messages: Vec<Message<'a>>,
    enums: Vec<Enum<'a>>,
    message_numbers: BTreeMap<String, usize>,
    enum_numbers: BTreeMap<String, usize>,
    entries: BTreeMap<String, &'a DescriptorProto>,
}

impl<'a> Book<'a> {
    fn of(descriptors: &'a FileDescriptorSet) -> Self {
        let mut book = Self::default();
        for file in descriptors.file.iter().filter(|file| !file.package().starts_with("google.")) {
            book.add_file(file);
        }
        book
    }

    fn add_file(&mut self, file: &'a FileDescriptorProto) {
        for proto in &file.enum_type {
            self.add_enum(file.package(), proto);
        }
        for proto in &file.message_type {
            self.add_message(file.package(), &mut Vec::new(), proto);
        }
    }

    fn add_enum(&mut self, scope: &str, proto: &'a EnumDescriptorProto) {
        let full = format!("{scope}.{}", proto.name());
        self.enum_numbers.insert(format!(".{full}"), self.enums.len());
        self.enums.push(Enum { full, proto });
    }

    fn add_message(&mut self, package: &str, outer: &mut Vec<&'a str>, proto: &'a DescriptorProto) {
        let scope = [&[package], &outer[..]].concat().join(".");
        let full = format!("{scope}.{}", proto.name());
        if proto.options.as_ref().is_some_and(|options| options.map_entry()) {
            self.entries.insert(format!(".{full}"), proto);
            return;
        }
        self.message_numbers.insert(format!(".{full}"), self.messages.len());
        let path = rust_paths::of(package, outer, proto.name());
        self.messages.push(Message { full: full.clone(), path, proto });
        for kind in &proto.enum_type {
            self.add_enum(&full, kind);
        }
        outer.push(proto.name());
        for nested in &proto.nested_type {
            self.add_message(package, outer, nested);
        }
        outer.pop();
    }

    /// The messages that have a field of some kind, or can hold one that has.
    fn holding(&self, is: impl Fn(&FieldDescriptorProto) -> bool) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for (number, message) in self.messages.iter().enumerate() {
                let mut fields = message.proto.field.iter();
                let holds = |target: Option<usize>| target.is_some_and(|at| found.contains(&at));
                if fields.any(|field| is(field) || holds(self.target(field))) {
                    found.insert(number);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// The message that a field, or each value of a map, holds.
    fn target(&self, field: &FieldDescriptorProto) -> Option<usize> {
        let value = self.entries.get(field.type_name()).and_then(|entry| entry.field.get(1));
        self.message_numbers.get(value.unwrap_or(field).type_name()).copied()
    }
}

/// The text of `tables.rs`.
pub(crate) fn write(descriptors: &FileDescriptorSet) -> Result<String, Error> {
    let book = Book::of(descriptors);
    let mut text = String::from("// Made by wire-build from the .proto files.\n");
    for (number, kind) in book.enums.iter().enumerate() {
        write_enum(&mut text, number, kind);
    }
    let demanding = book.holding(|field| field.label() == Label::Required);
    let gaps = book.holding(|field| {
        book.entries.contains_key(field.type_name())
            && book.target(field).is_some_and(|value| demanding.contains(&value))
    });
    for (number, message) in book.messages.iter().enumerate() {
        let flags =
            format!("demanding: {}, gaps: {}", demanding.contains(&number), gaps.contains(&number));
        write_message(&mut text, &book, number, message, &flags)?;
    }
    list(&mut text, "MESSAGES", "Desc", "M", book.messages.len());
    list(&mut text, "ENUMS", "EnumDesc", "E", book.enums.len());
    for (number, message) in book.messages.iter().enumerate() {
        let _ = writeln!(text, "describe!({}, {:?}, M{number});", message.path, message.full);
    }
    Ok(text)
}

fn list(text: &mut String, name: &str, kind: &str, letter: &str, count: usize) {
    let items: Vec<_> = (0..count).map(|number| format!("&{letter}{number}")).collect();
    let _ = writeln!(text, "pub(crate) static {name}: &[&{kind}] = &[{}];", items.join(","));
}

fn write_enum(text: &mut String, number: usize, kind: &Enum<'_>) {
    let _ =
        write!(text, "static E{number}: EnumDesc = EnumDesc {{ name: {:?}, values: &[", kind.full);
    for value in &kind.proto.value {
        let silent = SILENT.contains(&format!("{}.{}", kind.full, value.name()).as_str());
        let (name, number) = (value.name(), value.number());
        let _ = write!(text, "EnumValue {{ name: {name:?}, number: {number}, silent: {silent} }},");
    }
    text.push_str("] };\n");
}

fn write_message(
    text: &mut String,
    book: &Book<'_>,
    number: usize,
    message: &Message<'_>,
    flags: &str,
) -> Result<(), Error> {
    let full = &message.full;
    let _ = write!(text, "static M{number}: Desc = Desc {{ name: {full:?}, {flags}, fields: &[");
    for field in &message.proto.field {
        write_field(text, book, message, field)?;
    }
    let _ = writeln!(text, "], places: &{:?} }};", places(message)?);
    Ok(())
}

/// For each field number, one more than the place of its field in the declaration; 0 for none.
fn places(message: &Message<'_>) -> Result<Vec<u8>, Error> {
    let mut places = Vec::new();
    for (place, field) in message.proto.field.iter().enumerate() {
        let number = usize::try_from(field.number()).unwrap_or(usize::MAX);
        let (true, Ok(place)) = (number < 1024, u8::try_from(place + 1)) else {
            let what = "a field number of 1024 or more, or a message of 255 fields".into();
            return Err(Error::Unsupported { field: full_name(message, field), what });
        };
        places.resize(places.len().max(number + 1), 0);
        places[number] = place;
    }
    Ok(places)
}

fn full_name(message: &Message<'_>, field: &FieldDescriptorProto) -> String {
    format!("{}.{}", message.full, field.name())
}

fn write_field(
    text: &mut String,
    book: &Book<'_>,
    message: &Message<'_>,
    field: &FieldDescriptorProto,
) -> Result<(), Error> {
    let entry = book.entries.get(field.type_name());
    let unsupported = |what: String| Error::Unsupported { field: full_name(message, field), what };
    if entry.and_then(|entry| entry.field.first()).is_some_and(|key| key.r#type() != Type::String) {
        return Err(unsupported("a map whose keys are no strings".into()));
    }
    if field.options.as_ref().is_some_and(|options| options.packed()) {
        return Err(unsupported("a packed field".into()));
    }
    let label = match (entry, field.label()) {
        (Some(_), _) => "Map",
        (None, Label::Optional) => "Optional",
        (None, Label::Required) => "Required",
        (None, Label::Repeated) => "Repeated",
    };
    let value = entry.and_then(|entry| entry.field.get(1)).unwrap_or(field);
    let kind = kind(book, value).map_err(unsupported)?;
    let (name, number) = (field.name(), field.number());
    let _ = write!(text, "Field::new({name:?}, {number}, Label::{label}, Kind::{kind})");
    if let Some(default) = &field.default_value {
        let default = default_value(book, field, default);
        let _ = write!(text, ".default(Default::{default})");
    }
    if field.options.as_ref().is_some_and(|options| options.deprecated()) {
        text.push_str(".deprecated()");
    }
    if let Some(oneof) = field.oneof_index {
        let oneof = usize::try_from(oneof).ok().and_then(|at| message.proto.oneof_decl.get(at));
        let _ = write!(text, ".oneof({:?})", oneof.map_or("", |oneof| oneof.name()));
    }
    text.push(',');
    Ok(())
}

fn kind(book: &Book<'_>, field: &FieldDescriptorProto) -> Result<String, String> {
    let name = match field.r#type() {
        Type::Bool => "Bool",
        Type::Int32 => "Int32",
        Type::Int64 => "Int64",
        Type::Uint32 => "Uint32",
        Type::Uint64 => "Uint64",
        Type::Double => "Double",
        Type::String => "String",
        Type::Bytes => "Bytes",
        Type::Message if field.type_name() == DURATION => "Duration",
        Type::Message => {
            let number = book.message_numbers.get(field.type_name());
            return number.map(|number| format!("Message(&M{number})")).ok_or("the type".into());
        }
        Type::Enum => {
            let number = book.enum_numbers.get(field.type_name());
            return number.map(|number| format!("Enum(&E{number})")).ok_or("the type".into());
        }
        other => return Err(format!("the type {}", other.as_str_name())),
    };
    Ok(name.into())
}

fn default_value(book: &Book<'_>, field: &FieldDescriptorProto, text: &str) -> String {
    match field.r#type() {
        Type::Bool => format!("Bool({text})"),
        Type::Double => format!("Double({text}f64)"),
        Type::String => format!("Text({text:?})"),
        Type::Enum => {
            let kind = book.enum_numbers.get(field.type_name()).map(|at| &book.enums[*at]);
            let values = kind.map_or(&[][..], |kind| &kind.proto.value);
            let number = values.iter().find(|value| value.name() == text).map(|v| v.number());
            format!("Enum({})", number.unwrap_or_default())
        }
        _ => format!("Int({text})"),
    }
}
