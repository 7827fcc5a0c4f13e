//! Why a text is not an identifier. No variant holds the text: it may be a person's.

/// A text that could not be read. Whoever meets it leaves the field out and counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ParseError {
    /// Nothing but white space. Hashing it would give every such person the same hash.
    #[error("empty")]
    Empty,
    /// Longer than any real one of its kind.
    #[error("longer than {bytes_max} bytes")]
    TooLong {
        /// What its kind allows.
        bytes_max: usize,
    },
    /// A digest, but not the SHA-256 that the platforms compare: MD5 or SHA-1.
    #[error("hashed already, but not by SHA-256")]
    OtherDigest,
    /// Not one mailbox of the form `name@domain.tld`.
    #[error("not an e-mail address")]
    Email,
    /// Not a number that exists in the numbering plan of its country or of the default region.
    #[error("not a valid phone number")]
    Phone,
    /// Holds no letter.
    #[error("not a person's name")]
    PersonName,
    /// Neither an ISO 3166-1 code nor a known name of a country.
    #[error("not a country")]
    Country,
    /// Not made of Latin letters, digits, spaces and hyphens.
    #[error("not a postal code")]
    Zip,
}
