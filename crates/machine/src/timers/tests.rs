use proptest::prelude::*;

use super::*;

#[test]
fn a_key_has_one_deadline_and_the_last_one_counts() {
    let mut timers = Timers::new();
    assert_eq!(timers.set("ping", Tick(10)), None);
    assert_eq!(timers.set("ping", Tick(30)), Some(Tick(10)));
    assert_eq!(timers.next(), Some(Tick(30)));
    assert_eq!(timers.due(Tick(29)), None);
    assert_eq!(timers.due(Tick(30)), Some("ping"));
    assert!(timers.is_empty());
}

#[test]
fn equal_deadlines_come_in_the_order_of_their_keys() {
    let mut timers = Timers::new();
    for key in [3, 1, 2] {
        timers.set(key, Tick(5));
    }
    let due: Vec<_> = std::iter::from_fn(|| timers.due(Tick(5))).collect();
    assert_eq!(due, [1, 2, 3]);
}

#[derive(Clone, Debug)]
enum Action {
    Set(u8, u64),
    Cancel(u8),
    Advance(u64),
    Clear,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..20u8, 0..100u64).prop_map(|(key, at)| Action::Set(key, at)),
        3 => (0..20u8).prop_map(Action::Cancel),
        3 => (0..100u64).prop_map(Action::Advance),
        1 => Just(Action::Clear),
    ]
}

/// The plainest thing that could be right: a list searched from end to end.
#[derive(Default)]
struct Naive(Vec<(u64, u8)>);

impl Naive {
    fn take(&mut self, key: u8) -> Option<u64> {
        let at = self.0.iter().position(|(_, k)| *k == key)?;
        Some(self.0.remove(at).0)
    }

    fn due(&mut self, now: u64) -> Option<u8> {
        let first = self.0.iter().copied().filter(|(at, _)| *at <= now).min()?;
        self.take(first.1);
        Some(first.1)
    }
}

proptest! {
    #[test]
    fn agrees_with_a_plain_list(actions in prop::collection::vec(action(), 0..200)) {
        let (mut timers, mut naive) = (Timers::new(), Naive::default());
        for action in actions {
            match action {
                Action::Set(key, at) => {
                    let old = naive.take(key);
                    naive.0.push((at, key));
                    prop_assert_eq!(timers.set(key, Tick(at)), old.map(Tick));
                }
                Action::Cancel(key) => {
                    prop_assert_eq!(timers.cancel(&key), naive.take(key).map(Tick));
                }
                Action::Advance(now) => loop {
                    let due = timers.due(Tick(now));
                    prop_assert_eq!(due, naive.due(now));
                    if due.is_none() {
                        break;
                    }
                },
                Action::Clear => {
                    timers.clear();
                    naive.0.clear();
                }
            }
            prop_assert_eq!(timers.len(), naive.0.len());
            prop_assert_eq!(timers.next(), naive.0.iter().map(|(at, _)| Tick(*at)).min());
            for key in 0..20u8 {
                let expected = naive.0.iter().find(|(_, k)| *k == key).map(|(at, _)| Tick(*at));
                prop_assert_eq!(timers.get(&key), expected);
            }
        }
    }
}
