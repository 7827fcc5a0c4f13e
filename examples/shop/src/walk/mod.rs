//! Ten people walk through the shop, in a real browser.

use anyhow::{Context as _, bail, ensure};
use url::Url;

use crate::browser::{Browser, Tab};
pub use crate::visitor::Plan;
use crate::visitor::{Arrival, Expected, Reach, Variant, Visitor};

mod people;

/// Who walks, and what they do: always the same.
#[must_use]
pub fn plan() -> Plan {
    Plan { visitors: people::PEOPLE.to_vec() }
}

/// A walk that is over, with everything it caused delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// What the funnel must show now.
    pub expected: Expected,
}

/// Lets everyone in the plan walk through the shop at `shop_url`, one after the other.
///
/// # Errors
///
/// When the browser cannot be started, a page is not as it should be, or an event is not
/// delivered in time.
pub async fn walk(shop_url: &str, plan: &Plan) -> anyhow::Result<Walked> {
    walk_seen(shop_url, plan, |_| ()).await
}

/// [`walk`], telling `seen` of everyone who has left.
///
/// # Errors
///
/// As [`walk`].
pub async fn walk_seen(
    shop_url: &str,
    plan: &Plan,
    mut seen: impl FnMut(&Visitor),
) -> anyhow::Result<Walked> {
    let shop_url = Url::parse(shop_url).with_context(|| format!("{shop_url} is no address"))?;
    let browser = Browser::start().await?;
    for visitor in &plan.visitors {
        let tab = browser.visitor(&visitor.device, visitor.language, Some(visitor.address)).await?;
        let visit = Visit { tab: &tab, visitor, shop_url: &shop_url };
        let visited = visit.run().await;
        let closed = tab.close().await;
        visited.with_context(|| format!("{} could not walk to the end", visitor.name))?;
        closed?;
        seen(visitor);
    }
    browser.stop().await?;
    Ok(Walked { expected: plan.expected() })
}

/// Everything seen is in the collector's hands, and nothing waits in the browser's storage: no event, and
/// nobody's details, which are told of when the part that hashes them has come.
const DELIVERED: &str = "footfall.idle() && !Object.keys(localStorage)\
    .some((key) => /^footfall[.].+[.](queue|traits)$/.test(key) && localStorage.getItem(key))";

struct Visit<'a> {
    tab: &'a Tab,
    visitor: &'a Visitor,
    shop_url: &'a Url,
}

impl Visit<'_> {
    async fn run(&self) -> anyhow::Result<()> {
        let who = self.visitor;
        self.arrive().await?;
        self.follow(&format!("nav a[href$='/c/{}']", who.shelf), &format!("/c/{}", who.shelf))
            .await?;
        for slug in who.products {
            self.look_at(slug).await?;
        }
        if who.reach >= Reach::Cart {
            self.tab.click("#add button").await?;
            self.tab.wait_until("!document.getElementById('added').hidden").await?;
        }
        if who.reach >= Reach::Details {
            self.follow("#added a", "/cart").await?;
            self.follow("#checkout", "/checkout/details").await?;
        }
        if who.reach >= Reach::Shipping {
            self.give_details().await?;
        }
        if who.reach >= Reach::Payment {
            self.give_address().await?;
        }
        if who.reach >= Reach::Thanks {
            self.tab.click("[name=method][value=delivery]").await?;
            self.follow("#payment button", "/thanks").await?;
        }
        self.tab.wait_until(DELIVERED).await.context("the events were not delivered")
    }

    async fn arrive(&self) -> anyhow::Result<()> {
        let mut url = self.shop_url.join(&format!("{}/", self.base()))?;
        let referrer = match self.visitor.arrival {
            Arrival::Direct => "",
            Arrival::Referred(referrer) => referrer,
            Arrival::Campaign { referrer, query } => {
                url.set_query(Some(query));
                referrer
            }
        };
        self.tab.come_to(url.as_str(), referrer).await?;
        self.arrived_at("/").await
    }

    /// To a product: by its card where there is one on this page, else back over its shelf.
    async fn look_at(&self, slug: &str) -> anyhow::Result<()> {
        let card = format!(".card a[href$='/p/{slug}']");
        if !self.tab.has(&card).await? {
            let shelf = self.visitor.shelf;
            self.follow(&format!("nav a[href$='/c/{shelf}']"), &format!("/c/{shelf}")).await?;
            ensure!(self.tab.has(&card).await?, "{slug} is not on the shelf {shelf}");
        }
        self.follow(&card, &format!("/p/{slug}")).await
    }

    async fn give_details(&self) -> anyhow::Result<()> {
        let person = &self.visitor.person;
        self.tab.fill("[name=first_name]", person.first_name).await?;
        self.tab.fill("[name=last_name]", person.last_name).await?;
        self.tab.fill("[name=email]", person.email).await?;
        if person.ads {
            self.tab.click("[name=ads]").await?;
        }
        self.follow("#details button", "/checkout/shipping").await
    }

    async fn give_address(&self) -> anyhow::Result<()> {
        let person = &self.visitor.person;
        self.tab.fill("[name=street]", person.street).await?;
        self.tab.fill("[name=zip]", person.zip).await?;
        self.tab.fill("[name=town]", person.town).await?;
        self.follow("#shipping button", "/checkout/payment").await
    }

    /// Clicks and waits for the page it leads to.
    async fn follow(&self, selector: &str, path: &str) -> anyhow::Result<()> {
        self.tab.click(selector).await?;
        self.arrived_at(path).await
    }

    /// Waits until the page is there, works, and the tracker takes its calls: a visitor does not
    /// click before anything is to be seen either.
    async fn arrived_at(&self, path: &str) -> anyhow::Result<()> {
        let path = format!("{}{path}", self.base());
        let there = format!(
            "location.pathname === '{path}' && document.readyState === 'complete' \
             && 'arrived' in document.querySelector('main').dataset && footfall.ready"
        );
        let Err(error) = self.tab.wait_until(&there).await else { return Ok(()) };
        let url = self.tab.url().await?;
        if self.tab.holds("typeof footfall === 'undefined' || !footfall.ready").await {
            bail!(
                "the tracker did not come to {url}: is its tag in the page, and the collector up?"
            );
        }
        Err(error.context(format!("did not come from {url} to {path}")))
    }

    fn base(&self) -> &'static str {
        match self.visitor.variant {
            Variant::Pages => "",
            Variant::SinglePage => "/spa",
        }
    }
}
