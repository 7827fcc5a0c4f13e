//! The closed list of reasons for leaving one event out.

/// Why one event of a batch was left out while the others were taken. An outcome, not an error: it
/// is counted and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "docs/WIRE.md has the table, and a test holds it to this list")]
pub enum DropReason {
    EventMalformed,
    IdNotUuid,
    TypeUnknown,
    AtTooOld,
    AtInFuture,
    VisitorMissing,
    VisitorNotUuid,
    SessionNotUuid,
    UserMissing,
    UserTooLong,
    UrlMissing,
    UrlInvalid,
    HostNotAllowed,
    NameMissing,
    FunnelMissing,
    StepMissing,
    PropertiesNotObject,
    PersonSuppressed,
    ExcludedNetwork,
    ExcludedCountry,
    ExcludedUserAgent,
    ExcludedHost,
    ExcludedPath,
    ExcludedReferrer,
    ReferrerSpam,
}

impl DropReason {
    /// Every reason, in the order of docs/WIRE.md.
    pub const ALL: [Self; 25] = [
        Self::EventMalformed,
        Self::IdNotUuid,
        Self::TypeUnknown,
        Self::AtTooOld,
        Self::AtInFuture,
        Self::VisitorMissing,
        Self::VisitorNotUuid,
        Self::SessionNotUuid,
        Self::UserMissing,
        Self::UserTooLong,
        Self::UrlMissing,
        Self::UrlInvalid,
        Self::HostNotAllowed,
        Self::NameMissing,
        Self::FunnelMissing,
        Self::StepMissing,
        Self::PropertiesNotObject,
        Self::PersonSuppressed,
        Self::ExcludedNetwork,
        Self::ExcludedCountry,
        Self::ExcludedUserAgent,
        Self::ExcludedHost,
        Self::ExcludedPath,
        Self::ExcludedReferrer,
        Self::ReferrerSpam,
    ];

    /// The stable tag, and the field at fault (of a malformed event the answer names the very one).
    const fn spec(self) -> (&'static str, &'static str) {
        match self {
            Self::EventMalformed => ("event_malformed", ""),
            Self::IdNotUuid => ("id_not_uuid", "id"),
            Self::TypeUnknown => ("type_unknown", "type"),
            Self::AtTooOld => ("at_too_old", "at"),
            Self::AtInFuture => ("at_in_future", "at"),
            Self::VisitorMissing => ("visitor_missing", "visitor"),
            Self::VisitorNotUuid => ("visitor_not_uuid", "visitor"),
            Self::SessionNotUuid => ("session_not_uuid", "session"),
            Self::UserMissing => ("user_missing", "user"),
            Self::UserTooLong => ("user_too_long", "user"),
            Self::UrlMissing => ("url_missing", "url"),
            Self::UrlInvalid => ("url_invalid", "url"),
            Self::HostNotAllowed => ("host_not_allowed", "url"),
            Self::NameMissing => ("name_missing", "name"),
            Self::FunnelMissing => ("funnel_missing", "funnel"),
            Self::StepMissing => ("step_missing", "step"),
            Self::PropertiesNotObject => ("properties_not_object", "properties"),
            Self::PersonSuppressed => ("person_suppressed", "properties"),
            Self::ExcludedNetwork => ("excluded_network", "address"),
            Self::ExcludedCountry => ("excluded_country", "address"),
            Self::ExcludedUserAgent => ("excluded_user_agent", "user_agent"),
            Self::ExcludedHost => ("excluded_host", "url"),
            Self::ExcludedPath => ("excluded_path", "url"),
            Self::ExcludedReferrer => ("excluded_referrer", "referrer"),
            Self::ReferrerSpam => ("referrer_spam", "referrer"),
        }
    }

    /// The stable tag: in the answer and on the metric.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.spec().0
    }

    /// The field at fault; empty where it differs from event to event.
    #[must_use]
    pub const fn field(self) -> &'static str {
        self.spec().1
    }
}
