use super::*;

#[test]
fn ticks_count_durations_and_stop_at_both_ends() {
    let tick = Tick::after_start(Duration::from_millis(1500));
    assert_eq!(tick, Tick(1_500_000_000));
    assert_eq!((tick + Duration::from_secs(1)) - tick, Duration::from_secs(1));
    assert_eq!(tick - Duration::from_secs(9), Tick::ZERO);
    assert_eq!(tick.checked_sub(Duration::from_secs(9)), None);
    assert_eq!(tick + Duration::MAX, Tick::MAX);
    assert_eq!(tick.checked_add(Duration::MAX), None);
    assert_eq!(Tick::ZERO - tick, Duration::ZERO);
    assert_eq!(tick.to_string(), "1.500000000s");
}

#[test]
fn wall_time_is_written_in_seconds() {
    let wall = Wall(1_436_130_586_693_713_000);
    assert!((wall.to_seconds() - 1_436_130_586.693_713).abs() < 1e-6);
    assert_eq!(wall.whole_seconds(), 1_436_130_586);
    assert_eq!(Wall(-1).whole_seconds(), -1);
    assert_eq!(Wall::from_seconds(i64::MAX), Wall(i64::MAX));
    assert_eq!(Wall(i64::MAX).since(Wall(i64::MIN)), Duration::from_nanos(u64::MAX));
    assert_eq!(Wall(5).since(Wall(7)), Duration::ZERO);
    assert_eq!(Wall::from_seconds(1) + Duration::from_secs(2), Wall::from_seconds(3));
}
