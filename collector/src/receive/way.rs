//! The ways in, as the metrics name them.

/// What a request's address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `POST /v1/events`.
    Events,
    /// `GET /v1/pixel.gif`.
    Pixel,
    /// The Segment-compatible addresses.
    Segment,
    /// Redirect links.
    Link,
    /// The tracker's files.
    Script,
    /// `/healthz`, `/readyz`, `/metrics`.
    Operator,
    /// Any other address.
    Other,
}

impl Way {
    pub(crate) const ALL: [Self; 7] = [
        Self::Events,
        Self::Pixel,
        Self::Segment,
        Self::Link,
        Self::Script,
        Self::Operator,
        Self::Other,
    ];

    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/v1/events" => Self::Events,
            "/v1/pixel.gif" => Self::Pixel,
            "/healthz" | "/readyz" | "/metrics" => Self::Operator,
            _ if path.starts_with("/s/") => Self::Script,
            _ if path.starts_with("/r/") => Self::Link,
            _ if super::segment_api::Call::of(path).is_some() => Self::Segment,
            _ => Self::Other,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Pixel => "pixel",
            Self::Segment => "segment",
            Self::Link => "link",
            Self::Script => "script",
            Self::Operator => "operator",
            Self::Other => "other",
        }
    }
}
