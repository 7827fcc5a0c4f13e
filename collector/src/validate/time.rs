//! When an event happened, told by a clock that may be wrong.

use super::DropReason;

/// The oldest event that is taken: an SDK keeps events of an offline browser for days, not months.
const AGE_MAX_MILLIS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How far ahead of the receipt an event may lie after its clock was put right: what rounding to
/// minutes leaves over, generously.
const AHEAD_MAX_MILLIS: i64 = 5 * 60 * 1000;
const MINUTE_MILLIS: i64 = 60 * 1000;

/// How one sender's times are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    correction: i64,
    oldest: i64,
    newest: i64,
}

impl Times {
    /// For a batch sent now. The time of sending, beside that of receipt, tells how wrong the
    /// sender's clock is. Only more than a minute counts as wrong, and the correction is in whole
    /// minutes: the network's delay must not move an event, because its day is part of its key and
    /// a retry has to have the same.
    pub(crate) fn of_batch(sent_at: u64, received_at: i64) -> Self {
        let wrong_by = received_at.saturating_sub(millis(sent_at));
        // A sender without a clock of its own says 0 and has taken its times from elsewhere.
        let correction = if sent_at > 0 && wrong_by.saturating_abs() > MINUTE_MILLIS {
            (wrong_by.saturating_add(MINUTE_MILLIS / 2)).div_euclid(MINUTE_MILLIS) * MINUTE_MILLIS
        } else {
            0
        };
        Self {
            correction,
            oldest: received_at - AGE_MAX_MILLIS,
            newest: received_at.saturating_add(AHEAD_MAX_MILLIS),
        }
    }

    /// The event's time put right, in milliseconds since 1970.
    pub(crate) fn occurred_at(&self, at: u64) -> Result<i64, DropReason> {
        let at = millis(at).saturating_add(self.correction);
        if at < self.oldest {
            Err(DropReason::AtTooOld)
        } else if at > self.newest {
            Err(DropReason::AtInFuture)
        } else {
            Ok(at)
        }
    }
}

fn millis(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn occurred(at: i64, sent_at: i64, received_at: i64) -> Result<i64, DropReason> {
        Times::of_batch(sent_at.unsigned_abs(), received_at).occurred_at(at.unsigned_abs())
    }

    #[test]
    fn a_good_clock_is_left_alone_whatever_the_network_takes() {
        assert_eq!(occurred(NOW - 5000, NOW - 900, NOW), Ok(NOW - 5000));
        assert_eq!(occurred(NOW - 5000, NOW - 59_000, NOW), Ok(NOW - 5000));
    }

    #[test]
    fn a_wrong_clock_is_put_right_the_same_for_every_retry() {
        let ahead = 3 * 60 * MINUTE_MILLIS;
        let first = occurred(NOW + ahead - 5000, NOW + ahead, NOW + 200);
        let retry = occurred(NOW + ahead - 5000, NOW + ahead + 20_000, NOW + 20_900);
        assert_eq!(first, Ok(NOW - 5000));
        assert_eq!(retry, first);
        assert_eq!(occurred(NOW - ahead, NOW - ahead, NOW), Ok(NOW));
    }

    #[test]
    fn too_old_and_not_yet_are_left_out() {
        assert_eq!(occurred(NOW - 31 * DAY, NOW, NOW), Err(DropReason::AtTooOld));
        assert_eq!(occurred(NOW - 29 * DAY, NOW, NOW), Ok(NOW - 29 * DAY));
        assert_eq!(occurred(NOW + 6 * MINUTE_MILLIS, NOW, NOW), Err(DropReason::AtInFuture));
        let absurd = Times::of_batch(u64::MAX, NOW).occurred_at(u64::MAX);
        assert!(
            absurd.is_ok_and(|at| (at - NOW).abs() <= MINUTE_MILLIS),
            "as far off as its clock"
        );
    }
}
