//! Who is meant by a rule right now, and of them who may leave.

use std::io;
use std::time::Duration;

use clickhouse::Row;
use clickhouse::query::Query;
use identifier::Kind;
use jiff::Timestamp;
use segment::{ParameterValue, Parameters, Rule};
use serde::Deserialize;
use store::{Server, ServerError};
use wire::{Choice, SiteName};

use crate::consent::{Decision, decide};
use crate::destination::{Destination, Leaving, WriteError};
use crate::member::Member;
use crate::people::joined;
use crate::receipt::Receipt;
use crate::sql;

/// The size floor where none is set: the smallest list Google Ads shows ads to, and few enough people
/// to say too much about each of them below it.
pub const SIZE_MIN_DEFAULT: u64 = 100;
/// People of one snapshot. They are held in memory, about 300 bytes each, because the floor can be
/// judged only when all are counted.
pub const MEMBERS_MAX: usize = 1_000_000;

/// Identifiers of each kind read of one person, the newest: a sender may tell any number. Many more than
/// leave, because the same one may have been told on many browsers.
const TOLD_MAX: u32 = 32;
/// How long the question may take.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_mins(5);
/// Bytes ClickHouse may use for it, and from where on it groups on disk.
const MEMORY_BYTES_MAX: u64 = 4 << 30;
const MEMORY_BYTES_BEFORE_DISK: u64 = 1 << 30;

/// A segment whose members are to leave.
#[derive(Clone, Debug)]
pub struct Audience {
    /// Whose people.
    pub site: SiteName,
    /// Who is meant.
    pub rule: Rule,
    /// The size floor: with fewer people nothing leaves. Zero is one: nobody is no audience.
    pub size_min: u64,
    /// When it is asked; the rule's windows end here.
    pub now: Timestamp,
}

/// People who passed the consent gate, the suppression list and the size floor, for one destination.
#[derive(Debug)]
pub struct Snapshot<D> {
    destination: D,
    members: Vec<Member>,
    receipt: Receipt,
}

/// Why nothing leaves.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Too few people; the counts say why.
    #[error("{} people would leave, fewer than the floor of {}: {receipt}", receipt.leaving, receipt.size_min)]
    BelowFloor {
        /// What became of everyone the rule matched.
        receipt: Box<Receipt>,
    },
    /// More people than one snapshot holds.
    #[error("more than {members_max} people would leave at once; narrow the rule")]
    TooMany {
        /// What one snapshot holds.
        members_max: usize,
    },
    /// The time is before 1970 or after 2105, beyond what rules count in.
    #[error("{now} is not a time a rule can be asked at")]
    Time {
        /// The time.
        now: Timestamp,
    },
    /// ClickHouse has no answer.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// A person as `sql::people` tells them.
#[derive(Row, Deserialize)]
struct PersonRow {
    visitors: u64,
    answers_matched: Vec<i8>,
    answers_elsewhere: Vec<i8>,
    suppressed: u8,
    told: Vec<(String, String)>,
}

impl Audience {
    /// Asks who is meant, and lets nobody through but whoever has consented, is not suppressed and can
    /// be found by the destination; and nobody at all where these are fewer than the floor.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::BelowFloor`] with all counts, [`SnapshotError::TooMany`] beyond
    /// [`MEMBERS_MAX`], or that ClickHouse has no answer.
    pub async fn snapshot<D: Destination>(
        &self,
        server: &Server,
        destination: D,
    ) -> Result<Snapshot<D>, SnapshotError> {
        let mut gate = Gate {
            destination: &destination,
            members: Vec::new(),
            receipt: self.receipt(&destination),
        };
        let query = self.query(server)?;
        let passed = server.within(SNAPSHOT_TIMEOUT, async {
            let mut people = query.fetch::<PersonRow>()?;
            while let Some(person) = people.next().await? {
                if !gate.pass(&person) {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        if !passed.await? {
            return Err(SnapshotError::TooMany { members_max: MEMBERS_MAX });
        }
        let Gate { members, mut receipt, .. } = gate;
        let found = members.len();
        let members = joined(members);
        receipt.joined = (found - members.len()) as u64;
        receipt.leaving = members.len() as u64;
        if receipt.leaving < receipt.size_min {
            return Err(SnapshotError::BelowFloor { receipt: Box::new(receipt) });
        }
        Ok(Snapshot { destination, members, receipt })
    }

    fn query(&self, server: &Server) -> Result<Query, SnapshotError> {
        let now = u32::try_from(self.now.as_second())
            .map_err(|_| SnapshotError::Time { now: self.now })?;
        let mut parameters = Parameters::new("rule");
        let text = sql::people(&self.rule.sql(now, &mut parameters));
        let mut query = server
            .client()
            .query_raw(&text)
            .param("site", self.site.as_str())
            .param("kinds", Kind::ALL.map(Kind::as_str).as_slice())
            .param("told_max", TOLD_MAX)
            .with_setting("readonly", "2")
            .with_setting("max_execution_time", SNAPSHOT_TIMEOUT.as_secs().to_string())
            .with_setting("max_memory_usage", MEMORY_BYTES_MAX.to_string())
            .with_setting(
                "max_bytes_before_external_group_by",
                MEMORY_BYTES_BEFORE_DISK.to_string(),
            );
        for parameter in parameters.as_slice() {
            query = match &parameter.value {
                ParameterValue::Text(text) => query.param(&parameter.name, text),
                ParameterValue::Integer(number) => query.param(&parameter.name, number),
                ParameterValue::Decimal(number) => query.param(&parameter.name, number.to_string()),
            };
        }
        Ok(query)
    }

    fn receipt(&self, destination: &impl Destination) -> Receipt {
        Receipt {
            site: self.site.clone(),
            rule: self.rule.to_string(),
            destination: destination.name(),
            taken_at: self.now,
            size_min: self.size_min.max(1),
            visitors: 0,
            matched: 0,
            without_consent: 0,
            suppressed: 0,
            without_identifiers: 0,
            joined: 0,
            leaving: 0,
        }
    }
}

/// Lets people through one by one, and counts.
struct Gate<'a, D> {
    destination: &'a D,
    members: Vec<Member>,
    receipt: Receipt,
}

impl<D: Destination> Gate<'_, D> {
    /// Judges one person; false where no more can be held.
    fn pass(&mut self, person: &PersonRow) -> bool {
        self.receipt.visitors += person.visitors;
        self.receipt.matched += 1;
        if decide(&choices(&person.answers_matched), &choices(&person.answers_elsewhere))
            != Decision::Leaves
        {
            self.receipt.without_consent += 1;
            return true;
        }
        if person.suppressed != 0 {
            self.receipt.suppressed += 1;
            return true;
        }
        let member = Member::from_told(&person.told, self.destination.email_kind());
        if !self.destination.finds(&member) {
            self.receipt.without_identifiers += 1;
            return true;
        }
        self.members.push(member);
        self.members.len() <= MEMBERS_MAX
    }
}

/// Reads the numbers of the column `consent_ads`; one that this release does not know is no consent.
fn choices(answers: &[i8]) -> Vec<Choice> {
    let choice = |answer: &i8| match answer {
        1 => Choice::Granted,
        2 => Choice::Denied,
        _ => Choice::Unknown,
    };
    answers.iter().map(choice).collect()
}

impl<D: Destination> Snapshot<D> {
    /// What became of everyone the rule matched.
    #[must_use]
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Writes the people in the destination's form. The same people give the same bytes.
    ///
    /// # Errors
    ///
    /// Where `out` does not take it.
    pub fn write(&self, out: &mut dyn io::Write) -> Result<(), WriteError> {
        self.destination.write(Leaving(&self.members), out)
    }
}
