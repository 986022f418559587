//! All records as one JSON text.
//!
//! ```json
//! {"format": 1,
//!  "records": {"agents": {"ID": {"hostname": "host-1", …}}, "maintenance": {…}, …},
//!  "bytes": {"agents/ID": "base64"}}
//! ```
//!
//! The same records are always the same text. `bytes` holds what JSON can't say: records that a
//! newer version wrote, and damaged ones.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::{Kind, Records};

/// The format of the text; goes up when old versions could not read it any more.
const FORMAT: u64 = 1;

/// All records as one JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document(Value);

/// A text that is no document of records.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is no JSON, or JSON of something else.
    #[error("it is not what 'reeve registry export' writes: {0}")]
    Foreign(String),
    /// A newer version wrote it.
    #[error(
        "it has format {found}, this version knows {FORMAT}; import it with the version that \
         wrote it, or a newer one"
    )]
    Format {
        /// The format it has.
        found: u64,
    },
    /// A record of it can't be read.
    #[error("{place}: {why}")]
    Record {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Document {
    /// What these records say.
    pub fn of(records: &Records) -> Document {
        let (mut kinds, mut bytes) = (Map::new(), Map::new());
        for (key, value) in records {
            let said = Kind::of(key).map(|(kind, id)| (kind, id, kind.to_json(value)));
            match said {
                Some((kind, _, Ok(Some(json)))) if kind.single() => {
                    kinds.insert(kind.name().to_owned(), json);
                }
                Some((kind, id, Ok(Some(json)))) => {
                    let of_kind = kinds.entry(kind.name()).or_insert_with(|| json!({}));
                    of_kind[id] = json;
                }
                _ => {
                    bytes.insert(key.clone(), STANDARD.encode(value).into());
                }
            }
        }
        let mut all = json!({"format": FORMAT, "records": kinds});
        if !bytes.is_empty() {
            all["bytes"] = bytes.into();
        }
        Document(all)
    }

    /// Whether the JSON says of itself that it is one.
    pub fn is_like(json: &Value) -> bool {
        json["format"].is_u64() && json["records"].is_object()
    }

    /// Reads the text.
    ///
    /// # Errors
    ///
    /// If it is no JSON.
    pub fn parse(text: &[u8]) -> Result<Document, DocumentError> {
        serde_json::from_slice(text)
            .map(Document)
            .map_err(|error| DocumentError::Foreign(error.to_string()))
    }

    /// The records.
    ///
    /// # Errors
    ///
    /// If it is another document, of a newer format, or a record of it can't be read.
    pub fn records(&self) -> Result<Records, DocumentError> {
        let Document(all) = self;
        let found = all["format"].as_u64();
        match found.ok_or_else(|| DocumentError::Foreign("it has no format".to_owned()))? {
            FORMAT => {}
            found => return Err(DocumentError::Format { found }),
        }
        let mut records = Records::new();
        for (name, json) in members(all, "records")? {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| wrong(name, "this version has no such records"))?;
            if kind.single() {
                insert(&mut records, kind, "", json)?;
                continue;
            }
            let json = json.as_object().ok_or_else(|| wrong(name, "is not an object"))?;
            for (id, json) in json {
                insert(&mut records, kind, id, json)?;
            }
        }
        for (key, text) in members(all, "bytes")? {
            let decoded = STANDARD.decode(text.as_str().unwrap_or_default());
            let value = decoded.map_err(|error| wrong(key, &error.to_string()))?;
            records.insert(key.clone(), value);
        }
        Ok(records)
    }

    /// The text, with a line break at its end.
    pub fn text(&self) -> String {
        // A value of JSON can always be written.
        serde_json::to_string_pretty(&self.0).unwrap_or_default() + "\n"
    }

    /// Its JSON.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

fn members<'a>(
    all: &'a Value,
    name: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, DocumentError> {
    let members = match &all[name] {
        Value::Null => None,
        Value::Object(members) => Some(members),
        _ => return Err(wrong(name, "is not an object")),
    };
    Ok(members.into_iter().flatten())
}

fn insert(records: &mut Records, kind: Kind, id: &str, json: &Value) -> Result<(), DocumentError> {
    let key = kind.key(id);
    let value = kind.from_json(json).map_err(|why| wrong(&key, &why))?;
    kind.check(id, &value).map_err(|why| wrong(&key, &why))?;
    records.insert(key, value);
    Ok(())
}

fn wrong(place: &str, why: &str) -> DocumentError {
    DocumentError::Record { place: place.to_owned(), why: why.to_owned() }
}
