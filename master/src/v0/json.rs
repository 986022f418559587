//! Writing JSON as it comes, without a tree of values: `/state` of a large cluster is tens of
//! megabytes.

use reeve_transport::Response;
use reeve_wire::WireMessage;
use reeve_wire::json::{Words, to_vec_in};
use serde::Serialize;

/// JSON on its way into a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// Whether a value was written before on this level.
    comma: bool,
}

impl Writer {
    /// An answer whose body is one object.
    pub fn response(fill: impl FnOnce(&mut Writer)) -> Response {
        let mut writer = Writer::default();
        writer.object(fill);
        writer.into_response()
    }

    /// An answer whose body is what was written.
    pub fn into_response(self) -> Response {
        Response::json(self.out)
    }

    /// The text of one object.
    #[cfg(test)]
    pub fn text_of(fill: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::default();
        writer.object(fill);
        String::from_utf8(writer.out).unwrap_or_default()
    }

    /// An object as a value.
    pub fn object(&mut self, fill: impl FnOnce(&mut Writer)) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
        fill(self);
        self.out.push(b'}');
        self.comma = true;
    }

    /// An array as a value, an element for each item.
    pub fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Writer, T),
    ) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
        for item in items {
            each(self, item);
        }
        self.out.push(b']');
        self.comma = true;
    }

    /// A plain value.
    pub fn value(&mut self, value: impl Scalar) {
        self.separate();
        value.write(&mut self.out);
        self.comma = true;
    }

    /// A message in v0's words as a value.
    pub fn message<M: WireMessage>(&mut self, message: &M) {
        self.separate();
        self.out.extend_from_slice(&to_vec_in(Words::V0, message));
        self.comma = true;
    }

    /// Anything that serialises itself, as a value.
    pub fn view(&mut self, view: &impl Serialize) {
        self.separate();
        // Writing into memory cannot fail, and our views have text for keys.
        let _ = serde_json::to_writer(&mut self.out, view);
        self.comma = true;
    }

    /// A field with a plain value.
    pub fn field(&mut self, name: &str, value: impl Scalar) {
        self.key(name).value(value);
    }

    /// A field with a plain value, if there is one.
    pub fn optional(&mut self, name: &str, value: Option<impl Scalar>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    /// The name of a field; its value follows.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        name.write(&mut self.out);
        self.out.push(b':');
        self.comma = false;
        self
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
    }
}

/// A plain value of JSON.
pub trait Scalar {
    /// Writes it.
    fn write(&self, out: &mut Vec<u8>);
}

macro_rules! scalars {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            fn write(&self, out: &mut Vec<u8>) {
                // Writing text, numbers and truth into memory cannot fail.
                let _ = serde_json::to_writer(out, self);
            }
        }
    )*};
}

scalars!(str, String, f64, u64, u32, usize, u16, bool);

impl<T: Scalar + ?Sized> Scalar for &T {
    fn write(&self, out: &mut Vec<u8>) {
        T::write(self, out);
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;

    #[test]
    fn commas_come_between_and_nowhere_else() {
        let text = Writer::text_of(|w| {
            w.field("a", 1.0);
            w.key("b").array([1u64, 2], |w, n| w.value(n));
            w.key("c").object(|_| {});
            w.key("d").array([(); 2], |w, ()| w.object(|w| w.field("e", "\"x\"")));
            w.optional("f", None::<&str>);
            w.field("g", true);
        });
        let expected = r#"{"a":1.0,"b":[1,2],"c":{},"d":[{"e":"\"x\""},{"e":"\"x\""}],"g":true}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn doubles_print_like_mesos_prints_them() {
        let text = Writer::text_of(|w| {
            w.key("x").array([4.0, 0.5, 0.001, 1024.0], |w, n: f64| w.value(n));
        });
        assert_eq!(text, r#"{"x":[4.0,0.5,0.001,1024.0]}"#);
    }
}
