//! What comes most: pages, countries, interests, each as a table with bars.

use analytics::interest;
use analytics::traffic::{CountriesReport, PagesReport};

use crate::page::country;
use crate::page::number::{grouped, share};

pub(super) struct Ranking {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    /// The heading of the first column.
    pub(super) of: &'static str,
    pub(super) columns: [&'static str; 2],
    pub(super) rows: Vec<RankingRow>,
    /// What to say where there are no rows.
    pub(super) nothing: &'static str,
}

pub(super) struct RankingRow {
    pub(super) flag: String,
    pub(super) name: String,
    /// All there is to say of it, for whoever points at it.
    pub(super) whole: String,
    /// How long the bar is, in hundredths.
    pub(super) share: String,
    pub(super) cells: [String; 2],
}

pub(super) fn pages(report: &PagesReport) -> Ranking {
    let most = report.pages.iter().map(|page| page.page_views).max().unwrap_or(0);
    let one_host = report.pages.windows(2).all(|pair| pair[0].host == pair[1].host);
    let rows = report.pages.iter().map(|page| {
        let address = format!("{}{}", page.host, page.path);
        let whole = match page.title.as_str() {
            "" => address.clone(),
            title => format!("{title} · {address}"),
        };
        RankingRow {
            flag: String::new(),
            name: if one_host && !page.path.is_empty() { page.path.clone() } else { address },
            whole,
            share: share(precise(page.page_views), precise(most)),
            cells: [grouped(page.page_views), grouped(page.visitors)],
        }
    });
    Ranking {
        id: "pages",
        title: "Top pages",
        note: "",
        of: "Page",
        columns: ["Views", "Visitors"],
        rows: rows.collect(),
        nothing: "No page was viewed in this range. Choose a longer one above.",
    }
}

pub(super) fn countries(report: &CountriesReport) -> Ranking {
    let most = report.countries.iter().map(|country| country.visitors).max().unwrap_or(0);
    let rows = report.countries.iter().map(|row| RankingRow {
        flag: country::flag(&row.country),
        name: country::name(&row.country).to_owned(),
        whole: country::name(&row.country).to_owned(),
        share: share(precise(row.visitors), precise(most)),
        cells: [grouped(row.visitors), grouped(row.page_views)],
    });
    Ranking {
        id: "countries",
        title: "Countries",
        note: "",
        of: "Country",
        columns: ["Visitors", "Views"],
        rows: rows.collect(),
        nothing: "Nobody came in this range. Choose a longer one above.",
    }
}

pub(super) fn interests(report: &interest::Report) -> Ranking {
    let most = report.interests.iter().map(|interest| interest.score).fold(0.0, f64::max);
    let rows = report.interests.iter().map(|interest| RankingRow {
        flag: String::new(),
        name: interest.category.replace('/', " / "),
        whole: interest.category.clone(),
        share: share(interest.score, most),
        cells: [format!("{:.1}", interest.score), grouped(interest.visitors)],
    });
    Ranking {
        id: "interests",
        title: "Top interests",
        note: "The score is page views; one from 30 days ago counts half.",
        of: "Category",
        columns: ["Score", "Visitors"],
        rows: rows.collect(),
        nothing: "No page in this range says what it is about. Add <meta name=\"footfall:category\" content=\"Shoes/Running\"> to pages.",
    }
}

/// Exact up to 2^53; a bar needs less.
#[expect(clippy::cast_precision_loss, reason = "the length of a bar on a screen")]
fn precise(count: u64) -> f64 {
    count as f64
}
