//! What a candidate's znode holds: its `MasterInfo` (ZK-3).

use reeve_model::MasterInfo;
use reeve_wire::json::Words;
use reeve_wire::v1;

use crate::members::Label;

/// A `MasterInfo` as JSON, its keys sorted as Mesos sorts them.
pub fn write(info: &MasterInfo) -> Vec<u8> {
    // The names of the older generation: the newer one knows no QUOTA_V2.
    let value = reeve_wire::json::to_value_in(Words::V0, &info.to_wire());
    value.to_string().into_bytes()
}

/// Reads what a znode of that label holds.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(label: Label, data: &[u8]) -> Result<MasterInfo, String> {
    let wire: v1::MasterInfo = match label {
        Label::Json => reeve_wire::json::from_slice(data).map_err(|error| error.to_string())?,
        Label::Binary => {
            let bytes = bytes::Bytes::copy_from_slice(data);
            reeve_wire::decode(&bytes).map_err(|error| error.to_string())?
        }
    };
    MasterInfo::try_from(wire).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a master of Apache Mesos 1.11 writes it.
    const REAL: &str = concat!(
        r#"{"address":{"hostname":"m1.example","ip":"10.0.0.1","port":5050},"#,
        r#""capabilities":[{"type":"AGENT_UPDATE"},{"type":"AGENT_DRAINING"},"#,
        r#"{"type":"QUOTA_V2"}],"hostname":"m1.example","#,
        r#""id":"6c4d2b1e-5a0f-4f0e-9d0d-0d2f6f0c8f11","ip":16777226,"#,
        r#""pid":"master@10.0.0.1:5050","port":5050,"version":"1.11.0"}"#,
    );

    #[test]
    fn what_a_real_master_writes_is_read_and_written_in_the_same_bytes() {
        let info = read(Label::Json, REAL.as_bytes()).expect("a MasterInfo");
        assert_eq!((info.ip.to_string().as_str(), info.port), ("10.0.0.1", 5050));
        assert_eq!((info.hostname.as_str(), info.version.as_str()), ("m1.example", "1.11.0"));
        assert_eq!(info.capabilities, [1, 2, 3]);
        assert_eq!(String::from_utf8(write(&info)).expect("text"), REAL);
    }

    #[test]
    fn an_old_master_s_protobuf_is_read() {
        let info = read(Label::Json, REAL.as_bytes()).expect("a MasterInfo");
        let bytes = reeve_wire::encode(&info.to_wire());
        assert_eq!(read(Label::Binary, &bytes).expect("a MasterInfo"), info);
    }

    #[test]
    fn what_is_no_master_is_told() {
        for data in ["", "{}", r#"{"id":"a","ip":1,"port":5050,"address":{"ip":"x","port":1}}"#] {
            assert!(!read(Label::Json, data.as_bytes()).expect_err("no master").is_empty());
        }
    }
}
