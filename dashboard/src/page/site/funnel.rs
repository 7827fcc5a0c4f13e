//! The funnel, and the form that edits it.

use analytics::funnel::{By, Report, STEPS_MAX, Step};
use analytics::overview::EventNamesReport;
use analytics::query::Range;
use segment::{Comparisons, Condition, EventName};
use wire::SiteName;

use super::address;
use crate::api::funnel::{WINDOW_DEFAULT, question};
use crate::error::Rejection;
use crate::page::number::{grouped, percent};
use crate::page::sentence;
use crate::parameters::Parameters;
use crate::server::Dashboard;

/// Inputs of a form in which nothing stands yet.
const INPUTS_MIN: usize = 3;

const WINDOWS: [(&str, &str); 6] = [
    ("30m", "30 minutes"),
    ("1d", "1 day"),
    ("7d", "7 days"),
    (WINDOW_DEFAULT, "30 days"),
    ("90d", "90 days"),
    ("none", "any time"),
];

pub(super) struct FunnelView {
    /// How it was counted, in words.
    pub(super) note: String,
    /// What one of the counted is.
    pub(super) who: &'static str,
    pub(super) steps: Vec<StepView>,
    /// What is wrong with the funnel as it was written.
    pub(super) problem: Option<String>,
    pub(super) suggestions: Vec<Suggestion>,
    /// The steps as they were written, whether they do not parse, and room for more.
    pub(super) inputs: Vec<(String, bool)>,
    pub(super) open: bool,
    /// What another funnel leaves as it is.
    pub(super) kept: Vec<(&'static str, String)>,
    /// Value, name, and whether it is chosen.
    pub(super) windows: Vec<(String, String, bool)>,
    pub(super) bys: Vec<(String, String, bool)>,
}

pub(super) struct StepView {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) count: (u64, String),
    pub(super) dropped: (u64, String),
    pub(super) conversion: String,
    pub(super) conversion_total: String,
}

/// An event that could be the next step.
pub(super) struct Suggestion {
    pub(super) name: String,
    pub(super) visitors: String,
    pub(super) href: String,
}

/// Asks the funnel; `None` where no step is told. What is wrong with a step is the inner error: the page
/// shows it beside the form.
pub(super) async fn ask(
    dashboard: &Dashboard,
    parameters: &Parameters,
    site: &SiteName,
    range: Range,
) -> Result<Option<Result<Report, Rejection>>, Rejection> {
    if parameters.all("step").next().is_none() {
        return Ok(None);
    }
    let funnel = match question(parameters, site.clone(), range) {
        Ok(funnel) => funnel,
        Err(problem) => return Ok(Some(Err(problem))),
    };
    match funnel.ask(&dashboard.server).await {
        Ok(report) => Ok(Some(Ok(report))),
        Err(error) if error.is_askers_fault() => Ok(Some(Err(error.into()))),
        Err(error) => Err(error.into()),
    }
}

impl FunnelView {
    pub(super) fn new(
        site: &SiteName,
        parameters: &Parameters,
        names: &EventNamesReport,
        asked: Option<Result<Report, Rejection>>,
    ) -> Result<Self, Rejection> {
        let inputs = inputs(parameters);
        let (report, problem) = match asked {
            Some(Ok(report)) => (Some(report), None),
            Some(Err(rejection)) => (None, Some(problem(&rejection, &inputs))),
            None => (None, None),
        };
        let window = parameters.one("window")?.unwrap_or(WINDOW_DEFAULT);
        let by = parameters.one("by")?.unwrap_or(By::Visitor.as_str());
        Ok(Self {
            note: report.as_ref().map_or_else(String::new, |_| note(window, by)),
            who: counted(by),
            open: problem.is_some() || (report.is_none() && !names.events.is_empty()),
            steps: report.as_ref().map_or_else(Vec::new, steps),
            problem,
            suggestions: suggestions(site, parameters, names),
            inputs,
            kept: ["from", "to"]
                .into_iter()
                .flat_map(|name| parameters.all(name).map(move |value| (name, value.to_owned())))
                .collect(),
            windows: choices(&WINDOWS, window),
            bys: choices(
                &[("visitor", "visitors"), ("session", "sessions"), ("user", "known people")],
                by,
            ),
        })
    }
}

fn inputs(parameters: &Parameters) -> Vec<(String, bool)> {
    let written = parameters.all("step");
    let mut inputs: Vec<_> =
        written.map(|step| (step.to_owned(), step.parse::<Step>().is_err())).collect();
    let room = (inputs.len() + 1).clamp(INPUTS_MIN, STEPS_MAX.max(inputs.len()));
    inputs.resize(room, (String::new(), false));
    inputs
}

/// What is wrong with the funnel as it was written.
fn problem(rejection: &Rejection, inputs: &[(String, bool)]) -> String {
    let wrong = inputs.iter().position(|(_, wrong)| *wrong);
    match (rejection, wrong) {
        (Rejection::ParameterInvalid { name: "step", why, .. }, Some(index)) => {
            format!("Step {} is not understood: {why}", index + 1)
        }
        _ => sentence(&rejection.to_string()),
    }
}

fn steps(report: &Report) -> Vec<StepView> {
    let step = |(index, step): (usize, &analytics::funnel::StepReport)| StepView {
        number: index + 1,
        name: step.name.clone(),
        count: (step.count, grouped(step.count)),
        dropped: (step.dropped, grouped(step.dropped)),
        conversion: percent(step.conversion),
        conversion_total: percent(step.conversion_total),
    };
    report.steps.iter().enumerate().map(step).collect()
}

/// The site's events as links that add them as the next step.
fn suggestions(
    site: &SiteName,
    parameters: &Parameters,
    names: &EventNamesReport,
) -> Vec<Suggestion> {
    if parameters.all("step").count() >= STEPS_MAX {
        return Vec::new();
    }
    let suggestion = |event: &analytics::overview::EventName| {
        // Written as the rule language reads it: in quotes where it must be.
        let name = EventName::Is(event.name.clone());
        let step = Condition { event: name, comparisons: Comparisons::default() }.to_string();
        let before = super::KNOWN
            .iter()
            .flat_map(|name| parameters.all(name).map(move |value| (*name, value)));
        let href = address(site, before.chain([("step", step.as_str())]));
        Suggestion { href: format!("{href}#funnel"), visitors: grouped(event.visitors), name: step }
    };
    names.events.iter().map(suggestion).collect()
}

/// The choices of a list, and one more where the address has another.
fn choices(known: &[(&str, &str)], chosen: &str) -> Vec<(String, String, bool)> {
    let mut choices: Vec<_> = known
        .iter()
        .map(|(value, name)| ((*value).to_owned(), (*name).to_owned(), *value == chosen))
        .collect();
    if !choices.iter().any(|(_, _, chosen)| *chosen) {
        choices.push((chosen.to_owned(), chosen.to_owned(), true));
    }
    choices
}

fn counted(by: &str) -> &'static str {
    match by {
        "session" => "Sessions",
        "user" => "People",
        _ => "Visitors",
    }
}

fn note(window: &str, by: &str) -> String {
    let known = WINDOWS.iter().find(|(value, _)| *value == window);
    match known.map_or(window, |(_, name)| name) {
        "any time" => format!("{}, however long it took", counted(by)),
        window => format!("{}, all steps within {window}", counted(by)),
    }
}
