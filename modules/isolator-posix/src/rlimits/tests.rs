use super::*;

fn encoded(limits: &[Limit]) -> Vec<u8> {
    let rlimit_info = Some(RlimitInfo { rlimits: limits.to_vec() });
    ContainerInfo { rlimit_info }.encode_to_vec()
}

#[test]
fn limits_have_the_kernels_numbers() {
    let bytes = encoded(&[
        Limit { kind: Some(10), soft: Some(64), hard: Some(128) },
        Limit { kind: Some(2), soft: None, hard: None },
    ]);
    let limits = of(&bytes).unwrap();
    assert_eq!(limits[0], Rlimit { resource: libc::RLIMIT_NOFILE, soft: 64, hard: 128 });
    assert_eq!(limits[1], Rlimit { resource: libc::RLIMIT_CORE, soft: u64::MAX, hard: u64::MAX });
    assert_eq!(of(&[]).unwrap(), []);
}

#[test]
fn a_limit_that_cannot_be_is_refused_by_name() {
    let refused = |limit| of(&encoded(&[limit])).unwrap_err().to_string();
    let above = Limit { kind: Some(10), soft: Some(2), hard: Some(1) };
    assert!(refused(above).contains("RLMT_NOFILE"));
    let half = Limit { kind: Some(16), soft: Some(2), hard: None };
    assert!(refused(half).contains("RLMT_STACK"));
    assert!(refused(Limit { kind: Some(99), soft: None, hard: None }).contains("99"));
    assert!(refused(Limit { kind: None, soft: None, hard: None }).contains("unknown type 0"));
    assert!(of(&[0x4a, 0xff]).is_err());
}
