//! Ten people, what each of them does in the shop, and so what its funnel must show.

use serde::Serialize;

/// How far somebody goes. Each one has done everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Looks at the first page and a shelf, and at no product.
    Shelf,
    /// Looks at products.
    Product,
    /// Puts the last of them into the cart.
    Cart,
    /// Begins the checkout.
    Details,
    /// Gives the details and comes to shipping.
    Shipping,
    /// Gives an address and comes to payment.
    Payment,
    /// Buys.
    Thanks,
}

/// The funnel's steps, as events are named in the store, and who has done each.
pub const FUNNEL: [(&str, Reach); 6] = [
    ("product_view", Reach::Product),
    ("add_to_cart", Reach::Cart),
    ("checkout/details", Reach::Details),
    ("checkout/shipping", Reach::Shipping),
    ("checkout/payment", Reach::Payment),
    ("purchase", Reach::Thanks),
];

/// Which of the two shops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Every click loads a page.
    Pages,
    /// One page, and history navigation.
    SinglePage,
}

/// What somebody holds in their hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// The `User-Agent`.
    pub user_agent: &'static str,
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// Whether it is held in a hand: touch, and the page's own viewport.
    pub mobile: bool,
}

/// How somebody comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// By typing the address.
    Direct,
    /// By a link on another site's page.
    Referred(&'static str),
    /// By a link with UTM parameters, on a page or in a mail.
    Campaign {
        /// The page the link stands on; empty for a mail.
        referrer: &'static str,
        /// The query, with the UTM parameters.
        query: &'static str,
    },
}

/// What somebody tells of themselves at the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub first_name: &'static str,
    /// Last name.
    pub last_name: &'static str,
    /// An address at a domain set apart for examples.
    pub email: &'static str,
    /// Whether they tick the box for ads.
    pub ads: bool,
    /// Street and number.
    pub street: &'static str,
    /// Postcode.
    pub zip: &'static str,
    /// Town.
    pub town: &'static str,
}

/// One person, from arrival to leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Who it is, for the one who watches.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// An address of that country's, told to the collector as a proxy would.
    pub address: &'static str,
    /// BCP 47.
    pub language: &'static str,
    /// What they browse with.
    pub device: Device,
    /// How they come.
    pub arrival: Arrival,
    /// Which shop they walk.
    pub variant: Variant,
    /// The shelf they look at.
    pub shelf: &'static str,
    /// The products they look at, in order.
    pub products: &'static [&'static str],
    /// How far they go.
    pub reach: Reach,
    /// What they tell at the checkout.
    pub person: Person,
}

/// Everyone who walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order they come.
    pub visitors: Vec<Visitor>,
}

/// A funnel as the plan's doings make it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// How many came.
    pub visitors: usize,
    /// How many let ads have their e-mail.
    pub consenting: usize,
    /// The funnel's steps in order.
    pub steps: Vec<ExpectedStep>,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpectedStep {
    /// The event's name in the store.
    pub name: &'static str,
    /// How many visitors have done it.
    pub count: usize,
}

impl Plan {
    /// What the funnel must show once everyone has walked.
    #[must_use]
    pub fn expected(&self) -> Expected {
        let done = |reach| self.visitors.iter().filter(|visitor| visitor.reach >= reach).count();
        let steps = FUNNEL.map(|(name, reach)| ExpectedStep { name, count: done(reach) });
        Expected {
            visitors: self.visitors.len(),
            consenting: self.consenting(),
            steps: steps.into(),
        }
    }

    /// How many let ads have their e-mail: those who tick the box and send the form.
    #[must_use]
    pub fn consenting(&self) -> usize {
        let consents = |visitor: &&Visitor| visitor.person.ads && visitor.reach >= Reach::Shipping;
        self.visitors.iter().filter(consents).count()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::walk::plan;

    #[test]
    fn ten_visitors_leave_at_every_step() {
        let plan = plan();
        assert_eq!(plan.visitors.len(), 10);
        let reached: BTreeSet<_> = plan.visitors.iter().map(|visitor| visitor.reach).collect();
        assert_eq!(reached.len(), FUNNEL.len() + 1);
        let counts: Vec<_> = plan.expected().steps.iter().map(|step| step.count).collect();
        assert_eq!(counts, [9, 7, 6, 5, 4, 3]);
    }

    #[test]
    fn some_walk_the_single_page_and_some_consent_to_ads() {
        let plan = plan();
        let single = plan.visitors.iter().filter(|who| who.variant == Variant::SinglePage).count();
        assert!(single >= 1, "{single}");
        assert!(plan.consenting() >= 3, "{}", plan.consenting());
    }

    #[test]
    fn no_two_visitors_are_alike() {
        let visitors = plan().visitors;
        let apart =
            |of: fn(&Visitor) -> &str| visitors.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(apart(|who| who.name), 10);
        assert_eq!(apart(|who| who.address), 10);
        assert_eq!(apart(|who| who.person.email), 10);
    }

    #[test]
    fn whoever_goes_to_the_cart_has_looked_at_a_product() {
        for who in plan().visitors {
            assert_eq!(who.products.is_empty(), who.reach < Reach::Product, "{}", who.name);
        }
    }
}
