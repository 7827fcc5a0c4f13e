//! What is measured: the same page with another tracker each, or with none.

/// How a page loads a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// None at all.
    Nothing,
    /// The one tag of ours: a script of the collector.
    Collector,
    /// A package built with the site's own scripts, as a module.
    Module,
}

/// One of those that are measured.
#[derive(Debug)]
pub(crate) struct Contender {
    /// Its folder of scripts, and its page's path.
    pub(crate) name: &'static str,
    /// In the table.
    pub(crate) title: &'static str,
    pub(crate) tag: Tag,
    /// How the path ends to which it sends events.
    pub(crate) events: &'static str,
}

/// Ours is the first: the others' figures are told in relation to its.
pub(crate) const CONTENDERS: [Contender; 7] = [
    Contender { name: "footfall", title: "footfall", tag: Tag::Collector, events: "/v1/events" },
    Contender {
        name: "pure",
        title: "the same in JavaScript",
        tag: Tag::Collector,
        events: "/v1/events",
    },
    Contender {
        name: "plausible",
        title: "@plausible-analytics/tracker",
        tag: Tag::Module,
        events: "/api/event",
    },
    Contender {
        name: "snowplow",
        title: "@snowplow/browser-tracker",
        tag: Tag::Module,
        events: "/tp2",
    },
    Contender { name: "posthog", title: "posthog-js", tag: Tag::Module, events: "/e/" },
    Contender {
        name: "segment",
        title: "@segment/analytics-next",
        tag: Tag::Module,
        events: "/v1/p",
    },
    Contender { name: "none", title: "no tracker", tag: Tag::Nothing, events: "" },
];

/// Which of [`CONTENDERS`] is the one that the budget is told by.
pub(crate) const PURE: usize = 1;
/// And which has no tracker.
pub(crate) const NONE: usize = 6;
